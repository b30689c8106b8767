//! Release histories as domain values, and sites that are judged by them.

use std::sync::Arc;

use module_monitor_domain::{
    CoverageClass, Feed, ModuleType, ProjectName, ProjectStatus, Release, ReleaseHistory, ReleaseStatus,
    ReportedModule, SecurityCounts, SiteId, Support, SyncOutcome, UpdateStatus, VersionBound, VersionRange,
};
use module_monitor_ingestion::uuid_at;
use module_monitor_storage::{
    Fetched, NewAcceptance, Page, RecountDifference, SecurityFilter, SecurityUpdate, Storage, StoredHistory, Validators,
};
use module_monitor_tests::reports::module;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::support::Reporter;

/// When release data is fetched: before the first report of a [`Reporter`].
pub(super) const FETCHED: OffsetDateTime = datetime!(2026-03-01 10:00:00.5 UTC);

pub(super) fn project(name: &str) -> ProjectName {
    ProjectName::parse(name).expect("a project name")
}

/// The versions between two bounds.
pub(super) fn range(from: Option<&str>, to: Option<&str>) -> VersionRange {
    let bound = |text| VersionBound::parse(text).expect("a version");
    VersionRange::new(from.map(bound), to.map(bound)).expect("a range")
}

/// A history of `releases`, newest first: `2.0.1 security`, `2.0.0 insecure`, `1.0.0 unsupported`. Each is a day older
/// than the one before.
pub(super) fn history(name: &str, branches: &str, releases: &[&str]) -> ReleaseHistory {
    let release = |(age, text): (i64, &&str)| {
        let (version, terms) = text.split_once(' ').unwrap_or((text, ""));
        Release {
            version: version.to_owned(),
            status: ReleaseStatus::Published,
            date: Some(1_770_000_000 - age * 86_400),
            link: format!("https://www.drupal.org/project/{name}/releases/{version}"),
            insecure: terms.contains("insecure"),
            unsupported: terms.contains("unsupported"),
            security_update: terms.contains("security"),
            covered: Some(true),
            core_compatibility: Some("^10 || ^11".to_owned()),
        }
    };
    ReleaseHistory {
        project: project(name),
        feed: Feed::Current,
        title: Some(format!("The {name} project")),
        project_type: Some("project_module".to_owned()),
        status: ProjectStatus::Published,
        link: Some(format!("https://www.drupal.org/project/{name}")),
        support: Support { branches: Some(branches.to_owned()), ..Support::default() },
        releases: (0..).zip(releases).map(release).collect(),
        malformed: 0,
    }
}

/// `a`, whose 1.0.0 is insecure since 1.0.1 came out.
pub(super) fn insecure(name: &str) -> ReleaseHistory {
    history(name, "1.0.", &["1.0.1 security", "1.0.0 insecure"])
}

/// The same before anybody knew.
pub(super) fn secure(name: &str) -> ReleaseHistory {
    history(name, "1.0.", &["1.0.0"])
}

pub(super) fn fetched_at(at: OffsetDateTime) -> Fetched {
    Fetched { at, next_check_at: at + Duration::DAY, validators: Validators::default() }
}

/// What an import does before any site is recounted.
pub(super) async fn store(storage: &Arc<dyn Storage>, history: ReleaseHistory, at: OffsetDateTime) -> StoredHistory {
    storage.store_history(Arc::new(history), fetched_at(at)).await.expect("a storage that works")
}

/// The rest of it, a few sites at a time. Says how many sites were recounted.
pub(super) async fn recount(storage: &Arc<dyn Storage>, at: OffsetDateTime) -> usize {
    let mut recounted = 0;
    loop {
        match storage.count_step(at, 3).await.expect("a storage that works") {
            0 if storage.identify_step(at).await.expect("a storage that works") => recounted += 1,
            0 => return recounted,
            sites => recounted += sites,
        }
    }
}

pub(super) async fn import(storage: &Arc<dyn Storage>, history: ReleaseHistory, at: OffsetDateTime) -> StoredHistory {
    let stored = store(storage, history, at).await;
    recount(storage, at).await;
    stored
}

/// `updates found, projects, unknown`. The unknown ones include the core of a site that reports no core module, unless
/// `drupal` was imported.
pub(super) fn figures(counts: SecurityCounts) -> (i32, i32, i32) {
    (counts.updates_found, counts.projects, counts.unknown)
}

/// The figures of an outcome, which must also be those of the site's row and of the audit log.
pub(super) async fn told(site: &Reporter, outcome: &SyncOutcome) -> (i32, i32, i32) {
    assert_eq!(outcome.security, site.site().await.security, "the site's row");
    let audited = site.storage.find_sync(outcome.sync_id).await.unwrap().unwrap();
    assert_eq!(outcome.security, audited.outcome.security, "the audit log");
    figures(outcome.security)
}

/// A core module.
pub(super) fn core(name: &str, version: &str) -> ReportedModule {
    ReportedModule { module_type: ModuleType::Core, project: Some(ProjectName::drupal()), ..module(name, version) }
}

/// A module of another project than its name says.
pub(super) fn submodule(name: &str, version: &str, of: &str) -> ReportedModule {
    ReportedModule { project: Some(project(of)), ..module(name, version) }
}

pub(super) async fn status(site: &Reporter, name: &str) -> Option<UpdateStatus> {
    site.module(name).await.update_status()
}

/// The sites whose figures are not those of their rows.
pub(super) async fn differences(storage: &Arc<dyn Storage>) -> Vec<RecountDifference> {
    let mut after: Option<SiteId> = None;
    let mut differences = Vec::new();
    loop {
        let page = storage.recount_check(Page { limit: 7, after }).await.expect("a storage that works");
        differences.extend(page.differences);
        if page.next.is_none() {
            return differences;
        }
        after = page.next;
    }
}

pub(super) async fn updates(storage: &Arc<dyn Storage>, filter: SecurityFilter) -> Vec<SecurityUpdate> {
    storage.security_updates(filter, Page { limit: 1_000, after: None }).await.expect("a storage that works").items
}

/// What is listed for a site: `project version modules`.
pub(super) async fn listed(site: &Reporter) -> Vec<String> {
    let filter = SecurityFilter { site_id: Some(site.id), ..SecurityFilter::default() };
    let row = |update: SecurityUpdate| {
        let modules: Vec<_> = update.modules.iter().map(ToString::to_string).collect();
        let accepted = if update.accepted.is_some() { " accepted" } else { "" };
        let place = update.place();
        let (project, _) = place.split_once(' ').expect("a project and a class");
        format!("{project} {} {}{accepted}", update.version.as_deref().unwrap_or("-"), modules.join(","))
    };
    updates(&site.storage, filter).await.into_iter().map(row).collect()
}

/// A risk of a project to accept, on all sites and for all versions.
pub(super) fn risk(name: &str, at: OffsetDateTime, until: OffsetDateTime) -> NewAcceptance {
    NewAcceptance {
        class: CoverageClass::Insecure,
        id: uuid_at(at),
        project: project(name),
        versions: VersionRange::default(),
        site_id: None,
        until,
        reason: "nobody can reach it".to_owned(),
        created_at: at,
    }
}

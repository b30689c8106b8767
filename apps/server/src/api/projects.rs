//! What drupal.org says of projects, and which sites have them.

use module_monitor_domain::{BranchSide, Feed, Release, Support, UpdateStatus};
use module_monitor_storage::{BranchCounts, ProjectFeed, ProjectSite, SiteWithout};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::csv::CsvRow;
use super::list::{BranchCountsView, List};
use super::words;

/// A project that will be asked for.
#[derive(Serialize, ToSchema)]
pub(crate) struct Scheduled {
    #[schema(schema_with = words::project)]
    pub(crate) project: String,
    #[schema(schema_with = words::scheduled)]
    pub(crate) status: &'static str,
}

/// A feed of a project: what it says, how old that is, and the releases.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReleaseData {
    #[schema(schema_with = words::project)]
    pub(crate) project: String,
    #[schema(schema_with = words::feed)]
    pub(crate) feed: Feed,
    /// All of the project's feeds that are known.
    #[schema(schema_with = words::feeds)]
    pub(crate) feeds: Vec<Feed>,
    pub(crate) title: Option<String>,
    pub(crate) r#type: Option<String>,
    pub(crate) status: &'static str,
    pub(crate) link: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) fetched_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) checked_at: Option<OffsetDateTime>,
    pub(crate) stale: bool,
    pub(crate) last_error: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) last_error_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) no_history_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) next_check_at: OffsetDateTime,
    pub(crate) supported_branches: Vec<String>,
    pub(crate) supported_majors: Vec<String>,
    pub(crate) items: Vec<ReleaseView>,
    pub(crate) next_cursor: Option<String>,
}

/// A release, as the feed has it.
#[derive(Serialize, ToSchema)]
#[schema(as = Release)]
pub(crate) struct ReleaseView {
    pub(crate) version: String,
    pub(crate) status: &'static str,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) released_at: Option<OffsetDateTime>,
    pub(crate) release_link: String,
    pub(crate) security_update: bool,
    pub(crate) insecure: bool,
    pub(crate) unsupported: bool,
    pub(crate) covered: Option<bool>,
    pub(crate) core_compatibility: Option<String>,
}

impl From<Release> for ReleaseView {
    fn from(release: Release) -> Self {
        let released_at = release.released_at();
        Self {
            version: release.version,
            status: release.status.as_str(),
            released_at,
            release_link: release.link,
            security_update: release.security_update,
            insecure: release.insecure,
            unsupported: release.unsupported,
            covered: release.covered,
            core_compatibility: release.core_compatibility,
        }
    }
}

impl ReleaseData {
    /// What is known of the feed `shown`, one of `feeds`, with those of its `releases`.
    pub(crate) fn new(shown: ProjectFeed, feeds: Vec<Feed>, releases: List<ReleaseView>) -> Self {
        let Support { branches, majors, .. } = &shown.support;
        Self {
            project: shown.project.to_string(),
            feed: shown.feed,
            feeds,
            supported_branches: listed(branches.as_deref()),
            supported_majors: listed(majors.as_deref()),
            status: shown.status.as_str(),
            stale: shown.is_stale(),
            title: shown.title,
            r#type: shown.project_type,
            link: shown.link,
            fetched_at: shown.fetched_at,
            checked_at: shown.checked_at,
            last_error: shown.last_error,
            last_error_at: shown.last_error_at,
            no_history_at: shown.no_history_at,
            next_check_at: shown.next_check_at,
            items: releases.items,
            next_cursor: releases.next_cursor,
        }
    }
}

/// The parts of a feed's list.
fn listed(text: Option<&str>) -> Vec<String> {
    let parts = text.unwrap_or_default().split(',').map(str::trim);
    parts.filter(|part| !part.is_empty()).map(ToOwned::to_owned).collect()
}

/// A site that has modules of a project, or, with `without=true`, that does not.
#[derive(Serialize, ToSchema)]
pub(crate) struct SiteOfProject {
    pub(crate) site_id: i64,
    pub(crate) site_name: String,
    pub(crate) version: Option<String>,
    #[schema(schema_with = words::branch_or_null)]
    pub(crate) branch: Option<BranchSide>,
    #[schema(schema_with = words::update_status_or_null)]
    pub(crate) update_status: Option<UpdateStatus>,
    pub(crate) modules: Vec<String>,
}

impl From<ProjectSite> for SiteOfProject {
    fn from(site: ProjectSite) -> Self {
        Self {
            site_id: site.site_id.0,
            site_name: site.site_name,
            version: site.version,
            branch: site.branch,
            update_status: Some(site.status),
            modules: site.modules.iter().map(ToString::to_string).collect(),
        }
    }
}

impl From<SiteWithout> for SiteOfProject {
    fn from(site: SiteWithout) -> Self {
        let (site_id, site_name) = (site.site_id.0, site.site_name);
        Self { site_id, site_name, version: None, branch: None, update_status: None, modules: Vec::new() }
    }
}

impl CsvRow for SiteOfProject {
    const COLUMNS: &'static [&'static str] = &["site_id", "site_name", "version", "branch", "update_status", "modules"];

    fn cells(self) -> Vec<String> {
        vec![
            self.site_id.to_string(),
            self.site_name,
            self.version.unwrap_or_default(),
            self.branch.map(BranchSide::as_str).unwrap_or_default().to_owned(),
            self.update_status.map(UpdateStatus::as_str).unwrap_or_default().to_owned(),
            self.modules.join(" "),
        ]
    }
}

/// A part of the list of sites that have a project.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProjectSiteList {
    pub(crate) items: Vec<SiteOfProject>,
    /// The `cursor` for the next part; `null` where this is the last.
    pub(crate) next_cursor: Option<String>,
    pub(crate) counts: Option<BranchCountsView>,
}

impl ProjectSiteList {
    /// A part of the list; `counts` are of the whole of it.
    pub(crate) fn new(list: List<SiteOfProject>, counts: Option<BranchCounts>) -> Self {
        Self { items: list.items, next_cursor: list.next_cursor, counts: counts.map(BranchCountsView::from) }
    }
}

//! A site that reports every hour, somebody who wants to be told, and short ways to ask what is stored.

use std::sync::Arc;

use module_monitor_domain::{
    EventKind, MachineName, ModuleDetails, ModuleType, RejectedItem, Rejection, Report, ReportedModule, Scope, Site,
    SiteDetails, SiteId, SiteIdentity, SiteInfo, SiteModule, SiteModuleState, SiteUrl, SyncOutcome, Tag, Tags,
    VersionBound, VersionRange, WebhookEvent, branch_start,
};
use module_monitor_storage::{
    Bounds, Cutoff, InventoryFilter, KeptRows, NewWebhook, OutboxEvent, Page, Pruned, RowBounds, SiteChange, Storage,
    SyncCommand, SyncResult,
};
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::reports::{command, module, register, report, report_of};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

/// A site and its clock. A report is made five seconds before it is received.
pub(crate) struct Reporter {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) id: SiteId,
    /// When its last report was received.
    pub(crate) at: OffsetDateTime,
}

impl Reporter {
    pub(crate) async fn new(storage: &Arc<dyn Storage>, name: &str) -> Self {
        let id = register(&**storage, name).await;
        Self { storage: Arc::clone(storage), id, at: datetime!(2026-03-01 12:00:00.123456 UTC) }
    }

    /// The next hour's sync of the report that `make` makes at a given time.
    pub(crate) fn next(&mut self, make: impl FnOnce(OffsetDateTime) -> Report) -> Arc<SyncCommand> {
        self.at += Duration::HOUR;
        command(self.id, self.at, make(self.at - Duration::seconds(5)))
    }

    pub(crate) async fn result(&mut self, make: impl FnOnce(OffsetDateTime) -> Report) -> SyncResult {
        let sync = self.next(make);
        self.storage.apply_sync(sync).await.expect("a storage that works")
    }

    pub(crate) async fn send(&mut self, make: impl FnOnce(OffsetDateTime) -> Report) -> SyncOutcome {
        match self.result(make).await {
            SyncResult::Applied(outcome) => outcome,
            other => panic!("not applied: {other:?}"),
        }
    }

    pub(crate) async fn full(&mut self, modules: Vec<ReportedModule>) -> SyncOutcome {
        self.send(|at| report(Scope::Full, at, modules)).await
    }

    pub(crate) async fn partial(&mut self, modules: Vec<ReportedModule>) -> SyncOutcome {
        self.send(|at| report(Scope::Partial, at, modules)).await
    }

    /// A lenient full report that leaves out items of these names.
    pub(crate) async fn lenient(&mut self, modules: Vec<ReportedModule>, rejected: &[Option<&str>]) -> SyncOutcome {
        let items = rejected.iter().map(|name| self::rejected(*name)).collect();
        self.send(|at| report(Scope::Full, at, modules).with_rejected(items)).await
    }

    pub(crate) async fn as_identity(&mut self, environment: &str, modules: Vec<ReportedModule>) -> SyncResult {
        let identity = SiteIdentity { environment: Some(environment.to_owned()), url: None };
        let info = SiteInfo { json: format!(r#"{{"environment":"{environment}"}}"#), identity };
        self.result(|at| report_of(Scope::Full, at, "10.3.6", info, modules)).await
    }

    pub(crate) async fn on_core(&mut self, drupal: &str, modules: Vec<ReportedModule>) -> SyncOutcome {
        let info = SiteInfo { json: "{}".to_owned(), ..SiteInfo::default() };
        self.send(|at| report_of(Scope::Full, at, drupal, info, modules)).await
    }

    pub(crate) async fn site(&self) -> Site {
        self.storage.find_site(self.id).await.expect("a storage that works").expect("the site")
    }

    pub(crate) async fn list(&self, filter: InventoryFilter) -> Vec<SiteModule> {
        let all = Page { limit: 10_000, after: None };
        self.storage.site_modules(self.id, filter, all).await.expect("a storage that works").items
    }

    /// The present modules as `name version`, in the order they are listed.
    pub(crate) async fn present(&self) -> Vec<String> {
        self.list(InventoryFilter::default()).await.iter().map(name_and_version).collect()
    }

    pub(crate) async fn removed(&self) -> Vec<String> {
        self.list(InventoryFilter { removed: true, ..InventoryFilter::default() })
            .await
            .iter()
            .map(name_and_version)
            .collect()
    }

    pub(crate) async fn module(&self, name: &str) -> SiteModule {
        let found = self.storage.site_module(self.id, &machine_name(name)).await;
        found.expect("a storage that works").expect("the module")
    }

    /// What happened to a module, oldest first.
    pub(crate) async fn history(&self, name: &str) -> Vec<(EventKind, Option<String>, Option<String>)> {
        let all = Page { limit: 1_000, after: None };
        let events = self.storage.module_history(self.id, &machine_name(name), all).await;
        let history = events.expect("a storage that works");
        let events = history.map(|history| history.events.items).unwrap_or_default();
        events.into_iter().rev().map(|e| (e.kind, e.from_version, e.to_version)).collect()
    }

    /// Whether the site's row has a fingerprint.
    pub(crate) async fn has_fingerprint(&self, raw: &mut RawConnection) -> bool {
        let id = self.id;
        raw.number(&format!("SELECT count(*) FROM sites WHERE id = {id} AND fingerprint IS NOT NULL")).await == 1
    }

    /// Files the site under `tags`, and no longer under others.
    pub(crate) async fn file_under(&self, tags: &[&str]) {
        let tags = Tags::new(tags.iter().map(|text| tag(text)).collect()).ok();
        let change = SiteChange { tags, ..SiteChange::default() };
        assert!(self.storage.change_site(self.id, change, self.at, "ann", "{}").await.expect("a storage that works"));
    }

    /// Changes the site's row behind the storage's back: `active = false`.
    pub(crate) async fn set(&self, raw: &mut RawConnection, assignment: &str) {
        let id = self.id;
        raw.execute(&format!("UPDATE sites SET {assignment} WHERE id = {id}")).await;
    }
}

fn name_and_version(module: &SiteModule) -> String {
    let version = module.state.version.as_ref().map_or("-", |v| v.as_str());
    format!("{} {version}", module.machine_name)
}

pub(crate) fn machine_name(name: &str) -> MachineName {
    MachineName::parse(name).expect("a machine name")
}

pub(crate) fn rejection(name: Option<&str>) -> Rejection {
    Rejection {
        pointer: "/modules/0/version".to_owned(),
        machine_name: name.map(str::to_owned),
        code: "malformed".to_owned(),
        detail: "not a version".to_owned(),
    }
}

/// An item that was rejected; whether it is enabled could not be read.
pub(crate) fn rejected(name: Option<&str>) -> RejectedItem {
    let problems = vec![rejection(name)];
    RejectedItem { machine_name: name.map(str::to_owned), problems, ..RejectedItem::default() }
}

/// `new, updated, removed`
pub(crate) fn changes(outcome: &SyncOutcome) -> (usize, usize, usize) {
    (outcome.counts.new, outcome.counts.updated, outcome.counts.removed)
}

pub(crate) fn custom(name: &str, version: &str) -> ReportedModule {
    ReportedModule { module_type: ModuleType::Custom, project: None, ..module(name, version) }
}

pub(crate) fn without_version(name: &str) -> ReportedModule {
    ReportedModule { version: None, ..module(name, "1.0.0") }
}

pub(crate) fn disabled(module: ReportedModule) -> ReportedModule {
    ReportedModule { enabled: false, ..module }
}

pub(crate) fn details(name: &str) -> ModuleDetails {
    ModuleDetails {
        name: name.to_owned(),
        package: Some(format!("Package of {name}")),
        core_compatibility: vec!["^10".to_owned(), "^11".to_owned()],
        dependencies: vec!["drupal:node".to_owned()],
        description: Some(format!("Description of {name}")),
        project_link: Some(format!("https://www.drupal.org/project/{}", name.len())),
    }
}

/// What a list has of a module.
pub(crate) fn as_listed(module: SiteModule) -> SiteModule {
    let details = ModuleDetails { name: module.details.name, ..ModuleDetails::default() };
    let state = SiteModuleState { own_details: None, site_details: SiteDetails::default(), ..module.state };
    SiteModule { details, state, ..module }
}

/// The module with other details.
pub(crate) fn described(module: ReportedModule, name: &str) -> ReportedModule {
    ReportedModule { details: details(name), ..module }
}

pub(crate) fn tag(text: &str) -> Tag {
    Tag::parse(text).expect("a tag")
}

/// Registers a webhook for `kinds`, of sites with that tag or of all, and gives its id.
pub(crate) async fn subscribe(storage: &dyn Storage, kinds: &[WebhookEvent], only: Option<&str>) -> i64 {
    let webhook = NewWebhook {
        url: SiteUrl::parse("https://hooks.example/in").expect("an address"),
        kinds: kinds.iter().copied().collect(),
        tag: only.map(tag),
        created_at: datetime!(2026-03-01 11:00 UTC),
    };
    storage.create_webhook(webhook, "ann").await.expect("a storage that works").id
}

/// The events that wait, oldest first.
pub(crate) async fn waiting(storage: &dyn Storage) -> Vec<OutboxEvent> {
    storage.waiting_events(Page { limit: 1_000, after: None }).await.expect("a storage that works").items
}

/// The kinds of the events that wait for `site`, oldest first.
pub(crate) async fn kinds_waiting(site: &Reporter) -> Vec<WebhookEvent> {
    let events = waiting(&*site.storage).await;
    events.into_iter().filter(|event| event.site_id == Some(site.id)).map(|event| event.kind).collect()
}

/// The versions below one, of which those of `branch` and later ones are of the same branch.
pub(crate) fn below(bound: &str, branch: &str) -> Bounds {
    let versions = VersionRange::below(None, VersionBound::parse(bound).unwrap()).unwrap();
    Bounds { versions, branch_start: Some(branch_start(branch)), same_branch: false }
}

/// What is kept at `now`: everything of `from` and later, and what one site has within the usual bounds.
pub(crate) fn keep_from(now: OffsetDateTime, from: OffsetDateTime) -> Cutoff {
    Cutoff { now, audit: from, history: from, idempotency_keys: from, of_a_site: RowBounds::default() }
}

/// Removes all of a kind that is not kept, as a server does it, and says how many rows each step removed.
pub(crate) async fn prune(storage: &dyn Storage, kind: KeptRows, cutoff: Cutoff, batch: usize) -> Vec<usize> {
    let (mut steps, mut next) = (Vec::new(), Some(0));
    while let Some(after) = next {
        let pruned: Pruned = storage.prune(kind, cutoff, after, batch).await.expect("a storage that works");
        steps.push(pruned.removed);
        next = pruned.next;
    }
    steps
}

/// Removes everything that is not kept, and says how many rows of which kinds.
pub(crate) async fn prune_all(storage: &dyn Storage, cutoff: Cutoff) -> Vec<(&'static str, usize)> {
    let mut removed = Vec::new();
    for kind in KeptRows::ALL {
        let rows = prune(storage, kind, cutoff, 100).await.iter().sum();
        removed.push((kind.as_str(), rows));
    }
    removed.retain(|(_, rows)| *rows > 0);
    removed
}

//! Reports to send, as domain values.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use module_monitor_domain::{
    CoreVersion, DrupalVersion, Extension, MachineName, ModuleDetails, ModuleType, PhpVersion, Report, ReportedModule,
    Scope, SiteDetails, SiteId, SiteInfo, SiteName, SyncId, SyncOutcome, next_sync_after, owning_project,
};
use module_monitor_ingestion::{Clock, SystemClock};
use module_monitor_storage::{NewSite, SiteChange, Storage, SyncCommand, SyncOrigin, SyncResult, Via};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// A contrib module with that name and version, enabled.
pub fn module(name: &str, version: &str) -> ReportedModule {
    let machine_name = MachineName::parse(name).expect("a machine name");
    ReportedModule {
        project: owning_project(ModuleType::Contrib, &machine_name, None, None),
        machine_name,
        module_type: ModuleType::Contrib,
        extension: Extension::Module,
        version: Some(DrupalVersion::parse(version).expect("a version")),
        enabled: true,
        datestamp: None,
        schema_version: None,
        security_coverage: true,
        details: ModuleDetails { name: format!("The {name} module"), ..ModuleDetails::default() },
        site_details: SiteDetails::default(),
    }
}

/// `count` contrib modules named `{prefix}_{n}`, all in that version.
pub fn modules(prefix: &str, count: usize, version: &str) -> Vec<ReportedModule> {
    (0..count).map(|n| module(&format!("{prefix}_{n:04}"), version)).collect()
}

/// A report of `modules` made at `at`, on Drupal 10.3.6 and PHP 8.3.0.
pub fn report(scope: Scope, at: OffsetDateTime, modules: Vec<ReportedModule>) -> Report {
    let info = SiteInfo { json: "{}".to_owned(), ..SiteInfo::default() };
    report_of(scope, at, "10.3.6", info, modules)
}

/// A report with everything chosen but the PHP version.
pub fn report_of(
    scope: Scope,
    at: OffsetDateTime,
    drupal_version: &str,
    info: SiteInfo,
    modules: Vec<ReportedModule>,
) -> Report {
    let drupal = CoreVersion::parse(drupal_version).expect("a core version");
    Report::new(scope, at, drupal, PhpVersion::parse("8.3.0").expect("a PHP version"), info, modules)
}

/// The machine's time, cut to microseconds.
pub fn now() -> OffsetDateTime {
    SystemClock.now()
}

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub struct ManualClock(Arc<Mutex<OffsetDateTime>>);

impl ManualClock {
    /// A clock that stands at `at`.
    pub fn at(at: OffsetDateTime) -> Self {
        Self(Arc::new(Mutex::new(at)))
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().expect("the clock") += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().expect("the clock")
    }

    fn instant(&self) -> Instant {
        SystemClock.instant()
    }
}

/// The id of no site.
pub const NOBODY: SiteId = SiteId(987_654_321);

/// A site to register, of which nothing but the name is known.
pub fn new_site(name: &str, created_at: OffsetDateTime) -> NewSite {
    NewSite { name: SiteName::parse(name).expect("a name"), created_at, settings: SiteChange::default() }
}

/// Registers a site without a key.
pub async fn register(storage: &dyn Storage, name: &str) -> SiteId {
    storage.create_site(new_site(name, now()), None, "test").await.expect("a new site").id
}

/// An id as that of a sync received at that time.
fn sync_uuid(received_at: OffsetDateTime) -> Uuid {
    let millis = u64::try_from(received_at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
    let mut random = [0; 10];
    random.copy_from_slice(&Uuid::new_v4().as_bytes()[..10]);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// A sync of `report`, received at `received_at`.
pub fn command(site_id: SiteId, received_at: OffsetDateTime, report: Report) -> Arc<SyncCommand> {
    Arc::new(SyncCommand {
        sync_id: SyncId(sync_uuid(received_at)),
        site_id,
        origin: SyncOrigin::default(),
        idempotency: None,
        report,
        received_at,
        received: SystemClock.instant(),
        next_sync_after: next_sync_after(site_id, received_at),
        via: Via::Direct,
    })
}

/// Applies a report that must be accepted.
pub async fn apply(storage: &dyn Storage, site: SiteId, at: OffsetDateTime, report: Report) -> SyncOutcome {
    match storage.apply_sync(command(site, at, report)).await.expect("a storage that works") {
        SyncResult::Applied(outcome) => outcome,
        other => panic!("not applied: {other:?}"),
    }
}

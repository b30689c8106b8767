//! Lists of large rows: a part of them is bounded in bytes, too, and nothing is lost between parts.

use std::collections::BTreeSet;
use std::sync::Arc;

use module_monitor_domain::{CoverageClass, ModuleDetails, ModuleType, ReportedModule, WebhookEvent};
use module_monitor_storage::{
    InventoryFilter, ModuleFilter, PAGE_BYTES, Page, Part, Rejections, SecurityFilter, SecurityUpdate, SiteBounds,
    SiteFilter, Storage, StorageError, StorageOptions, SyncRecord,
};
use module_monitor_tests::backends::{TestDatabase, patient};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::reports::{module, modules, register};
use time::Duration;
use uuid::Uuid;

use crate::support::{Reporter, custom, machine_name, subscribe};

on_both_backends!(
    versions_with_long_details,
    modules_with_long_descriptions,
    modules_of_a_site_with_many_security_releases,
    updates_of_projects_with_many_security_releases,
    sites_with_facts,
    syncs_with_warnings_between_refusals,
    events_of_a_site,
    what_administrators_did,
    events_that_wait,
);

/// Where sites may bring into the registry as much as they like.
async fn open(database: &TestDatabase) -> Arc<dyn Storage> {
    let site_bounds = SiteBounds { details_bytes: 1 << 30, ..SiteBounds::default() };
    database.open_with(StorageOptions { site_bounds, ..patient(4) }).await
}

const LIMIT: usize = 100;
/// Of one row that is larger than a part.
const HUGE: usize = 1_500_000;

/// Everything of a list, read part by part with [`LIMIT`]. No part has more text than it may, nor ends for nothing.
async fn read_all<T, C>(
    read: impl AsyncFn(Page<C>) -> Result<Part<T>, StorageError>,
    position: impl Fn(&T) -> C,
    bytes: impl Fn(&T) -> usize,
) -> Vec<T> {
    let most = usize::try_from(PAGE_BYTES).unwrap();
    let mut all = Vec::new();
    let mut short = 0;
    loop {
        let after = all.last().map(&position);
        let part = read(Page { limit: LIMIT, after }).await.expect("a storage that works");
        let sizes: Vec<usize> = part.iter().map(&bytes).collect();
        if let Some((_, before)) = sizes.split_last() {
            assert!(before.iter().sum::<usize>() < most, "too much in one part: {sizes:?}");
        }
        if part.more {
            assert!(sizes.iter().sum::<usize>() * 10 > most * 9 || sizes.len() == LIMIT, "ends early: {sizes:?}");
            short += usize::from(sizes.len() < LIMIT);
        }
        let is_last = !part.more;
        assert!(is_last || !part.is_empty(), "no part is empty");
        all.extend(part);
        if is_last {
            assert!(short >= 2, "the list of the story is long enough for {short} short parts only");
            return all;
        }
    }
}

/// Text of so many bytes, within JSON.
fn text(bytes: usize) -> String {
    "x".repeat(bytes)
}

/// Sets a column of some rows, the `n`th of them to a text of so many bytes.
async fn fill(raw: &mut RawConnection, table: &str, column: &str, ids: &[String], json: (&str, &str)) {
    for (n, id) in ids.iter().enumerate() {
        let size = if n == 7 { HUGE } else { 90_000 };
        let value = format!("{}{}{}", json.0, text(size), json.1);
        raw.execute(&format!("UPDATE {table} SET {column} = '{value}' WHERE id = {id}")).await;
    }
}

async fn versions_with_long_details(database: TestDatabase) {
    let storage = open(&database).await;
    let mut site = Reporter::new(&storage, "Versions").await;
    for minor in 0..30 {
        let dependencies = (0..500).map(|n| format!("{n}{}", "\u{1F600}".repeat(150))).collect();
        let details = ModuleDetails { name: "Large".to_owned(), dependencies, ..ModuleDetails::default() };
        site.full(vec![ReportedModule { details, ..module("large", &format!("1.{minor}.0")) }]).await;
    }
    let name = machine_name("large");
    let read = async |page| storage.module_versions(&name, page).await;
    let bytes = |version: &module_monitor_domain::ModuleVersion| serde_json::to_string(&version.details).unwrap().len();
    let all = read_all(read, |version| version.version.clone(), bytes).await;
    let versions: Vec<String> = all.iter().map(|version| version.version.to_string()).collect();
    assert_eq!(versions, (0..30).map(|minor| format!("1.{minor}.0")).collect::<Vec<_>>());
    assert!(all.iter().all(|version| version.details.as_ref().is_some_and(|all| all.dependencies.len() == 500)));
}

async fn modules_with_long_descriptions(database: TestDatabase) {
    let storage = open(&database).await;
    let mut site = Reporter::new(&storage, "Descriptions").await;
    let described = |module: ReportedModule| {
        let description = Some("\u{1F600}".repeat(10_000));
        ReportedModule { details: ModuleDetails { description, ..module.details.clone() }, ..module }
    };
    site.full(modules("m", 120, "1.0.0").into_iter().map(described).collect()).await;
    let read = async |page| storage.list_modules(ModuleFilter::default(), page).await;
    let all = read_all(read, |m| m.machine_name.clone(), |m| m.description.as_ref().map_or(0, String::len)).await;
    let names: Vec<String> = all.iter().map(|module| module.machine_name.to_string()).collect();
    assert_eq!(names, (0..120).map(|n| format!("m_{n:04}")).collect::<Vec<_>>());
    assert!(all.iter().all(|module| module.description.as_ref().is_some_and(|text| text.len() == 40_000)));
}

async fn modules_of_a_site_with_many_security_releases(database: TestDatabase) {
    let storage = open(&database).await;
    let mut site = Reporter::new(&storage, "Insecure").await;
    let mut reported = modules("m", 40, "1.0.0");
    reported.extend((0..10).map(|n| custom(&format!("own_{n}"), "1.0.0")));
    site.full(reported).await;
    let mut raw = database.raw().await;
    let release = format!(r#"[{{"version":"1.0.1","released_at":null,"release_link":"{}"}}]"#, text(100_000));
    raw.execute(&format!("UPDATE assessments SET security_updates = '{release}'")).await;
    let read = async |page| storage.site_modules(site.id, InventoryFilter::default(), page).await;
    let bytes = |module: &module_monitor_domain::SiteModule| {
        let releases = module.judgement.as_ref().map(|judgement| &judgement.security_updates);
        releases.map_or(0, |releases| serde_json::to_string(releases).unwrap().len())
    };
    let all = read_all(read, |module| module.machine_name.clone(), bytes).await;
    assert_eq!(all.len(), 50);
    assert!(all.is_sorted_by(|a, b| a.machine_name < b.machine_name));
    let contrib = all.iter().filter(|module| module.state.module_type == ModuleType::Contrib);
    assert!(contrib.clone().all(|module| bytes(module) > 100_000) && contrib.count() == 40);
}

async fn updates_of_projects_with_many_security_releases(database: TestDatabase) {
    let storage = open(&database).await;
    let mut site = Reporter::new(&storage, "Insecure").await;
    let mut reported = modules("m", 40, "1.0.0");
    let of_project =
        |n: usize| ReportedModule { project: reported[n].project.clone(), ..module(&format!("sub_{n}"), "1.0.0") };
    let second: Vec<ReportedModule> = (0..10).map(of_project).collect();
    reported.extend(second);
    site.full(reported).await;
    let mut raw = database.raw().await;
    let release = format!(r#"[{{"version":"1.0.1","released_at":null,"release_link":"{}"}}]"#, text(100_000));
    raw.execute(&format!("UPDATE assessments SET security_updates = '{release}'")).await;
    let all = updates(&*storage, None).await;
    assert!(all.iter().all(|update| update.class == CoverageClass::Unknown));

    raw.execute("UPDATE assessments SET class = 'insecure', needs_update = (1 = 1)").await;
    raw.execute(
        "INSERT INTO security_findings (site_id, project, insecure_since) \
         SELECT s.id, a.project, s.created_at FROM sites s CROSS JOIN assessments a",
    )
    .await;
    let insecure = updates(&*storage, Some(CoverageClass::Insecure)).await;
    assert!(insecure.iter().all(|update| update.insecure_since.is_some()));
    let places = |list: &[SecurityUpdate]| list.iter().map(|update| update.project.clone()).collect::<Vec<_>>();
    assert_eq!(places(&all), places(&insecure));
}

/// What is to be done in a class, on the one site: of 40 projects, ten of which have two modules, and of its core.
async fn updates(storage: &dyn Storage, class: Option<CoverageClass>) -> Vec<SecurityUpdate> {
    let filter = SecurityFilter { class, ..SecurityFilter::default() };
    let read = async |page| storage.security_updates(filter.clone(), page).await;
    let position = |update: &SecurityUpdate| (update.site_id, update.place());
    let bytes = |update: &SecurityUpdate| serde_json::to_string(&update.security_updates).unwrap().len();
    let all = read_all(read, position, bytes).await;
    assert!(all.is_sorted_by(|a, b| a.place() < b.place()));
    let modules: usize = all.iter().map(|update| update.modules.len()).sum();
    assert_eq!((all.len(), modules), (41, 50));
    assert!(all.iter().all(|update| bytes(update) > 100_000));
    all
}

async fn sites_with_facts(database: TestDatabase) {
    let storage = open(&database).await;
    let mut ids = Vec::new();
    for n in 0..130 {
        ids.push(register(&*storage, &format!("Site {n}")).await);
    }
    let mut raw = database.raw().await;
    let large: Vec<String> = ids.iter().step_by(4).map(ToString::to_string).collect();
    fill(&mut raw, "sites", "facts", &large, (r#"{"web_server":""#, r#""}"#)).await;
    let read = async |page| storage.list_sites(SiteFilter::default(), page).await;
    let all = read_all(read, |site| site.id, |site| site.facts.as_ref().map_or(0, String::len)).await;
    assert_eq!(all.iter().map(|site| site.id).collect::<Vec<_>>(), ids);
    assert_eq!(all.iter().filter(|site| site.facts.is_some()).count(), 33);
}

async fn syncs_with_warnings_between_refusals(database: TestDatabase) {
    let storage = open(&database).await;
    let mut site = Reporter::new(&storage, "Syncs").await;
    let (mut applied, mut refused) = (Vec::new(), Vec::new());
    for n in 0..40 {
        let sync = site.partial(modules("m", 1 + n % 3, "1.0.0")).await;
        let first_at = site.at + Duration::MINUTE;
        // Between the two syncs, as the ids go.
        let id = Uuid::from_u128(sync.sync_id.0.as_u128() + 1);
        refused.push(Rejections {
            id,
            site_id: site.id,
            key_id: "key".to_owned(),
            reason: "stale-sync".to_owned(),
            count: 1,
            first_at,
            last_at: first_at,
            client_address: None,
            body_bytes: None,
        });
        applied.push(sync.sync_id.0);
    }
    let expected: BTreeSet<Uuid> = applied.iter().copied().chain(refused.iter().map(|refused| refused.id)).collect();
    storage.record_rejections(refused).await.unwrap();
    let mut raw = database.raw().await;
    let ids: Vec<String> = applied.iter().map(|id| raw.id(*id)).collect();
    fill(&mut raw, "syncs", "warnings", &ids, (r#"[""#, r#""]"#)).await;
    let read = async |page| storage.site_syncs(site.id, page).await;
    let bytes = |record: &SyncRecord| match record {
        SyncRecord::Applied(sync) => sync.outcome.warnings.iter().map(String::len).sum(),
        _ => 0,
    };
    let all = read_all(read, SyncRecord::id, bytes).await;
    let ids: Vec<Uuid> = all.iter().map(SyncRecord::id).collect();
    assert_eq!(ids, expected.into_iter().rev().collect::<Vec<_>>());
}

async fn events_of_a_site(database: TestDatabase) {
    let storage = open(&database).await;
    let mut site = Reporter::new(&storage, "Events").await;
    for n in 0..40 {
        site.as_identity(&format!("environment {n}"), modules("m", 1, "1.0.0")).await;
    }
    let mut raw = database.raw().await;
    let count = usize::try_from(raw.number("SELECT count(*) FROM site_events").await).unwrap();
    assert!(count > 30);
    let first = raw.number("SELECT min(id) FROM site_events").await;
    let ids: Vec<String> = (first..).take(count).map(|id| id.to_string()).collect();
    fill(&mut raw, "site_events", "detail", &ids, (r#"{"x":""#, r#""}"#)).await;
    let read = async |page| storage.site_events(site.id, page).await;
    let all = read_all(read, |event| event.id, |event| event.detail.to_string().len()).await;
    assert_eq!(all.len(), count);
    assert!(all.is_sorted_by(|a, b| a.id > b.id));
}

async fn what_administrators_did(database: TestDatabase) {
    let storage = open(&database).await;
    for n in 0..40 {
        register(&*storage, &format!("Site {n}")).await;
    }
    let mut raw = database.raw().await;
    let count = raw.number("SELECT count(*) FROM admin_events").await;
    let ids: Vec<String> = (1..=count).map(|id| id.to_string()).collect();
    fill(&mut raw, "admin_events", "detail", &ids, ("", "")).await;
    let read = async |page| storage.admin_events(page).await;
    let all = read_all(read, |event| event.id, |event| event.detail.as_ref().map_or(0, String::len)).await;
    assert_eq!(all.iter().map(|event| event.id).collect::<Vec<_>>(), (1..=count).rev().collect::<Vec<_>>());
}

async fn events_that_wait(database: TestDatabase) {
    let storage = open(&database).await;
    subscribe(&*storage, &[WebhookEvent::SyncCompleted], None).await;
    let mut site = Reporter::new(&storage, "Waiting").await;
    for n in 0..40 {
        site.full(modules("m", 1 + n % 3, "1.0.0")).await;
    }
    let mut raw = database.raw().await;
    let ids: Vec<String> = (1..=40).map(|id: i64| id.to_string()).collect();
    fill(&mut raw, "outbox", "data", &ids, (r#"{"x":""#, r#""}"#)).await;
    let read = async |page| storage.waiting_events(page).await;
    let all = read_all(read, |event| event.id, |event| event.data.to_string().len()).await;
    assert_eq!(all.iter().map(|event| event.id).collect::<Vec<_>>(), (1..=40).collect::<Vec<_>>());
}

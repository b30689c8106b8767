//! What one site may accumulate: what is gone and oldest makes room, and what it has now is always taken.

use std::sync::Arc;

use module_monitor_domain::{ModuleDetails, Refusal, ReportedModule, Scope};
use module_monitor_storage::{Page, SiteBounds, Storage, StorageOptions, SyncResult};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::reports::{module, modules, report};
use time::Duration;

use crate::support::{Reporter, custom, machine_name};

on_both_backends!(
    what_was_removed_first_is_forgotten,
    what_is_there_again_is_not_forgotten,
    partial_reports_do_not_pile_up,
    of_too_many_details_only_the_names_are_kept,
    details_of_what_is_gone_make_room,
    a_day_brings_so_many_details_into_the_registry,
    the_oldest_history_makes_room,
    answers_count_as_history,
);

async fn open(database: &TestDatabase, site_bounds: SiteBounds) -> Arc<dyn Storage> {
    database.open_with(StorageOptions { max_connections: 2, site_bounds, ..StorageOptions::default() }).await
}

/// Bounds that nothing here reaches, but for the one that a story sets.
fn wide() -> SiteBounds {
    SiteBounds::default()
}

/// A module that says much of itself.
fn wordy(module: ReportedModule, words: usize) -> ReportedModule {
    let details = ModuleDetails { description: Some("w".repeat(words)), ..module.details };
    ReportedModule { details, ..module }
}

async fn own_details(raw: &mut RawConnection) -> i64 {
    raw.number("SELECT coalesce(sum(octet_length(own_details)), 0) FROM site_modules").await
}

async fn shared_details(raw: &mut RawConnection) -> i64 {
    raw.number("SELECT coalesce(sum(octet_length(details)), 0) FROM module_versions").await
}

async fn what_was_removed_first_is_forgotten(database: TestDatabase) {
    let storage = open(&database, SiteBounds { modules: 50, ..wide() }).await;
    let mut site = Reporter::new(&storage, "Ever changing").await;
    let mut told = Vec::new();
    for n in 0..6 {
        let outcome = site.full(modules(&format!("n{n}"), 20, "1.0.0")).await;
        assert_eq!(outcome.counts.new, 20, "what it has now is taken");
        told.extend(outcome.warnings.into_iter().filter(|warning| warning.contains("forgotten")));
    }
    let mut raw = database.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM site_modules").await, 50);
    assert_eq!(site.site().await.kept.modules, 50);
    assert_eq!(site.present().await, (0..20).map(|n| format!("n5_{n:04} 1.0.0")).collect::<Vec<_>>());
    let page = || Page { limit: 10, after: None };
    assert!(storage.module_history(site.id, &machine_name("n0_0000"), page()).await.unwrap().is_none());
    assert_eq!(site.history("n4_0000").await.len(), 2, "installed and removed");
    assert_eq!(told.len(), 4, "{told:?}");
    // The first report of one that was forgotten is a first report.
    let outcome = site.full(modules("n0", 20, "1.0.0")).await;
    assert_eq!((outcome.counts.new, outcome.counts.removed), (20, 20));
    assert_eq!(site.history("n0_0000").await.len(), 1);
}

async fn what_is_there_again_is_not_forgotten(database: TestDatabase) {
    let storage = open(&database, SiteBounds { modules: 40, ..wide() }).await;
    let mut site = Reporter::new(&storage, "Coming back").await;
    site.full(modules("old", 20, "1.0.0")).await;
    site.full(modules("new", 20, "1.0.0")).await;
    // One of the oldest comes back, so that it cannot be read, with twenty others.
    site.lenient(modules("more", 20, "1.0.0"), &[Some("old_0000")]).await;
    let rejected: Vec<_> = site.list(Default::default()).await.into_iter().filter(|m| m.rejected).collect();
    assert_eq!(rejected.len(), 1, "{rejected:?}");
    assert_eq!(rejected[0].machine_name.as_str(), "old_0000");
    assert_eq!(site.site().await.kept.modules, 40);
}

async fn of_too_many_details_only_the_names_are_kept(database: TestDatabase) {
    let storage = open(&database, SiteBounds { details_bytes: 100_000, ..wide() }).await;
    let mut site = Reporter::new(&storage, "Wordy").await;
    let reported: Vec<_> = (0..50).map(|n| wordy(custom(&format!("own_{n:02}"), "1.0.0"), 9_000)).collect();
    let outcome = site.full(reported.clone()).await;
    assert_eq!(outcome.counts.new, 50);
    assert!(outcome.warnings.iter().any(|warning| warning.contains("only the name is kept")), "{:?}", outcome.warnings);
    let mut raw = database.raw().await;
    let kept = own_details(&mut raw).await;
    assert!((90_000..110_000).contains(&kept), "{kept}");
    let (first, last) = (site.module("own_00").await, site.module("own_49").await);
    assert_eq!(first.details.description.map(|text| text.len()), Some(9_000));
    assert_eq!((last.details.name.as_str(), last.details.description), ("The own_49 module", None));
    // It is the same report, whatever was kept of it.
    let again = site.full(reported).await;
    assert_eq!((again.counts.new, again.counts.updated, again.warnings.len()), (0, 0, 0));
    assert_eq!(own_details(&mut raw).await, kept);
}

async fn details_of_what_is_gone_make_room(database: TestDatabase) {
    let storage = open(&database, SiteBounds { details_bytes: 100_000, ..wide() }).await;
    let mut site = Reporter::new(&storage, "Wordy").await;
    let ten =
        |prefix: &str| (0..10).map(|n| wordy(custom(&format!("{prefix}_{n}"), "1.0.0"), 9_000)).collect::<Vec<_>>();
    let mut raw = database.raw().await;
    for prefix in ["a", "b", "c"] {
        site.full(ten(prefix)).await;
        assert_eq!(site.module(&format!("{prefix}_9")).await.details.description.map(|text| text.len()), Some(9_000));
        let kept = own_details(&mut raw).await;
        assert!(kept <= 200_000, "those of what it has, and of what it had right before: {kept}");
    }
    let gone = site.module("a_9").await;
    assert_eq!((gone.details.name.as_str(), gone.details.description), ("a_9", None));
}

async fn a_day_brings_so_many_details_into_the_registry(database: TestDatabase) {
    let storage = open(&database, SiteBounds { details_bytes: 100_000, ..wide() }).await;
    let mut site = Reporter::new(&storage, "Introducing").await;
    let of_version =
        |version: &str| -> Vec<_> { (0..20).map(|n| wordy(module(&format!("m_{n:02}"), version), 9_000)).collect() };
    let mut raw = database.raw().await;
    for n in 1..6 {
        site.full(of_version(&format!("1.{n}.0"))).await;
    }
    let brought = shared_details(&mut raw).await
        + raw.number("SELECT coalesce(sum(octet_length(description)), 0) FROM modules").await;
    assert!((50_000..=100_000).contains(&brought), "{brought}");
    assert_eq!(site.present().await.len(), 20);
    // Another site fills in what is missing, and the next day brings more.
    let mut other = Reporter::new(&storage, "Other").await;
    other.at = site.at;
    other.full(of_version("1.5.0").split_off(15)).await;
    let description = other.module("m_19").await.details.description;
    assert_eq!(description.map(|text| text.len()), Some(9_000));
    let before = shared_details(&mut raw).await;
    site.at += Duration::DAY;
    site.full(of_version("1.9.0")).await;
    let day = shared_details(&mut raw).await - before;
    assert!((80_000..=100_000).contains(&day), "{day}");
}

async fn the_oldest_history_makes_room(database: TestDatabase) {
    let bound = 40_000;
    let storage = open(&database, SiteBounds { history_bytes: bound, ..wide() }).await;
    let mut site = Reporter::new(&storage, "Up and down").await;
    let mut neighbour = Reporter::new(&storage, "Neighbour").await;
    neighbour.full(modules("m", 100, "1.0.0")).await;
    for n in 0..20 {
        site.full(modules("m", 100, &format!("1.{n}.0"))).await;
        let kept = site.site().await.kept;
        assert!(kept.history_bytes <= bound as u64, "{kept:?}");
    }
    let mut raw = database.raw().await;
    let in_sets = format!("SELECT sum(octet_length(changes)) FROM change_sets WHERE site_id = {}", site.id);
    assert!(raw.number(&in_sets).await <= bound as i64);
    let page = Page { limit: 1_000, after: None };
    let history = storage.module_history(site.id, &machine_name("m_0042"), page).await.unwrap().unwrap();
    let newest = history.events[0].to_version.as_deref();
    assert_eq!(newest, Some("1.19.0"));
    assert!((2..10).contains(&history.events.len()), "{}", history.events.len());
    let kept = site.site().await.kept;
    assert_eq!(Some(history.complete_since), kept.history_since);
    let oldest = history.events.last().unwrap();
    assert!(oldest.at > history.complete_since && oldest.before.is_some(), "something was before, and it is not kept");
    assert_eq!(neighbour.history("m_0042").await.len(), 1);
    assert_eq!(neighbour.site().await.kept.history_since, None);
}

async fn answers_count_as_history(database: TestDatabase) {
    let storage = open(&database, SiteBounds { history_bytes: 20_000, ..wide() }).await;
    let mut site = Reporter::new(&storage, "Never valid").await;
    let unreadable: Vec<String> = (0..20).map(|n| format!("bad_{n:02}")).collect();
    let names: Vec<Option<&str>> = unreadable.iter().map(|name| Some(name.as_str())).collect();
    let mut newest = None;
    for _ in 0..30 {
        newest = Some(site.lenient(modules("m", 3, "1.0.0"), &names).await.sync_id);
    }
    let mut raw = database.raw().await;
    let kept = raw.number("SELECT sum(octet_length(warnings) + octet_length(rejected)) FROM syncs").await;
    assert!(kept <= 20_000, "{kept}");
    assert!(storage.find_sync(newest.unwrap()).await.unwrap().is_some(), "the newest are kept");
    assert_eq!(site.present().await.len(), 3 + 20);
}

async fn partial_reports_do_not_pile_up(database: TestDatabase) {
    let storage = open(&database, SiteBounds { modules: 50, ..wide() }).await;
    let mut site = Reporter::new(&storage, "In parts").await;
    site.partial(modules("a", 30, "1.0.0")).await;
    site.partial(modules("b", 20, "1.0.0")).await;
    let refused = site.result(|at| report(Scope::Partial, at, modules("c", 1, "1.0.0"))).await;
    assert_eq!(refused, SyncResult::Refused(Refusal::TooManyModules { most: 50 }));
    assert_eq!(site.partial(modules("a", 30, "2.0.0")).await.counts.updated, 30, "what it has may change");
    assert_eq!(site.full(modules("c", 40, "1.0.0")).await.counts.removed, 50, "a full report is always taken");
    assert_eq!(site.site().await.kept.modules, 50);
    let mut raw = database.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM modules").await, 90, "nothing came of what was refused");
}

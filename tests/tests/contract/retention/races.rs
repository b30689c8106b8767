//! Removing what nobody has while sites begin to have it.

use std::sync::Arc;
use std::time::Duration as StdDuration;

use futures::future::join_all;
use module_monitor_domain::{Scope, SiteId};
use module_monitor_ingestion::{SyncRequest, SyncService, SystemClock};
use module_monitor_storage::{Cutoff, KeptRows, Storage, SyncOrigin, SyncResult};
use module_monitor_tests::backends::{Backend, TestDatabase, patient};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::reports::{module, modules, now, register, report};
use time::Duration;
use tokio::task::JoinHandle;

use crate::support::{Reporter, keep_from, prune, prune_all};

on_both_backends!(
    nothing_is_removed_while_a_sync_may_take_it_up,
    another_node_forgets_the_ids_of_what_was_removed,
    a_project_that_goes_before_a_site_begins_to_use_it_comes_back,
    syncs_that_race_the_removal_are_all_applied,
);

/// Everything that can be removed at all.
fn everything() -> Cutoff {
    let later = now() + Duration::days(1000);
    keep_from(later, later)
}

/// Leaves modules in the registry that no site has.
async fn leave_behind(storage: &Arc<dyn Storage>, count: usize) {
    let mut site = Reporter::new(storage, "Had them").await;
    site.full(modules("m", count, "1.0.0")).await;
    site.full(Vec::new()).await;
    assert_eq!(prune(&**storage, KeptRows::RemovedModules, everything(), 1000).await, [count, 0]);
}

async fn waiting<T>(raw: &mut RawConnection, task: &JoinHandle<T>) {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while !task.is_finished() && raw.number(count).await < 1 {
        tokio::time::sleep(StdDuration::from_millis(5)).await;
    }
}

/// On PostgreSQL stops the sync where it writes what it changed: it has the modules, and nobody can see it.
async fn nothing_is_removed_while_a_sync_may_take_it_up(database: TestDatabase) {
    let storage = database.open().await;
    let (mut barrier, mut watch) = (database.raw().await, database.raw().await);
    leave_behind(&storage, 6).await;
    let site = register(&*storage, "In flight").await;
    let at = now();
    let sync = report(Scope::Full, at, modules("m", 3, "1.0.0"));
    let sync = module_monitor_tests::reports::command(site, at, sync);
    let postgres = database.backend() == Backend::Postgres;
    if postgres {
        barrier.execute("BEGIN; LOCK TABLE change_sets IN EXCLUSIVE MODE").await;
    }
    let syncing = tokio::spawn({
        let storage = Arc::clone(&storage);
        async move { storage.apply_sync(sync).await }
    });
    if postgres {
        waiting(&mut watch, &syncing).await;
        for kind in [KeptRows::Versions, KeptRows::Modules] {
            assert_eq!(prune(&*storage, kind, everything(), 100).await, [0], "{kind:?} are left to the next time");
        }
        assert!(!syncing.is_finished());
        barrier.execute("ROLLBACK").await;
    }
    assert!(matches!(syncing.await.unwrap(), Ok(SyncResult::Applied(_))));
    let removed = prune_all(&*storage, Cutoff { idempotency_keys: at, ..everything() }).await;
    assert!(removed.iter().any(|(kind, count)| (*kind, *count) == ("modules", 3)), "{removed:?}");
    for table in ["modules", "module_versions", "site_modules"] {
        assert_eq!(watch.number(&format!("SELECT count(*) FROM {table}")).await, 3, "{table}");
    }
}

async fn another_node_forgets_the_ids_of_what_was_removed(database: TestDatabase) {
    let (one, other) = (database.open().await, database.open().await);
    let mut raw = database.raw().await;
    leave_behind(&one, 5).await;
    prune_all(&*other, everything()).await;
    assert_eq!(raw.number("SELECT count(*) FROM modules").await, 0);
    // Another site has brought them back meanwhile, under other ids.
    let mut elsewhere = Reporter::new(&other, "Elsewhere").await;
    elsewhere.full(modules("m", 2, "1.0.0")).await;

    let mut site = Reporter::new(&one, "Site").await;
    let sync = site.next(|at| report(Scope::Full, at, modules("m", 5, "1.0.0")));
    assert!(matches!(one.apply_sync(sync).await, Ok(SyncResult::Applied(_))));
    assert_eq!(site.present().await.len(), 5);
    assert_eq!(raw.number("SELECT count(*) FROM modules").await, 5);
    assert_eq!(raw.number("SELECT count(*) FROM module_versions").await, 5);
}

/// This process has asked for the project, and another has removed it.
async fn a_project_that_goes_before_a_site_begins_to_use_it_comes_back(database: TestDatabase) {
    let (storage, other) = (database.open().await, database.open().await);
    leave_behind(&storage, 1).await;
    prune(&*other, KeptRows::Assessments, everything(), 10).await;
    let removed: usize = prune(&*other, KeptRows::Projects, everything(), 10).await.iter().sum();
    assert_eq!(removed, 1);
    let mut site = Reporter::new(&storage, "Begins").await;
    site.full(vec![module("m_0000", "1.0.0")]).await;
    let mut watch = database.raw().await;
    let count = "SELECT count(*) FROM projects WHERE name = 'm_0000'";
    assert_eq!(watch.number(count).await, 1);
    // A process that dies between the sync and the introduction leaves it to whoever looks next.
    watch.execute("DELETE FROM projects WHERE name = 'm_0000'").await;
    assert_eq!(other.introduce_forgotten(now()).await.unwrap(), 1);
    assert_eq!(other.introduce_forgotten(now()).await.unwrap(), 0);
    assert_eq!(watch.number(count).await, 1);
}

/// Reports half of the modules, then the other half, and so on.
async fn alternate(service: SyncService, site: SiteId, number: usize, rounds: usize) {
    for round in 0..rounds {
        let mut all = modules("m", 60, "1.0.0");
        all.retain(|module| {
            module
                .machine_name
                .as_str()
                .bytes()
                .next_back()
                .is_some_and(|last| (usize::from(last) + round + number).is_multiple_of(2))
        });
        let request = SyncRequest { report: report(Scope::Full, now(), all), idempotency: None };
        let synced = service.sync(site, request, SyncOrigin::default()).await;
        assert!(synced.is_ok(), "round {round} of site {number}: {synced:?}");
    }
}

/// Three sites on two nodes take up and drop the same modules, while a third node removes whatever is nobody's.
async fn syncs_that_race_the_removal_are_all_applied(database: TestDatabase) {
    let nodes = [database.open_with(patient(4)).await, database.open_with(patient(4)).await];
    let remover = database.open_with(patient(2)).await;
    let mut raw = database.raw().await;
    let mut sites = Vec::new();
    let mut tasks = Vec::new();
    for number in 0..3 {
        let site = register(&*remover, &format!("Site {number}")).await;
        sites.push(site);
        let service = SyncService::new(Arc::clone(&nodes[number % 2]), Arc::new(SystemClock));
        tasks.push(tokio::spawn(alternate(service, site, number, 25)));
    }
    let syncing = tokio::spawn(join_all(tasks));
    let mut removed = 0;
    while !syncing.is_finished() {
        removed += prune_all(&*remover, Cutoff { audit: now(), ..everything() })
            .await
            .iter()
            .map(|(_, rows)| rows)
            .sum::<usize>();
    }
    for done in syncing.await.unwrap() {
        done.unwrap();
    }
    assert!(removed > 0);
    for site in sites {
        let present = format!("SELECT count(*) FROM site_modules WHERE site_id = {} AND removed_at IS NULL", site.0);
        assert_eq!(raw.number(&present).await, 30);
    }
    let astray = "SELECT count(*) FROM site_modules sm JOIN module_versions v ON v.id = sm.version_id \
                  WHERE v.module_id <> sm.module_id";
    assert_eq!(raw.number(astray).await, 0);
    let unasked = "SELECT count(*) FROM assessments a JOIN site_modules sm ON sm.assessment_id = a.id \
                   WHERE NOT EXISTS (SELECT 1 FROM projects p WHERE p.name = a.project AND p.feed = a.feed)";
    assert_eq!(raw.number(unasked).await, 0, "whatever is used is asked for");
}

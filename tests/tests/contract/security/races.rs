//! Syncs, imports, acceptances and recounts at once.

use std::sync::Arc;

use std::time::Duration as StdDuration;

use futures::future::join_all;
use module_monitor_domain::{DrupalVersion, Feed, Judgement, Scope, SiteId, judge};
use module_monitor_storage::{IdempotencyKey, InventoryFilter, NewAcceptance, Page, Storage, StorageError, SyncResult};
use module_monitor_tests::backends::{Backend, TestDatabase, patient};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::reports::{command, module, register, report};
use time::{Duration, OffsetDateTime};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::support::{FETCHED, differences, history, insecure, recount, risk, secure, store, updates};

on_both_backends!(
    a_sync_that_has_judged_by_what_an_import_changes_is_done_again,
    a_recount_leaves_a_site_to_a_sync_that_has_counted_already,
    syncs_that_race_an_import_leave_no_old_count,
    syncs_that_race_everything_leave_no_old_count,
    many_sites_introduce_and_take_over_projects_at_once,
    nodes_that_recount_at_once_do_it_right,
);

const PROJECTS: [&str; 4] = ["p_a", "p_b", "p_c", "p_d"];

async fn sites(storage: &Arc<dyn Storage>, count: usize) -> Vec<SiteId> {
    let mut sites = Vec::new();
    for n in 0..count {
        sites.push(register(&**storage, &format!("Site {n}")).await);
    }
    sites
}

/// Reports the projects in versions that depend on `round`, so that each site begins to use others in each round.
async fn sync(storage: &Arc<dyn Storage>, site: SiteId, number: usize, round: usize, at: OffsetDateTime) {
    let version = |n: usize| if (number + round + n).is_multiple_of(2) { "1.0.0" } else { "1.0.1" };
    let modules = PROJECTS.iter().enumerate().filter(|(n, _)| !(number + round + n).is_multiple_of(5));
    let modules = modules.map(|(n, name)| module(name, version(n))).collect();
    let sync = command(site, at, report(Scope::Full, at, modules));
    loop {
        match storage.apply_sync(Arc::clone(&sync)).await {
            Ok(SyncResult::Applied(_)) => return,
            // It has judged by what has changed meanwhile; the service does it again, too.
            Err(StorageError::Contention(_)) => {}
            other => panic!("not applied: {other:?}"),
        }
    }
}

async fn assert_judged_by_what_is_stored(storage: &Arc<dyn Storage>, sites: &[SiteId]) {
    for site in sites {
        let everything = Page { limit: 100, after: None };
        for module in storage.site_modules(*site, InventoryFilter::default(), everything).await.unwrap() {
            let project = module.state.project.unwrap();
            let history = storage.find_history(&project, Feed::Current).await.unwrap();
            let version = module.state.version.as_ref().map(DrupalVersion::as_str);
            // All of these sites run a core that the releases are for.
            let judged = judge(history.as_ref(), &project, Feed::Current, version, None);
            let expected = Judgement { core_compatibility: None, ..judged };
            assert_eq!(module.judgement, Some(expected), "{} {version:?}", module.machine_name);
        }
    }
}

/// Waits until so many sessions of the database wait for a lock, or `task` has not had to.
async fn waiting<T>(raw: &mut RawConnection, sessions: i64, task: &JoinHandle<T>) {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while !task.is_finished() && raw.number(count).await < sessions {
        tokio::time::sleep(StdDuration::from_millis(5)).await;
    }
}

/// On PostgreSQL stops the sync where it writes what has changed: it has judged, and nobody can see it.
async fn a_sync_that_has_judged_by_what_an_import_changes_is_done_again(database: TestDatabase) {
    let storage = database.open().await;
    store(&storage, secure("p_a"), FETCHED).await;
    let site = register(&*storage, "In flight").await;
    let (mut barrier, mut watch) = (database.raw().await, database.raw().await);
    let postgres = database.backend() == Backend::Postgres;
    if postgres {
        barrier.execute("BEGIN; LOCK TABLE change_sets IN EXCLUSIVE MODE").await;
    }
    let sync = command(site, FETCHED, report(Scope::Full, FETCHED, vec![module("p_a", "1.0.0")]));
    let again = Arc::clone(&sync);
    let syncing = tokio::spawn({
        let storage = Arc::clone(&storage);
        async move { storage.apply_sync(sync).await }
    });
    if postgres {
        waiting(&mut watch, 1, &syncing).await;
    }
    // It does not wait for the sync.
    store(&storage, insecure("p_a"), FETCHED).await;
    if postgres {
        barrier.execute("ROLLBACK").await;
        let error = syncing.await.unwrap().unwrap_err();
        assert!(matches!(error, StorageError::Contention(_)), "{error:?}");
        assert!(matches!(storage.apply_sync(again).await, Ok(SyncResult::Applied(_))));
    } else {
        assert!(matches!(syncing.await.unwrap(), Ok(SyncResult::Applied(_))));
    }
    recount(&storage, FETCHED).await;
    assert_judged_by_what_is_stored(&storage, &[site]).await;
    assert_eq!(storage.find_site(site).await.unwrap().unwrap().security.updates_found, 1);
}

/// On PostgreSQL stops a sync of something else at its very end: its count is older than the import.
async fn a_recount_leaves_a_site_to_a_sync_that_has_counted_already(database: TestDatabase) {
    let storage = database.open().await;
    store(&storage, secure("p_a"), FETCHED).await;
    let site = register(&*storage, "In flight").await;
    let first = report(Scope::Full, FETCHED, vec![module("p_a", "1.0.0")]);
    storage.apply_sync(command(site, FETCHED, first)).await.unwrap();
    let (mut barrier, mut watch) = (database.raw().await, database.raw().await);
    let postgres = database.backend() == Backend::Postgres;
    if postgres {
        barrier.execute("BEGIN; LOCK TABLE idempotency_keys IN EXCLUSIVE MODE").await;
    }
    let second = report(Scope::Partial, FETCHED, vec![module("p_b", "1.0.0")]);
    let mut sync = Arc::unwrap_or_clone(command(site, FETCHED, second));
    sync.idempotency = Some(IdempotencyKey { key: "key".to_owned(), body_hash: [1; 32] });
    let syncing = tokio::spawn({
        let storage = Arc::clone(&storage);
        async move { storage.apply_sync(Arc::new(sync)).await }
    });
    if postgres {
        waiting(&mut watch, 1, &syncing).await;
    }
    store(&storage, insecure("p_a"), FETCHED).await;
    if postgres {
        assert_eq!(recount(&storage, FETCHED).await, 0, "it waits for nobody");
        barrier.execute("ROLLBACK").await;
    }
    assert!(matches!(syncing.await.unwrap(), Ok(SyncResult::Applied(_))));
    assert!(storage.find_site(site).await.unwrap().unwrap().security.recounting);
    assert_eq!(recount(&storage, FETCHED).await, 1);
    assert_eq!(differences(&storage).await, []);
    assert_eq!(storage.find_site(site).await.unwrap().unwrap().security.updates_found, 1);
}

async fn syncs_that_race_an_import_leave_no_old_count(database: TestDatabase) {
    let storage = database.open_with(patient(8)).await;
    let sites = sites(&storage, 20).await;
    for round in 0..6 {
        let at = FETCHED + Duration::minutes(i64::try_from(round).unwrap());
        let syncs = sites.iter().enumerate().map(|(number, site)| sync(&storage, *site, number, round, at));
        let imports = PROJECTS.iter().map(|name| {
            let history = if round % 2 == 0 { insecure(name) } else { secure(name) };
            store(&storage, history, at)
        });
        tokio::join!(join_all(syncs), join_all(imports));
        recount(&storage, at).await;
        assert_eq!(differences(&storage).await, [], "round {round}");
        assert_judged_by_what_is_stored(&storage, &sites).await;
    }
}

async fn syncs_that_race_everything_leave_no_old_count(database: TestDatabase) {
    let storage = database.open_with(patient(12)).await;
    let sites = sites(&storage, 20).await;
    for round in 0..6 {
        let at = FETCHED + Duration::minutes(i64::try_from(round).unwrap());
        let syncs = sites.iter().enumerate().map(|(number, site)| sync(&storage, *site, number, round, at));
        let imports = PROJECTS.iter().map(async |name| {
            let history =
                if round % 2 == 0 { insecure(name) } else { history(name, "1.", &["1.0.1 insecure", "1.0.0"]) };
            store(&storage, history, at).await;
            recount(&storage, at).await
        });
        let acceptances = PROJECTS.iter().enumerate().map(async |(n, name)| {
            let site_id = (n % 2 == 0).then_some(sites[n + round]);
            let accepted = NewAcceptance { id: Uuid::new_v4(), site_id, ..risk(name, at, at + Duration::minutes(2)) };
            storage.create_acceptance(accepted.clone(), "admin").await.unwrap();
            storage.end_due_acceptances(at).await.unwrap();
            if round % 3 == 2 {
                storage.withdraw_acceptance(accepted.id, at, "admin").await.unwrap();
            }
        });
        tokio::join!(join_all(syncs), join_all(imports), join_all(acceptances), recount(&storage, at));
        recount(&storage, at).await;
        assert_eq!(differences(&storage).await, [], "round {round}");
        assert_judged_by_what_is_stored(&storage, &sites).await;
    }
    let mut clock = FETCHED + Duration::DAY;
    assert!(storage.end_due_acceptances(clock).await.unwrap() > 0, "the last ones");
    recount(&storage, clock).await;
    assert_eq!(differences(&storage).await, []);
    clock += Duration::DAY;
    assert_eq!(storage.end_due_acceptances(clock).await.unwrap(), 0);
    assert!(updates(&storage, Default::default()).await.iter().all(|update| update.accepted.is_none()));
}

async fn many_sites_introduce_and_take_over_projects_at_once(database: TestDatabase) {
    let storage = database.open_with(patient(12)).await;
    let hostile = register(&*storage, "Hostile").await;
    let names = |from: usize, to: usize| (from..to).map(|n| module(&format!("m_{n:04}"), "1.0.0")).collect::<Vec<_>>();
    let at = FETCHED;
    storage.apply_sync(command(hostile, at, report(Scope::Full, at, names(0, 400)))).await.unwrap();
    let sites = sites(&storage, 20).await;
    // Each wants an earlier turn for some that others want too, and introduces some of its own.
    let syncs = sites.iter().enumerate().map(|(n, site)| {
        let mut modules = names(340 - n * 5, 380);
        modules.extend(names(1_000 + n * 3, 1_010 + n * 4));
        let sync = command(*site, at, report(Scope::Full, at, modules));
        let storage = Arc::clone(&storage);
        async move { storage.apply_sync(sync).await }
    });
    for result in join_all(syncs).await {
        assert!(matches!(result, Ok(SyncResult::Applied(_))), "{result:?}");
    }
    assert_eq!(differences(&storage).await, []);
    let mut raw = database.raw().await;
    let doubles = "SELECT count(*) - count(DISTINCT name) FROM projects";
    assert_eq!(raw.number(doubles).await, 0);
}

async fn nodes_that_recount_at_once_do_it_right(database: TestDatabase) {
    let nodes = [database.open().await, database.open().await, database.open().await];
    let sites = sites(&nodes[0], 30).await;
    for (number, site) in sites.iter().enumerate() {
        sync(&nodes[0], *site, number, 0, FETCHED).await;
    }
    for round in 0..4 {
        let imports = PROJECTS.iter().map(|name| {
            let history = if round % 2 == 0 { insecure(name) } else { secure(name) };
            store(&nodes[0], history, FETCHED)
        });
        let recounts = nodes.iter().map(|node| recount(node, FETCHED));
        tokio::join!(join_all(imports), join_all(recounts));
        join_all(nodes.iter().map(|node| recount(node, FETCHED))).await;
        assert_eq!(nodes[0].pending_recounts().await.unwrap(), 0);
        assert_eq!(differences(&nodes[0]).await, [], "round {round}");
    }
}

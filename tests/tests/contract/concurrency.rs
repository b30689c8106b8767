//! Many at once.

use std::sync::Arc;

use futures::future::join_all;
use module_monitor_domain::{Refusal, Scope, SyncOutcome};
use module_monitor_storage::{Storage, StorageError, SyncCommand, SyncResult, connect};
use module_monitor_tests::backends::{TestDatabase, patient};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{module, modules, report};
use time::Duration;

use crate::support::{Reporter, changes, described, details};

on_both_backends!(
    many_full_syncs_of_one_site_end_as_the_newest,
    many_full_syncs_with_one_time_stamp_end_as_one_of_them,
    many_partial_syncs_of_one_site_merge,
    many_sites_introduce_the_same_modules,
    many_nodes_migrate_at_once,
);

/// Applies all of them at once, each from a task of its own.
async fn at_once(storage: &Arc<dyn Storage>, syncs: Vec<Arc<SyncCommand>>) -> Vec<Result<SyncResult, StorageError>> {
    let tasks = syncs.into_iter().map(|sync| {
        let storage = Arc::clone(storage);
        tokio::spawn(async move { storage.apply_sync(sync).await })
    });
    join_all(tasks.collect::<Vec<_>>()).await.into_iter().map(|task| task.expect("no panic")).collect()
}

/// The outcomes of those that were applied; the others must be stale.
fn applied(results: Vec<Result<SyncResult, StorageError>>) -> Vec<SyncOutcome> {
    let applied = results.into_iter().filter_map(|result| match result.expect("no error") {
        SyncResult::Applied(outcome) => Some(outcome),
        SyncResult::Refused(Refusal::Stale { .. }) => None,
        other => panic!("{other:?}"),
    });
    applied.collect()
}

/// Twenty reports of one site, no two of them alike.
fn reports_of(site: &mut Reporter, step: Duration) -> Vec<Arc<SyncCommand>> {
    let made = site.at;
    let reports = (1..=20).map(|n| {
        let mut modules = modules("m", 50, &format!("{n}.0.0"));
        modules.push(module(&format!("only_{n}"), "1.0.0"));
        site.next(|_| report(Scope::Full, made + step * n, modules))
    });
    let mut reports: Vec<_> = reports.collect();
    reports.rotate_left(7);
    reports
}

fn state_of(n: usize) -> Vec<String> {
    let mut expected: Vec<_> = (0..50).map(|m| format!("m_{m:04} {n}.0.0")).collect();
    expected.push(format!("only_{n} 1.0.0"));
    expected
}

async fn many_full_syncs_of_one_site_end_as_the_newest(database: TestDatabase) {
    let storage = database.open_with(patient(20)).await;
    let mut site = Reporter::new(&storage, "Busy").await;
    let applied = applied(at_once(&storage, reports_of(&mut site, Duration::SECOND)).await);
    assert!(!applied.is_empty());
    assert_eq!(site.present().await, state_of(20), "nothing older may come after it");
    let mut raw = database.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM syncs").await, i64::try_from(applied.len()).unwrap());
    let orphans = "SELECT count(*) FROM change_sets WHERE sync_id NOT IN (SELECT id FROM syncs)";
    assert_eq!(raw.number(orphans).await, 0);
    assert_eq!(raw.number("SELECT count(*) FROM modules").await, 50 + i64::try_from(applied.len()).unwrap());
}

async fn many_full_syncs_with_one_time_stamp_end_as_one_of_them(database: TestDatabase) {
    let storage = database.open_with(patient(20)).await;
    let mut site = Reporter::new(&storage, "Busy").await;
    let outcomes = applied(at_once(&storage, reports_of(&mut site, Duration::ZERO)).await);
    assert_eq!(outcomes.len(), 20, "none is stale");
    let present = site.present().await;
    assert!((1..=20).any(|n| present == state_of(n)), "{present:?}");
    assert_eq!(site.removed().await.len(), 19);
    let first = outcomes.iter().filter(|o| changes(o) == (51, 0, 0)).count();
    let others = outcomes.iter().filter(|o| changes(o) == (1, 50, 1)).count();
    assert_eq!((first, others), (1, 19), "each saw the state that the one before it left");
}

async fn many_partial_syncs_of_one_site_merge(database: TestDatabase) {
    let storage = database.open_with(patient(20)).await;
    let mut site = Reporter::new(&storage, "Partial").await;
    let made = site.at;
    let syncs = (10..30).map(|n| {
        let modules = vec![module("shared", &format!("{n}.0.0")), module(&format!("own_{n}"), "1.0.0")];
        site.next(|_| report(Scope::Partial, made, modules))
    });
    let syncs = syncs.collect();
    let outcomes = applied(at_once(&storage, syncs).await);
    assert_eq!(outcomes.len(), 20);
    let present = site.present().await;
    assert_eq!(present[..20], (10..30).map(|n| format!("own_{n} 1.0.0")).collect::<Vec<_>>());
    assert_eq!(present.len(), 21);
    let history = site.history("shared").await;
    assert_eq!(history.len(), 20);
    assert!(history.windows(2).all(|pair| pair[0].2 == pair[1].1), "an unbroken chain: {history:?}");
}

async fn many_sites_introduce_the_same_modules(database: TestDatabase) {
    // Two nodes.
    let storages = [database.open_with(patient(10)).await, database.open_with(patient(10)).await];
    let mut sites = Vec::new();
    let mut tasks = Vec::new();
    for n in 0..20 {
        let storage = &storages[n % 2];
        let mut site = Reporter::new(storage, &format!("Site {n}")).await;
        let mut reported: Vec<_> =
            modules("m", 500, "1.0.0").into_iter().map(|m| described(m, &format!("Told by {n}"))).collect();
        reported.rotate_left(n * 25);
        tasks.push(at_once(storage, vec![site.next(|at| report(Scope::Full, at, reported))]));
        sites.push(site);
    }
    for results in join_all(tasks).await {
        assert_eq!(applied(results).iter().map(changes).collect::<Vec<_>>(), [(500, 0, 0)]);
    }
    let mut raw = database.raw().await;
    for (table, rows) in [("modules", 500), ("module_versions", 500), ("site_modules", 10_000), ("syncs", 20)] {
        assert_eq!(raw.number(&format!("SELECT count(*) FROM {table}")).await, rows, "{table}");
    }
    let told = sites[0].module("m_0123").await.details;
    assert!((0..20).any(|n| told == details(&format!("Told by {n}"))), "one report's, not a mix: {told:?}");
    for site in &mut sites {
        assert_eq!(site.module("m_0123").await.details, told);
        let again = site.full(modules("m", 500, "1.0.0")).await;
        assert_eq!(changes(&again), (0, 0, 0));
    }
}

async fn many_nodes_migrate_at_once(database: TestDatabase) {
    let nodes: Vec<_> = (0..6).map(|_| connect(&database.url, patient(2)).expect("a usable URL")).collect();
    let ran = join_all(nodes.iter().map(|node| node.migrate())).await;
    let ran: Vec<usize> = ran.into_iter().map(|result| result.expect("no error")).collect();
    assert_eq!(ran.iter().filter(|count| **count > 0).count(), 1, "one of them did it all: {ran:?}");
    for node in &nodes {
        node.check().await.expect("a schema that is up to date");
    }
}

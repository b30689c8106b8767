//! What is special about one file.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use module_monitor_domain::{Refusal, Scope};
use module_monitor_storage::{StorageError, SyncResult, connect};
use module_monitor_tests::backends::{Backend, TestDatabase, patient};
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::reports::{modules, report};

use crate::support::Reporter;

async fn sqlite() -> TestDatabase {
    TestDatabase::new(Backend::Sqlite).await.expect("a file")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_storages_sync_into_one_file_at_once() {
    let database = sqlite().await;
    let storages = [database.open_with(patient(4)).await, database.open_with(patient(4)).await];
    let mut sites = Vec::new();
    let mut tasks = Vec::new();
    for (n, storage) in storages.iter().cycle().take(4).enumerate() {
        let mut site = Reporter::new(storage, &format!("Site {n}")).await;
        let syncs: Vec<_> = (1..=8)
            .map(|round| site.next(|at| report(Scope::Full, at, modules("m", 20 + n, &format!("{round}.0.0")))))
            .collect();
        let storage = Arc::clone(storage);
        tasks.push(tokio::spawn(async move {
            for sync in syncs {
                let result = storage.apply_sync(sync).await.expect("no error");
                assert!(matches!(result, SyncResult::Applied(_)));
            }
        }));
        sites.push(site);
    }
    for task in join_all(tasks).await {
        task.expect("no panic");
    }
    for (n, site) in sites.iter().enumerate() {
        let present = site.present().await;
        assert_eq!((present.len(), present[0].as_str()), (20 + n, "m_0000 8.0.0"));
    }
    let mut raw = database.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM modules").await, 23);
    assert_eq!(raw.number("SELECT count(*) FROM module_versions").await, 8 * 23);
    assert_eq!(raw.number("SELECT count(*) FROM syncs").await, 32);
}

/// Has every site report while another process holds the lock; all but `changed` what they have reported before.
async fn all_at_once(
    sites: &mut [Reporter],
    changed: usize,
    raw: &mut RawConnection,
) -> Vec<Result<SyncResult, StorageError>> {
    raw.execute("BEGIN IMMEDIATE").await;
    let tasks = sites.iter_mut().enumerate().map(|(n, site)| {
        let version = if n == changed { "2.0.0" } else { "1.0.0" };
        let sync = site.next(|at| report(Scope::Full, at, modules("m", 5, version)));
        let storage = Arc::clone(&site.storage);
        tokio::spawn(async move { storage.apply_sync(sync).await })
    });
    let tasks: Vec<_> = tasks.collect();
    // Time for most of them to come to wait: who comes later is only less in company.
    tokio::time::sleep(Duration::from_millis(500)).await;
    raw.execute("COMMIT").await;
    join_all(tasks).await.into_iter().map(|task| task.expect("no panic")).collect()
}

/// While another process holds the lock, syncs of many sites come to wait: one that changes something, one of a site that may
/// not, one that the database does not take, and sixty that change nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn syncs_that_wait_together_fail_and_succeed_by_themselves() {
    let database = sqlite().await;
    let storage = database.open_with(patient(4)).await;
    let mut raw = database.raw().await;
    let mut sites = Vec::new();
    for n in 0..63 {
        let mut site = Reporter::new(&storage, &format!("Site {n}")).await;
        site.full(modules("m", 5, "1.0.0")).await;
        sites.push(site);
    }
    let (changed, inactive, broken) = (20, 30, 40);
    sites[inactive].set(&mut raw, "active = false").await;
    let refuses = format!(
        "CREATE TRIGGER broken BEFORE INSERT ON syncs WHEN new.site_id = {} BEGIN SELECT RAISE(ABORT, 'broken'); END",
        sites[broken].id
    );
    raw.execute(&refuses).await;
    let before = raw.number("SELECT count(*) FROM syncs").await;
    for (n, result) in all_at_once(&mut sites, changed, &mut raw).await.into_iter().enumerate() {
        match result {
            Ok(SyncResult::Applied(outcome)) => {
                assert_eq!(outcome.counts.updated, if n == changed { 5 } else { 0 }, "site {n}");
                assert_eq!(outcome.counts.processed, 5);
            }
            Ok(SyncResult::Refused(Refusal::InactiveSite)) => assert_eq!(n, inactive),
            Err(StorageError::Database(_)) => assert_eq!(n, broken),
            other => panic!("site {n}: {other:?}"),
        }
    }
    assert_eq!(raw.number("SELECT count(*) FROM syncs").await - before, 61);
    raw.execute("DROP TRIGGER broken").await;
    assert!(matches!(
        storage.apply_sync(sites[broken].next(|at| report(Scope::Full, at, modules("m", 5, "1.0.0")))).await,
        Ok(SyncResult::Applied(_))
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_is_in_wal_mode_and_sound() {
    let database = sqlite().await;
    let mut site = Reporter::new(&database.open().await, "WAL").await;
    site.full(modules("m", 20, "1.0.0")).await;
    let mut raw = database.raw().await;
    assert_eq!(raw.texts("SELECT journal_mode FROM pragma_journal_mode").await, ["wal"]);
    assert_eq!(raw.texts("SELECT integrity_check FROM pragma_integrity_check").await, ["ok"]);
    assert_eq!(raw.number("SELECT count(*) FROM pragma_foreign_key_check").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_file_is_opened_by_many_at_once() {
    for _ in 0..5 {
        let database = sqlite().await;
        let nodes: Vec<_> = (0..4).map(|_| connect(&database.url, patient(4)).expect("a usable URL")).collect();
        let answers = join_all(nodes.iter().map(|node| async { (node.migrate().await, node.check().await) })).await;
        for (migrated, checked) in answers {
            migrated.expect("migrated");
            checked.expect("up to date");
        }
    }
}

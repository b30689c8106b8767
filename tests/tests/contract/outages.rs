//! No connection to be had, or a connection lost.

use std::sync::Arc;
use std::time::Duration;

use module_monitor_domain::Scope;
use module_monitor_storage::{StorageError, StorageOptions, SyncResult, connect};
use module_monitor_tests::backends::{Backend, TestDatabase, patient};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::reports::{modules, report};
use module_monitor_tests::watch::StatementLog;

use crate::support::{Reporter, changes};

on_both_backends!(
    an_exhausted_pool_is_unavailable_and_recovers,
    connections_lost_while_idle_are_replaced,
    a_connection_lost_in_a_sync_leaves_nothing_of_it,
);

/// Takes the lock that a sync of the site needs.
async fn hold(raw: &mut RawConnection, site: &Reporter) {
    match raw.backend() {
        Backend::Sqlite => raw.execute("BEGIN IMMEDIATE").await,
        Backend::Postgres => {
            let id = site.id;
            raw.execute(&format!("BEGIN; SELECT FROM sites WHERE id = {id} FOR UPDATE")).await;
        }
    }
}

/// Waits until the sync that was just started has sent a statement, so that it holds its connection.
async fn has_begun(log: &StatementLog) {
    while log.take().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn an_exhausted_pool_is_unavailable_and_recovers(database: TestDatabase) {
    let log = StatementLog::default();
    let impatient = StorageOptions { checkout_timeout: Duration::from_millis(300), ..patient(1) };
    let storage = database.open_with(log.watch(impatient)).await;
    let mut site = Reporter::new(&database.open().await, "Waits").await;
    let mut raw = database.raw().await;
    hold(&mut raw, &site).await;
    log.take();
    let sync = site.next(|at| report(Scope::Full, at, modules("m", 3, "1.0.0")));
    let worker = Arc::clone(&storage);
    let waiting = tokio::spawn(async move { worker.apply_sync(sync).await });
    has_begun(&log).await;
    // The lock is held until these have been answered, so the answer cannot come from a free connection.
    let read = storage.find_site(site.id).await.unwrap_err();
    let write =
        storage.apply_sync(site.next(|at| report(Scope::Full, at, modules("m", 4, "1.0.0")))).await.unwrap_err();
    for error in [read, write] {
        assert!(matches!(error, StorageError::Unavailable(_)) && error.is_transient(), "{error:?}");
    }
    raw.execute("COMMIT").await;
    let waited = waiting.await.unwrap();
    // On a slow machine the wait for the lock may have ended first.
    assert!(matches!(&waited, Ok(SyncResult::Applied(_))) || waited.as_ref().is_err_and(StorageError::is_transient));
    let site = Reporter { storage, ..site };
    assert!(site.present().await.len() <= 3);
}

async fn terminate(raw: &mut RawConnection) {
    let others = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    raw.texts(others).await;
}

async fn connections_lost_while_idle_are_replaced(database: TestDatabase) {
    if database.backend() == Backend::Sqlite {
        return;
    }
    let storage = database.open_with(patient(4)).await;
    let mut site = Reporter::new(&storage, "Lost").await;
    let mut raw = database.raw().await;
    for round in 1..=5 {
        futures::future::join_all((0..4).map(|_| storage.find_site(site.id))).await;
        terminate(&mut raw).await;
        // Each lost connection may be noticed by the one who uses it, as a failure that may be tried again.
        let mut attempts = 0;
        let version = format!("{round}.0.0");
        let outcome = loop {
            let sync = site.next(|at| report(Scope::Full, at, modules("m", 3, &version)));
            match storage.apply_sync(sync).await {
                Ok(result) => break result,
                Err(error) => assert!(matches!(error, StorageError::ConnectionLost(_)), "{error:?}"),
            }
            attempts += 1;
            assert!(attempts <= 4, "more failures than connections");
        };
        assert!(matches!(outcome, SyncResult::Applied(_)));
    }
}

async fn a_connection_lost_in_a_sync_leaves_nothing_of_it(database: TestDatabase) {
    if database.backend() == Backend::Sqlite {
        return;
    }
    let log = StatementLog::default();
    let storage = database.open_with(log.watch(patient(1))).await;
    let mut site = Reporter::new(&storage, "Lost").await;
    let (mut raw, mut killer) = (database.raw().await, database.raw().await);
    hold(&mut raw, &site).await;
    let lock_holder = raw.number("SELECT pg_backend_pid()").await;
    log.take();
    let sync = site.next(|at| report(Scope::Full, at, modules("m", 3, "1.0.0")));
    let worker = Arc::clone(&storage);
    let waiting = tokio::spawn(async move { worker.apply_sync(sync).await });
    has_begun(&log).await;
    let pool = format!(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() \
         AND pid NOT IN (pg_backend_pid(), {lock_holder})"
    );
    killer.texts(&pool).await;
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(error, StorageError::ConnectionLost(_)) && error.is_transient(), "{error:?}");
    raw.execute("COMMIT").await;
    assert_eq!(killer.number("SELECT count(*) FROM syncs").await, 0);
    assert_eq!(changes(&site.full(modules("m", 3, "1.0.0")).await), (3, 0, 0));
}

#[tokio::test]
async fn a_database_that_is_absent_is_unavailable_within_the_timeout() {
    let options = StorageOptions { checkout_timeout: Duration::from_millis(200), ..StorageOptions::default() };
    let folder = tempfile::tempdir().unwrap();
    // Nothing listens on port 1, and a folder is no database file.
    for url in ["postgres://nobody@127.0.0.1:1/nothing".to_owned(), format!("sqlite://{}", folder.path().display())] {
        let storage = connect(&url, options.clone()).unwrap();
        for error in [storage.check().await.unwrap_err(), storage.migrate().await.unwrap_err()] {
            assert!(matches!(error, StorageError::Unavailable(_)), "{url}: {error:?}");
        }
    }
}

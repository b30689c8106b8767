//! A caller who stops waiting: nothing half done, and the storage goes on.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use module_monitor_domain::Scope;
use module_monitor_storage::{Page, SiteFilter, StorageOptions, Syncs};
use module_monitor_tests::backends::{TestDatabase, patient};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{modules, report};
use tokio::runtime::Builder;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::support::Reporter;

on_both_backends!(
    a_sync_dropped_at_any_statement_is_applied_whole,
    a_future_dropped_on_a_current_thread_runtime_harms_nothing,
    a_storage_may_be_dropped_inside_a_runtime,
);

/// Waits for syncs that nobody waits for any more. They are not cancelled, so this ends.
async fn until_done(database: &TestDatabase, syncs: i64) {
    let mut raw = database.raw().await;
    let done = async {
        while raw.number("SELECT count(*) FROM syncs").await < syncs {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(Duration::from_secs(60), done).await.expect("what has begun goes on to its end");
}

/// Every sync is in the audit log with all of its 30 events, and the site shows one report's version throughout.
async fn only_whole_syncs(database: &TestDatabase, site: &Reporter) {
    let mut raw = database.raw().await;
    let halves = format!("SELECT count(*) FROM change_sets WHERE {} <> 30", raw.changes_in_set());
    assert_eq!(raw.number(&halves).await, 0);
    let unaudited = "SELECT count(*) FROM change_sets WHERE sync_id NOT IN (SELECT id FROM syncs)";
    assert_eq!(raw.number(unaudited).await, 0);
    let eventless = "SELECT count(*) FROM syncs WHERE id NOT IN (SELECT sync_id FROM change_sets)";
    assert_eq!(raw.number(eventless).await, 0);
    let present = site.present().await;
    let versions: std::collections::BTreeSet<_> = present.iter().filter_map(|m| m.split(' ').nth(1)).collect();
    assert!(versions.len() <= 1 && [0, 30].contains(&present.len()), "{present:?}");
}

async fn a_sync_dropped_at_any_statement_is_applied_whole(database: TestDatabase) {
    // The caller's task is aborted while the n-th statement of its sync is sent.
    let trap: Arc<Mutex<Option<(i64, AbortHandle)>>> = Arc::default();
    let spring = Arc::clone(&trap);
    let on_statement: module_monitor_storage::StatementObserver = Arc::new(move |_| {
        let mut trap = spring.lock().expect("the trap");
        match trap.take() {
            Some((1, caller)) => caller.abort(),
            Some((n, caller)) => *trap = Some((n - 1, caller)),
            None => {}
        }
    });
    let options = StorageOptions { on_statement: Some(on_statement), ..patient(3) };
    let storage = database.open_with(options).await;
    let mut site = Reporter::new(&storage, "Hangs up").await;
    for round in 1..=26 {
        let sync = site.next(|at| report(Scope::Full, at, modules("m", 30, &format!("{round}.0.0"))));
        let work = Arc::clone(&storage);
        let (start, started) = tokio::sync::oneshot::channel::<()>();
        let caller = tokio::spawn(async move {
            let _ = started.await;
            work.apply_sync(sync).await
        });
        *trap.lock().expect("the trap") = Some((1 + round % 13, caller.abort_handle()));
        let _ = start.send(());
        let _aborted_or_done = caller.await;
        trap.lock().expect("the trap").take();
        only_whole_syncs(&database, &site).await;
        until_done(&database, round).await;
        only_whole_syncs(&database, &site).await;
        assert_eq!(site.present().await[0], format!("m_0000 {round}.0.0"));
    }
}

async fn a_future_dropped_on_a_current_thread_runtime_harms_nothing(database: TestDatabase) {
    let storage = database.open_with(patient(2)).await;
    let mut site = Reporter::new(&storage, "Hangs up").await;
    // All as old as the first, so that none is stale in whatever order they are applied.
    let made = site.at;
    let syncs: Vec<_> =
        (1..=60).map(|n| site.next(|_| report(Scope::Full, made, modules("m", 30, &format!("{n}.0.0"))))).collect();
    let (worker, id) = (Arc::clone(&storage), site.id);
    // As one of actix's workers, where waiting in a destructor would panic.
    let thread = std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            for (n, sync) in (0..).zip(syncs) {
                let patience = Duration::from_micros(n * 100);
                let _cut_off_or_done = timeout(patience, worker.apply_sync(sync)).await;
                drop(worker.find_site(id).now_or_never());
                drop(worker.list_sites(SiteFilter::default(), Page { limit: 10, after: None }).now_or_never());
            }
            worker.find_site(id).await.expect("a storage that works").expect("the site")
        })
    });
    let seen = tokio::task::spawn_blocking(move || thread.join()).await.expect("a thread");
    assert_eq!(seen.expect("no panic").id, site.id);
    until_done(&database, 60).await;
    only_whole_syncs(&database, &site).await;
    site.full(modules("m", 30, "61.0.0")).await;
    only_whole_syncs(&database, &site).await;
    assert_eq!(site.present().await[29], "m_0029 61.0.0");
}

async fn a_storage_may_be_dropped_inside_a_runtime(database: TestDatabase) {
    for _ in 0..3 {
        let storage = database.open_with(patient(2)).await;
        let mut site = Reporter::new(&storage, "Dropped").await;
        let sync = site.next(|at| report(Scope::Full, at, modules("m", 30, "1.0.0")));
        let unfinished = Arc::clone(&storage);
        let task = tokio::spawn(async move { Syncs::apply_sync(&*unfinished, sync).await });
        tokio::task::yield_now().await;
        task.abort();
        let _ = task.await;
        drop((storage, site));
    }
    let storage = database.open().await;
    storage.check().await.expect("a database that works");
}

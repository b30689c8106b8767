//! All connections are taken.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use module_monitor_tests::api::Answer;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::ledger::Ledger;
use module_monitor_tests::locks::SiteLock;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contribs, full, micros_of};
use module_monitor_tests::process::wait_for;
use module_monitor_tests::server::TestServer;

on_both_backends!(an_exhausted_pool_answers_503_and_recovers);

async fn an_exhausted_pool_answers_503_and_recovers(database: TestDatabase) {
    let server = TestServer::start_with(&database.url, |config| {
        config.database_connections = 1;
        config.database_checkout_timeout = Duration::from_secs(1);
    })
    .await;
    let (blocked, other) = (server.site("Blocked").await, server.site("Other").await);
    let api = &server.api;
    let applied = RefCell::new(BTreeSet::new());
    let sync_other = async || {
        let report = full(contribs("m", 4, "1.0.0"));
        let answer = api.sync(&other, &report).await;
        if answer.status == 200 {
            applied.borrow_mut().insert(micros_of(&report));
        }
        answer
    };

    let lock = SiteLock::take(&database.url, &blocked.id).await;
    let report = full(contribs("m", 3, "1.0.0"));
    let released = Cell::new(false);
    // Holds the only connection while it waits for the lock, and lets go of it for moments in between.
    let occupy = async {
        while !released.get() {
            let answer = api.sync(&blocked, &report).await;
            assert!([200, 503].contains(&answer.status), "{answer:?}");
        }
    };
    let observe = async {
        for _ in 0..2 {
            refused(async || api.get(&other.key, &other.modules("")).await).await;
            refused(async || api.get_open("/readyz").await).await;
            refused(sync_other).await;
            api.get_open("/healthz").await.ok();
        }
        released.set(true);
        lock.release().await;
    };
    tokio::join!(occupy, observe);

    wait_for("it is ready", async || (api.get_open("/readyz").await.status == 200).then_some(())).await;
    api.sync(&blocked, &full(contribs("m", 3, "1.0.0"))).await.ok();
    sync_other().await.ok();
    let ledger = Ledger::read(&database.url).await;
    ledger.assert_whole();
    assert_eq!(ledger.timestamps(&other), applied.take(), "every 200 is there, and no 503");
    assert_eq!((ledger.state(&blocked).len(), ledger.state(&other).len()), (3, 4));
    server.stop().await;
}

/// Asks until the answer is a 503; until then it must be a 200.
async fn refused(ask: impl AsyncFn() -> Answer) {
    let answer = wait_for("the pool is exhausted", async || Some(ask().await).filter(|a| a.status != 200)).await;
    answer.problem(503, "database-unavailable");
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
}

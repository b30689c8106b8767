//! SIGTERM while jobs are in hand.

use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::ledger::Ledger;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::state_of;
use module_monitor_tests::process::{ServerProcess, WorkerProcess, wait_for};
use module_monitor_tests::server::new_site;

use crate::support::{accept, becomes, count, heavy, job, jobs};

on_both_backends!(
    a_worker_finishes_what_it_has_in_hand_before_it_ends,
    a_worker_without_time_hands_its_jobs_back_at_once,
    a_server_hands_its_jobs_back_as_well,
);

async fn a_worker_finishes_what_it_has_in_hand_before_it_ends(database: TestDatabase) {
    let storage = database.open().await;
    let site = new_site(storage.as_ref(), "A site").await;
    drop(storage);
    let (url, mut raw) = (&database.url, database.raw().await);
    let server = ServerProcess::start(url, &["--workers", "0"]).await;
    let worker = WorkerProcess::start(url, &["--queue-grace", "1m"]).await;
    let report = heavy(0);
    let id = accept(&server.api, &site, &report).await;
    wait_for("it is taken", async || (job(&mut raw, &id).await.state != "queued").then_some(())).await;
    worker.terminate().await;
    let (status, log) = worker.wait().await;
    assert_eq!(status.code(), Some(0), "{log}");
    let done = job(&mut raw, &id).await;
    assert_eq!((done.state.as_str(), done.attempts), ("succeeded", 1));
    assert_eq!(Ledger::read(url).await.state(&site), state_of(&report));
    assert_eq!(raw.number("SELECT count(*) FROM workers").await, 0, "nobody waits for it");
    server.kill().await;
}

/// How many jobs may be done before a worker is stopped early enough.
const TRIES: usize = 30;

async fn a_worker_without_time_hands_its_jobs_back_at_once(database: TestDatabase) {
    let storage = database.open().await;
    let site = new_site(storage.as_ref(), "A site").await;
    drop(storage);
    let (url, mut raw) = (&database.url, database.raw().await);
    let server = ServerProcess::start(url, &["--workers", "0"]).await;
    for n in 0..TRIES {
        let worker = WorkerProcess::start(url, &["--queue-grace", "0s"]).await;
        let report = heavy(n);
        let id = accept(&server.api, &site, &report).await;
        wait_for("it is taken", async || (job(&mut raw, &id).await.state != "queued").then_some(())).await;
        worker.terminate().await;
        let (status, log) = worker.wait().await;
        assert_eq!(status.code(), Some(0), "{log}");
        // Applied, where it was about to be; never left to its lease.
        let left = job(&mut raw, &id).await;
        assert!(["succeeded", "queued"].contains(&left.state.as_str()), "{left:?}");
        if left.state == "queued" {
            assert_eq!(left.attempts, 0, "that was no attempt");
            let other = WorkerProcess::start(url, &[]).await;
            assert_eq!(becomes(&mut raw, &id, "succeeded").await.attempts, 1);
            assert_eq!(Ledger::read(url).await.state(&site), state_of(&report));
            other.kill().await;
            server.kill().await;
            return;
        }
    }
    panic!("no job was ever handed back");
}

async fn a_server_hands_its_jobs_back_as_well(database: TestDatabase) {
    let storage = database.open().await;
    let site = new_site(storage.as_ref(), "A site").await;
    drop(storage);
    let mut raw = database.raw().await;
    let server = ServerProcess::start(&database.url, &["--queue-grace", "0s"]).await;
    let id = accept(&server.api, &site, &heavy(0)).await;
    wait_for("it is taken", async || (job(&mut raw, &id).await.state != "queued").then_some(())).await;
    server.terminate().await;
    let (status, log) = server.wait().await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert_eq!(count(&jobs(&mut raw).await, &["running"]), 0, "{log}");
    let again = ServerProcess::start(&database.url, &[]).await;
    assert_eq!(becomes(&mut raw, &id, "succeeded").await.attempts, 1);
    again.kill().await;
}

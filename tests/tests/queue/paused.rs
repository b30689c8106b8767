//! A worker that stands still for longer than its lease, and then goes on as if nothing had happened.

use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::ledger::Ledger;
use module_monitor_tests::locks::SiteLock;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::state_of;
use module_monitor_tests::process::{ServerProcess, WorkerProcess, wait_for};
use module_monitor_tests::server::new_site;

use crate::support::{accept, becomes, heavy, job};

on_both_backends!(a_worker_that_was_paused_past_its_lease_applies_nothing);

/// How many jobs may be done before a worker is paused in the right moment.
const TRIES: usize = 30;

async fn a_worker_that_was_paused_past_its_lease_applies_nothing(database: TestDatabase) {
    let storage = database.open().await;
    let site = new_site(storage.as_ref(), "A site").await;
    drop(storage);
    let (url, mut raw) = (&database.url, database.raw().await);
    let server = ServerProcess::start(url, &["--workers", "0"]).await;
    let paused = WorkerProcess::start(url, &["--log-level", "debug"]).await;

    // It has taken the job, and has not begun to write.
    let mut caught = None;
    for n in 0..TRIES {
        let report = heavy(n);
        let id = accept(&server.api, &site, &report).await;
        wait_for("it is taken", async || (job(&mut raw, &id).await.state != "queued").then_some(())).await;
        paused.signal("STOP").await;
        let free = SiteLock::try_take(url, &site.id).await;
        let is_free = free.is_some();
        if let Some(lock) = free {
            lock.release().await;
        }
        if is_free && job(&mut raw, &id).await.state == "running" {
            caught = Some((id, report, n + 1));
            break;
        }
        paused.signal("CONT").await;
        becomes(&mut raw, &id, "succeeded").await;
    }
    let (id, report, applied) = caught.expect("a worker that reads for a while is caught at it");

    let other = WorkerProcess::start(url, &[]).await;
    assert_eq!(becomes(&mut raw, &id, "succeeded").await.attempts, 2);
    let before = Ledger::read(url).await;
    paused.signal("CONT").await;
    wait_for("it finds its lease gone", async || paused.log().contains("LeaseLost").then_some(())).await;
    let after = Ledger::read(url).await;
    after.assert_whole();
    assert_eq!((before.syncs(&site), before.events(&site)), (after.syncs(&site), after.events(&site)));
    assert_eq!((after.syncs(&site).len(), after.state(&site)), (applied, state_of(&report)));

    // It is as good as any other.
    other.kill().await;
    let next = accept(&server.api, &site, &heavy(TRIES)).await;
    becomes(&mut raw, &next, "succeeded").await;
    paused.kill().await;
    server.kill().await;
}

//! SIGTERM.

use futures::future::join_all;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::ledger::Ledger;
use module_monitor_tests::locks::SiteLock;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{of_stream, state_of};
use module_monitor_tests::process::{ServerProcess, wait_for};
use module_monitor_tests::rude::{begin_sync, end_sync};
use module_monitor_tests::server::new_site;
use tokio::io::AsyncWriteExt;

on_both_backends!(syncs_in_progress_are_answered_before_the_server_ends);

async fn syncs_in_progress_are_answered_before_the_server_ends(database: TestDatabase) {
    let storage = database.open().await;
    let sites = join_all((0..6).map(async |n| new_site(storage.as_ref(), &format!("Site {n}")).await)).await;
    drop(storage);
    let server = ServerProcess::start(&database.url, &[]).await;
    let report = of_stream(1);

    // Half of them have sent everything and wait for the database; half are in the middle of their body.
    let lock = SiteLock::take(&database.url, &sites[0].id).await;
    let mut begun = Vec::new();
    for (n, site) in sites.iter().enumerate() {
        let (mut stream, body) = begin_sync(server.api.addr, site, &report).await;
        let sent = if n % 2 == 0 { body.len() } else { body.len() / 2 };
        stream.write_all(&body[..sent]).await.expect("the server reads");
        begun.push((stream, body[sent..].to_vec()));
    }
    server.terminate().await;
    wait_for("it has seen the signal", async || server.log().contains("stopping").then_some(())).await;
    lock.release().await;
    let statuses = join_all(begun.into_iter().map(async |(stream, rest)| end_sync(stream, &rest).await)).await;
    assert_eq!(statuses, [200; 6]);

    let (status, log) = server.wait().await;
    assert_eq!(status.code(), Some(0), "{log}");
    let ledger = Ledger::read(&database.url).await;
    ledger.assert_whole();
    for site in &sites {
        assert_eq!(ledger.state(site), state_of(&report));
    }
}

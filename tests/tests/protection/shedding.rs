//! More than the server has room for, and clients that take their time.

use std::time::Duration;

use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contribs, described, full};
use module_monitor_tests::process::wait_for;
use module_monitor_tests::rude;
use module_monitor_tests::server::TestServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{raw_sync, remaining};

on_both_backends!(what_there_is_no_memory_for_is_refused_and_does_not_count);

/// Begins a sync of 16 MiB, sends so many bytes of it, and waits.
async fn hold(server: &TestServer, site: &TestSite, bytes: usize) -> TcpStream {
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nX-API-Key: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        site.sync_path(),
        site.key,
        16 << 20,
    );
    let mut stream = rude::connect(server.api.addr).await;
    stream.write_all(head.as_bytes()).await.expect("the server reads");
    stream.write_all(&vec![b' '; bytes]).await.expect("the server reads");
    stream
}

async fn what_there_is_no_memory_for_is_refused_and_does_not_count(database: TestDatabase) {
    let server = TestServer::start_with(&database.url, |config| config.body_memory_mib = 16).await;
    let (site, slow) = (server.site("A site").await, [server.site("Slow").await, server.site("Slower").await]);
    let report = full(contribs("m", 3, "1.0.0"));
    assert_eq!(remaining(&server.api.sync(&site, &report).await), Some(59));
    let large = full(described("large", 1500));
    assert!(large.to_string().len() > 450_000);

    // Of the 16 MiB there is less than half a one left.
    let streams = [hold(&server, &slow[0], 9 << 20).await, hold(&server, &slow[1], 13 << 19).await];
    let shed = async || Answer::of(raw_sync(&server.api, &site, large.to_string())).await;
    wait_for("the memory is taken", async || (shed().await.status == 503).then_some(())).await;
    for _ in 0..3 {
        let shed = shed().await;
        shed.problem(503, "overloaded");
        assert!(shed.header("retry-after").and_then(|wait| wait.parse::<u32>().ok()).is_some_and(|wait| wait > 0));
        assert_eq!(remaining(&shed), None);
    }
    // What needs no body is answered all the same.
    assert_eq!(server.api.list(&site.key, &site.modules(""), 10).await.len(), 3);
    server.api.get_open("/readyz").await.ok();

    // The memory comes back when the slow ones hang up, and the refused ones have not counted.
    let before = remaining(&server.api.sync(&site, &report).await).expect("small ones find room");
    drop(streams);
    let admitted = wait_for("there is room again", async || Some(shed().await).filter(|a| a.status != 503)).await;
    assert_eq!((admitted.status, remaining(&admitted)), (200, Some(before - 1)));

    let log = server.api.list(&site.key, &format!("/api/v1/sites/{}/syncs", site.id), 100).await;
    let shed: u64 = log.iter().filter(|e| e["reason"] == "overloaded").filter_map(|e| e["count"].as_u64()).sum();
    assert!(shed >= 4, "{log:?}");
    server.stop().await;
}

/// Whether the server ends the connection by itself, with or without a last word.
async fn is_cut_off(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    timeout(Duration::from_secs(30), stream.read_to_end(&mut rest)).await.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_finish_its_headers_is_cut_off() {
    let database = TestDatabase::new(Backend::Sqlite).await.expect("a file");
    let server = TestServer::start(&database).await;
    let mut stream = rude::connect(server.api.addr).await;
    stream.write_all(b"POST /api/v1/sites HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.expect("the server reads");
    assert!(is_cut_off(&mut stream).await);
    server.api.get_open("/healthz").await.ok();
    server.stop().await;
}

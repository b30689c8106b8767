//! More than the server has room for, and clients that take their time.

use std::time::Duration;

use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contribs, full};
use module_monitor_tests::process::wait_for;
use module_monitor_tests::rude;
use module_monitor_tests::server::TestServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{compress, raw_sync, remaining};

on_both_backends!(what_there_is_no_memory_for_is_refused_and_does_not_count);

/// Begins a compressed sync, which may need all the memory that a body may take.
async fn begin_compressed(server: &TestServer, site: &TestSite) -> TcpStream {
    let extra = "Content-Encoding: gzip\r\nExpect: 100-continue\r\n";
    let (head, _) = rude::sync_bytes(site, &full(contribs("m", 1, "1.0.0")), extra);
    let mut stream = rude::connect(server.api.addr).await;
    stream.write_all(&head).await.expect("the server reads");
    let answer = rude::read_head(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 100 "), "{answer}");
    stream
}

/// Begins a compressed sync and waits until it holds all the memory. The server says "100 Continue" a moment before it
/// takes the memory; where a probe has some of it at that moment, the sync is refused and begins again.
async fn hold_all_memory(server: &TestServer, site: &TestSite) -> TcpStream {
    let prober = server.site("Prober").await;
    let report = full(contribs("m", 3, "1.0.0"));
    wait_for("the memory is taken", async || {
        let stream = begin_compressed(server, site).await;
        while stream.try_read(&mut [0]).is_err() {
            if server.api.sync(&prober, &report).await.status == 503 {
                return Some(stream);
            }
        }
        None
    })
    .await
}

async fn what_there_is_no_memory_for_is_refused_and_does_not_count(database: TestDatabase) {
    let server = TestServer::start_with(&database.url, |config| config.body_memory_mib = 16).await;
    let (site, slow) = (server.site("A site").await, server.site("Slow").await);
    let report = full(contribs("m", 3, "1.0.0"));
    assert_eq!(remaining(&server.api.sync(&site, &report).await), Some(59));
    let body = compress("gzip", report.to_string().as_bytes()).await;
    let compressed = || Answer::of(raw_sync(&server.api, &site, body.clone()).header("Content-Encoding", "gzip"));

    let stream = hold_all_memory(&server, &slow).await;
    for _ in 0..3 {
        let shed = compressed().await;
        shed.problem(503, "overloaded");
        assert!(shed.header("retry-after").and_then(|wait| wait.parse::<u32>().ok()).is_some_and(|wait| wait > 0));
        assert_eq!(remaining(&shed), None);
        server.api.sync(&site, &report).await.problem(503, "overloaded");
    }
    // What needs no body is answered all the same.
    assert_eq!(server.api.list(&site.key, &site.modules(""), 10).await.len(), 3);
    server.api.get_open("/readyz").await.ok();

    // The memory comes back when the slow one hangs up, and the refused ones have not counted.
    drop(stream);
    let admitted = wait_for("there is room again", async || Some(compressed().await).filter(|a| a.status != 503)).await;
    assert_eq!((admitted.status, remaining(&admitted)), (200, Some(58)));

    let log = server.api.list(&site.key, &format!("/api/v1/sites/{}/syncs", site.id), 100).await;
    let shed: u64 = log.iter().filter(|e| e["reason"] == "overloaded").filter_map(|e| e["count"].as_u64()).sum();
    assert!(shed >= 6, "{log:?}");
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

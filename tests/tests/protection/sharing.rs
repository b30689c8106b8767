//! What one client takes, in sockets and in memory, is not missing when another comes.

use std::net::SocketAddr;
use std::time::Duration;

use futures::future::join_all;
use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contrib, contribs, full};
use module_monitor_tests::process::{ServerProcess, wait_for};
use module_monitor_tests::rude;
use module_monitor_tests::server::{TestServer, new_site};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::remaining;

on_both_backends!(slow_bodies_of_one_key_leave_room_for_others);

const MIB: usize = 1024 * 1024;

/// Begins a sync of so many MiB, sends so many bytes of it, and leaves it at that.
async fn stall(server: SocketAddr, site: &TestSite, announced_mib: usize, sent: usize) -> TcpStream {
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nX-API-Key: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        site.sync_path(),
        site.key,
        announced_mib * MIB,
    );
    let mut stream = rude::connect(server).await;
    stream.write_all(head.as_bytes()).await.expect("the server reads");
    // Where there is no room the server says so, and reads no more.
    let _ = timeout(Duration::from_secs(5), stream.write_all(&vec![b' '; sent])).await;
    stream
}

/// Whether the server has closed the connection, without a word.
async fn is_closed(stream: &mut TcpStream) -> bool {
    matches!(timeout(Duration::from_millis(200), stream.read(&mut [0])).await, Ok(Ok(0) | Err(_)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_sockets_of_one_client_keep_nobody_out() {
    let database = TestDatabase::new(Backend::Sqlite).await.expect("a file");
    let server = TestServer::start_with(&database.url, |config| config.max_connections = 16).await;
    let (site, other) = (server.site("A site").await, server.site("Another").await);
    let mut idle = Vec::new();
    for n in 0..16 {
        let mut stream = rude::connect(server.api.addr).await;
        if n % 2 == 0 {
            stream.write_all(b"POST /api/v1/sites HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.expect("the server reads");
        }
        idle.push(stream);
    }
    // From the same address, over connections of their own.
    for (site, version) in [(&site, "1.0.0"), (&other, "1.0.0"), (&site, "1.1.0")] {
        let alone = reqwest::Client::new();
        let path = format!("http://{}{}", server.api.addr, site.sync_path());
        let request = alone.post(path).header("X-API-Key", &site.key).json(&full(contribs("m", 3, version)));
        assert_eq!(timeout(Duration::from_secs(8), Answer::of(request)).await.expect("soon").status, 200);
    }
    let mut closed = 0;
    for stream in &mut idle {
        closed += usize::from(is_closed(stream).await);
    }
    assert!(
        (12..16).contains(&closed),
        "{closed} of sixteen: an address has a share of the strangers, and loses the oldest"
    );
    drop(idle);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_serves_as_many_connections_as_it_may_open_files() {
    let database = TestDatabase::new(Backend::Sqlite).await.expect("a file");
    let server = ServerProcess::start(&database.url, &["--max-connections", "1000000"]).await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).expect("Linux");
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).expect("the limit of files");
    let files: Vec<&str> = files.split_whitespace().collect();
    assert_eq!(files[0], files[1], "it is raised as far as it may be");
    let enough = files[0].parse().is_ok_and(|files: u64| files > 1_500_200);
    assert_eq!(server.log().contains("the limit of open files allows fewer connections"), !enough, "{files:?}");
    server.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_only_announced_takes_no_memory() {
    let database = TestDatabase::new(Backend::Sqlite).await.expect("a file");
    let server = TestServer::start_with(&database.url, |config| config.body_memory_mib = 16).await;
    let (site, other) = (server.site("A site").await, server.site("Another").await);
    let heads = join_all((0..20).map(|_| stall(server.api.addr, &site, 16, 0))).await;
    for site in [&site, &other] {
        assert_eq!(server.api.sync(site, &full(contribs("m", 300, "1.0.0"))).await.counts(), (300, 0, 0));
    }
    drop(heads);
    server.stop().await;
}

async fn slow_bodies_of_one_key_leave_room_for_others(database: TestDatabase) {
    let server = TestServer::start_with(&database.url, |config| config.body_memory_mib = 64).await;
    let (slow, other) = (server.site("Slow").await, server.site("Another").await);
    // Twice as much as there is in all, and it stays.
    let mut stalled = join_all((0..16).map(|_| stall(server.api.addr, &slow, 16, 8 * MIB))).await;
    for (n, left) in [(1, 59), (2, 58), (3, 57)] {
        let answer = server.api.sync(&other, &full(contribs("m", 990 + n, "1.0.0"))).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(remaining(&answer), Some(left));
    }
    // The slow one has no more than its share itself, and what it is refused for that does not count.
    let refused = stalled.iter_mut().map(async |stream| {
        timeout(Duration::from_millis(200), rude::read_head(stream)).await.is_ok_and(|head| head.contains(" 503 "))
    });
    let refused = join_all(refused).await.into_iter().filter(|refused| *refused).count();
    assert!((8..16).contains(&refused), "{refused}");
    drop(stalled);
    let report = full(contribs("m", 3, "1.0.0"));
    let admitted = wait_for("there is room again", async || {
        Some(server.api.sync(&slow, &report).await).filter(|answer| answer.status == 200)
    })
    .await;
    assert!(remaining(&admitted).is_some_and(|left| left >= 60 - 8), "eight of them fit at most: {admitted:?}");
    server.stop().await;
}

/// A report of almost 16 MiB.
fn large(n: usize) -> Value {
    let described = |i: usize| {
        let mut module = contrib(&format!("large_{i:04}"), &format!("1.{n}.0"));
        module["description"] = "Does a thing. ".repeat(590).into();
        module
    };
    full((0..1900).map(described).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_large_bodies_at_once_take_no_more_than_the_budget() {
    let database = TestDatabase::new(Backend::Sqlite).await.expect("a file");
    let storage = database.open().await;
    let mut sites = Vec::new();
    for n in 0..6 {
        sites.push(new_site(storage.as_ref(), &format!("Site {n}")).await);
    }
    drop(storage);
    let args = ["--body-memory", "64", "--queue-max-bytes", "1", "--queue-threshold", "1"];
    let server = ServerProcess::start(&database.url, &args).await;
    server.api.sync(&sites[0], &full(contribs("m", 1, "1.0.0"))).await.ok();
    let quiet = server.peak_memory_kib();
    let report = large(1).to_string();
    assert!(report.len() > 15 * MIB && report.len() < 16 * MIB, "{}", report.len());
    let mut read = 0;
    for _ in 0..2 {
        let sent = sites
            .iter()
            .flat_map(|site| [site, site])
            .map(async |site| crate::support::send(&server.api, site, report.clone()).await);
        for answer in join_all(sent).await {
            assert_eq!(answer.status, 503, "{}", answer.text);
            // What was read whole is refused by the queue, which takes nothing here.
            read += usize::from(answer.json()["code"] == "queue-full");
        }
    }
    assert!(read >= 2, "{read}");
    let peak = server.peak_memory_kib();
    // As much again as the budget for sockets, threads and the allocator.
    assert!(peak < quiet + 128 * 1024, "{} MiB at first, {} MiB after", quiet / 1024, peak / 1024);
    server.kill().await;
}

//! Small bodies that become large ones: the process stays small. On its own binary, because a test's memory is its own.

use futures::future::join_all;
use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contribs, full};
use module_monitor_tests::process::ServerProcess;
use module_monitor_tests::server::new_site;

use crate::support::{compress, raw_sync, remaining};

on_both_backends!(thirty_bombs_at_once_cost_little_memory);

const MIB: usize = 1024 * 1024;

/// Bodies of at most a few hundred KiB that would be 17 to 512 MiB.
async fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let spaces = vec![b' '; 4 * MIB];
    // Members and frames follow each other; brotli knows no such thing.
    let gzip = compress("gzip", &spaces).await.repeat(20);
    let zstd = compress("zstd", &spaces).await.repeat(128);
    let brotli = compress("br", &vec![b' '; 17 * MIB]).await;
    let bombs = vec![("gzip", gzip), ("zstd", zstd), ("br", brotli)];
    assert!(bombs.iter().all(|(_, body)| body.len() < MIB), "these are no bombs");
    bombs
}

async fn throw(
    server: &ServerProcess,
    site: &TestSite,
    bombs: &[(&'static str, Vec<u8>)],
    count: usize,
) -> Vec<Answer> {
    join_all(bombs.iter().cycle().take(count).map(|(encoding, body)| {
        Answer::of(raw_sync(&server.api, site, body.clone()).header("Content-Encoding", *encoding))
    }))
    .await
}

async fn thirty_bombs_at_once_cost_little_memory(database: TestDatabase) {
    let site = new_site(database.open().await.as_ref(), "A site").await;
    // So much for bodies, and as much again for everything else.
    let server = ServerProcess::start(&database.url, &["--rate-limit", "1000000", "--body-memory", "64"]).await;
    server.api.sync(&site, &full(contribs("m", 300, "1.0.0"))).await.ok();
    let quiet = server.peak_memory_kib();
    let bombs = bombs().await;
    let mut read = 0;
    for _ in 0..3 {
        for answer in throw(&server, &site, &bombs, 30).await {
            match answer.status {
                413 => {
                    answer.problem(413, "body-too-large");
                    read += 1;
                }
                _ => {
                    answer.problem(503, "overloaded");
                    assert_eq!(remaining(&answer), None, "what is shed does not count");
                }
            }
        }
    }
    assert!(read >= 3, "{read}");
    let peak = server.peak_memory_kib();
    assert!(peak < 150 * 1024, "{} MiB at first, {} MiB after the bombs", quiet / 1024, peak / 1024);
    assert_eq!(server.api.sync(&site, &full(contribs("m", 301, "1.0.0"))).await.counts(), (1, 0, 0));
    server.terminate().await;
    let (status, log) = server.wait().await;
    assert!(status.success() && !log.contains("panic"), "{log}");
}

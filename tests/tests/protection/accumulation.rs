//! A key that sends as much as it may, for long: what is left of it in the database and in memory is bounded, and its
//! neighbour's figures and answers stay what they are.

use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contribs, full};
use module_monitor_tests::process::ServerProcess;
use module_monitor_tests::server::new_site;
use serde_json::{Value, json};

use crate::support::{compress, raw_sync};

on_both_backends!(small_bodies_that_say_much_leave_little_behind);

const MIB: i64 = 1024 * 1024;

/// A report of 2000 modules that exist nowhere else, with some 15 MiB of words, of which nothing is left when compressed.
fn words(n: usize, custom: bool) -> Value {
    let module = |i: usize| {
        json!({
            "machine_name": format!("made_up_{n}_{i}"), "name": format!("Made up {i}"), "version": format!("1.{n}.{i}"),
            "type": if custom { "custom" } else { "contrib" }, "status": true, "description": "w".repeat(7_500),
        })
    };
    full((0..2000).map(module).collect())
}

async fn bytes_of(database: &TestDatabase) -> i64 {
    match database.backend() {
        Backend::Postgres => database.raw().await.number("SELECT pg_database_size(current_database())").await,
        Backend::Sqlite => {
            let path = database.url.strip_prefix("sqlite://").expect("a path");
            std::fs::metadata(path).expect("the file").len().cast_signed()
        }
    }
}

async fn small_bodies_that_say_much_leave_little_behind(database: TestDatabase) {
    let storage = database.open().await;
    let hacked = new_site(storage.as_ref(), "Hacked").await;
    let neighbour = new_site(storage.as_ref(), "Neighbour").await;
    // It may send as fast as it can.
    let arguments = ["--rate-limit", "1000", "--queue-threshold", "2000", "--site-changes", "1000000"];
    let server = ServerProcess::start(&database.url, &arguments).await;
    let report = full(contribs("m", 190, "1.0.0"));
    server.api.sync(&neighbour, &report).await.ok();
    let before = bytes_of(&database).await;
    for n in 0..12 {
        let body = compress("gzip", words(n, n % 2 == 0).to_string().as_bytes()).await;
        assert!(body.len() < 200_000, "{} bytes are no small body", body.len());
        let answer = send_compressed(&server, &hacked, body).await.ok();
        assert_eq!((&answer["processed_count"], &answer["new_modules"]), (&json!(2000), &json!(2000)));
        if n % 4 == 0 {
            assert_eq!(server.api.sync(&neighbour, &report).await.counts(), (0, 0, 0));
        }
    }
    let grown = (bytes_of(&database).await - before) / MIB;
    assert!(grown < 60, "{grown} MiB of database for 12 reports of 15 MiB each");
    let peak = server.peak_memory_kib() / 1024;
    assert!(peak < 300, "{peak} MiB of memory");
    // Every list of it is answered in parts, each of them small.
    let path = format!("{}?removed=true&limit=1000", hacked.modules(""));
    let answer = server.api.get(&hacked.key, &path).await;
    assert!(answer.text.len() < 4 * 1024 * 1024, "{} bytes", answer.text.len());
    server.kill().await;
}

async fn send_compressed(server: &ServerProcess, site: &TestSite, body: Vec<u8>) -> Answer {
    Answer::of(raw_sync(&server.api, site, body).header("Content-Encoding", "gzip")).await
}

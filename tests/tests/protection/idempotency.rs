//! `Idempotency-Key`, as a client uses it that does not know whether its last request arrived.

use futures::future::join_all;
use module_monitor_tests::api::Answer;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{again, contribs, full};
use module_monitor_tests::server::TestServer;

use crate::support::{compress, raw_sync, remaining, send_keyed};

on_both_backends!(
    a_repetition_gets_the_first_answer,
    another_body_is_refused,
    a_key_that_is_no_key_is_refused,
    repetitions_count_in_the_rate_limit,
    the_decoded_body_counts_not_how_it_was_sent,
    of_many_at_once_one_is_applied,
);

fn replayed(answer: &Answer) -> bool {
    answer.header("idempotent-replayed") == Some("true")
}

async fn a_repetition_gets_the_first_answer(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let report = full(contribs("m", 3, "1.0.0"));
    let first = send_keyed(&server.api, &site, "cron 1!", &report).await;
    assert_eq!(first.counts(), (3, 0, 0));
    assert_eq!(first.header("idempotent-replayed"), None);
    let second = send_keyed(&server.api, &site, "cron 1!", &report).await;
    assert_eq!(second.ok(), first.ok(), "the same answer, counts and sync_id included");
    assert!(replayed(&second));

    // By now it is stale, and only under its key still welcome.
    server.api.sync(&site, &again(&full(contribs("m", 4, "1.0.0")))).await.ok();
    server.api.sync(&site, &report).await.problem(409, "stale-sync");
    let third = send_keyed(&server.api, &site, "cron 1!", &report).await;
    assert!(replayed(&third) && third.ok() == first.ok());
    assert_eq!(database.raw().await.number("SELECT count(*) FROM syncs").await, 2);
    server.stop().await;
}

async fn another_body_is_refused(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let (site, other) = (server.site("A site").await, server.site("Another").await);
    let report = full(contribs("m", 3, "1.0.0"));
    send_keyed(&server.api, &site, "k", &report).await.ok();
    let changed = full(contribs("m", 4, "1.0.0"));
    let refused = send_keyed(&server.api, &site, "k", &changed).await;
    refused.problem(422, "idempotency-key-reused");
    assert!(!replayed(&refused));
    assert_eq!(send_keyed(&server.api, &site, "K", &changed).await.counts(), (1, 0, 0));
    let elsewhere = send_keyed(&server.api, &other, "k", &changed).await;
    assert_eq!((elsewhere.counts(), replayed(&elsewhere)), ((4, 0, 0), false), "a key is one site's own");

    // What was refused left no key behind.
    let mut wrong = changed.clone();
    wrong["php_version"] = "latest".into();
    send_keyed(&server.api, &site, "later", &wrong).await.problem(422, "validation-failed");
    let corrected = send_keyed(&server.api, &site, "later", &again(&changed)).await;
    assert!(corrected.status == 200 && !replayed(&corrected));
    server.stop().await;
}

async fn a_key_that_is_no_key_is_refused(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let report = full(contribs("m", 3, "1.0.0"));
    let (longest, too_long) = ("x".repeat(255), "x".repeat(256));
    for bad in [&b""[..], b" ", b"caf\xc3\xa9", b"\xff", b"a\tb", too_long.as_bytes()] {
        let answer = Answer::of(server.api.sync_request(&site, &report).header("Idempotency-Key", bad)).await;
        let problem = answer.problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["pointer"], "/header/Idempotency-Key", "{bad:?}");
        assert!(remaining(&answer).is_some(), "it was admitted, and counts");
    }
    let twice = server.api.sync_request(&site, &report).header("Idempotency-Key", "a").header("Idempotency-Key", "a");
    Answer::of(twice).await.problem(422, "validation-failed");
    assert!(server.api.list(&site.key, &site.modules(""), 100).await.is_empty());
    send_keyed(&server.api, &site, &longest, &report).await.ok();
    assert!(replayed(&send_keyed(&server.api, &site, &longest, &report).await));
    server.stop().await;
}

async fn repetitions_count_in_the_rate_limit(database: TestDatabase) {
    let server = TestServer::start_with(&database.url, |config| config.rate_limit = 3).await;
    let site = server.site("A site").await;
    let report = full(contribs("m", 3, "1.0.0"));
    for left in [2, 1, 0] {
        let answer = send_keyed(&server.api, &site, "k", &report).await;
        assert_eq!((answer.status, remaining(&answer)), (200, Some(left)));
    }
    send_keyed(&server.api, &site, "k", &report).await.problem(429, "rate-limited");
    server.stop().await;
}

async fn the_decoded_body_counts_not_how_it_was_sent(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let report = full(contribs("m", 30, "1.0.0"));
    let plain = report.to_string();
    let first = send_keyed(&server.api, &site, "k", &report).await.ok();
    for encoding in ["gzip", "br", "zstd"] {
        let body = compress(encoding, plain.as_bytes()).await;
        let request = raw_sync(&server.api, &site, body).header("Content-Encoding", encoding);
        let answer = Answer::of(request.header("Idempotency-Key", "k")).await;
        assert!(replayed(&answer) && answer.ok() == first, "{encoding}");
    }
    let spaced = raw_sync(&server.api, &site, format!("{plain} ")).header("Idempotency-Key", "k");
    Answer::of(spaced).await.problem(422, "idempotency-key-reused");
    server.stop().await;
}

async fn of_many_at_once_one_is_applied(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let report = full(contribs("m", 50, "1.0.0"));
    let answers = join_all((0..10).map(|_| send_keyed(&server.api, &site, "k", &report))).await;
    let first = answers[0].ok();
    assert!(answers.iter().all(|answer| answer.ok() == first), "{answers:#?}");
    assert_eq!(answers.iter().filter(|answer| replayed(answer)).count(), 9);
    assert_eq!(first["new_modules"], 50);
    assert_eq!(database.raw().await.number("SELECT count(*) FROM syncs").await, 1);
    server.stop().await;
}

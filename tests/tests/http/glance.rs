//! Known modules are not read again, and the answer is the same.

use module_monitor_tests::api::{Answer, Api, TestSite};
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contribs, full, timestamp};
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::reports::now;
use module_monitor_tests::server::TestServer;
use reqwest::Method;
use serde_json::{Value, json};

on_both_backends!(
    an_unchanged_report_is_answered_at_a_glance,
    an_unchanged_report_of_many_modules_never_goes_to_the_queue,
    a_report_that_is_wrong_around_its_modules_says_so,
);

/// A report of `modules`, made now, as a client wrote it.
fn written(modules: &str) -> String {
    let at = timestamp(now());
    format!(
        r#"{{"site_info":{{"name":"A site"}},"drupal_version":"10.3.6","php_version":"8.3.0","sync_timestamp":"{at}","modules":{modules}}}"#
    )
}

async fn send(api: &Api, site: &TestSite, headers: &[(&str, &str)], body: String) -> Answer {
    let request = api.request(Method::POST, &site.sync_path());
    let request = request.header("X-API-Key", &site.key).header("Content-Type", "application/json").body(body);
    Answer::of(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

/// Spoils the fingerprint, so that who reads the modules finds them changed and writes another.
async fn spoil(raw: &mut RawConnection) {
    let nothing = if raw.backend() == Backend::Sqlite { "x'00'" } else { "'\\x00'" };
    raw.execute(&format!("UPDATE sites SET fingerprint = {nothing}")).await;
}

async fn is_spoilt(raw: &mut RawConnection) -> bool {
    raw.number("SELECT count(*) FROM sites WHERE length(fingerprint) = 1").await == 1
}

fn comparable(answer: &Answer) -> Value {
    let mut json = answer.ok();
    for own in ["sync_id", "processing_time_ms", "next_sync_after"] {
        json[own].take();
    }
    json
}

async fn an_unchanged_report_is_answered_at_a_glance(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let mut raw = database.raw().await;
    let modules = json!(contribs("m", 300, "1.0.0")).to_string();
    assert_eq!(send(&server.api, &site, &[], written(&modules)).await.counts(), (300, 0, 0));
    let read = send(&server.api, &site, &[], written(&modules.replace("},{", "},\n{"))).await;
    send(&server.api, &site, &[], written(&modules)).await.ok();
    spoil(&mut raw).await;
    for headers in [
        &[][..],
        &[("Prefer", "handling=lenient")],
        &[("Prefer", "handling=lenient"), ("Idempotency-Key", "cron")],
        &[("Prefer", "wait=0")],
    ] {
        let glanced = send(&server.api, &site, headers, written(&modules)).await;
        assert_eq!(comparable(&glanced), comparable(&read), "{headers:?}");
        assert_eq!(glanced.ok()["processed_count"], 300);
        assert!(is_spoilt(&mut raw).await, "{headers:?}: nobody has read the modules");
    }
    let other = send(&server.api, &site, &[], written(&modules.replace("},{", "}, {"))).await;
    assert_eq!(comparable(&other), comparable(&read));
    assert!(!is_spoilt(&mut raw).await, "these are other bytes");
    server.stop().await;
}

async fn an_unchanged_report_of_many_modules_never_goes_to_the_queue(database: TestDatabase) {
    let server = TestServer::start_with(&database.url, |config| {
        config.queue.threshold = 2_000;
        config.queue.workers = 0;
    })
    .await;
    let site = server.site("A site").await;
    let modules = json!(contribs("m", 2_000, "1.0.0")).to_string();
    assert_eq!(send(&server.api, &site, &[], written(&modules)).await.counts(), (2_000, 0, 0));
    server.stop().await;

    let server = TestServer::start_with(&database.url, |config| {
        config.queue.threshold = 5;
        config.queue.workers = 0;
    })
    .await;
    let mut raw = database.raw().await;
    spoil(&mut raw).await;
    let unchanged = send(&server.api, &site, &[("Idempotency-Key", "cron")], written(&modules)).await;
    assert_eq!(unchanged.ok()["processed_count"], 2_000);
    assert!(is_spoilt(&mut raw).await);
    assert_eq!(raw.number("SELECT count(*) FROM jobs").await, 0);
    // Whoever would rather not wait is taken at their word.
    let preferred = send(&server.api, &site, &[("Prefer", "respond-async")], written(&modules)).await;
    assert_eq!(preferred.status, 202);
    let behind = send(&server.api, &site, &[("Prefer", "wait=0")], written(&modules)).await;
    assert_eq!(behind.status, 202, "it must not overtake");
    server.stop().await;
}

async fn a_report_that_is_wrong_around_its_modules_says_so(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let modules = contribs("m", 3, "1.0.0");
    server.api.sync(&site, &full(modules.clone())).await.ok();
    for (field, wrong) in [("php_version", json!("latest")), ("site_info", json!("x")), ("facts", json!([1]))] {
        let mut report = full(modules.clone());
        report[field] = wrong;
        let problem = server.api.sync(&site, &report).await.problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["pointer"], format!("/{field}"));
    }
    let mut ahead = full(modules.clone());
    ahead["sync_timestamp"] = timestamp(now() + time::Duration::DAY).into();
    let problem = server.api.sync(&site, &ahead).await.problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["code"], "in-the-future");
    server.stop().await;
}

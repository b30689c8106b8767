//! Reports that go through the queue, as their senders meet them. The server of most stories has no worker, so that what
//! is queued stays there until a second server on the same database takes it out.

use std::time::Duration;

use module_monitor_tests::api::{Answer, Api, TestSite};
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{again, contrib, contribs, full, partial, report_at, state_of};
use module_monitor_tests::process::wait_for;
use module_monitor_tests::reports::now;
use module_monitor_tests::server::TestServer;
use serde_json::{Value, json};

on_both_backends!(
    a_large_report_is_queued_and_answered_like_any_other,
    without_a_worker_a_large_report_is_accepted_for_later,
    a_report_of_a_site_that_waits_joins_the_queue,
    who_does_not_want_to_wait_does_not,
    what_was_honoured_is_said_and_nothing_else,
    an_invalid_report_is_refused_before_it_is_queued,
    lenient_handling_survives_the_queue,
    a_full_queue_asks_to_come_back,
    a_repetition_gets_the_state_of_the_first,
    who_waits_for_a_report_that_is_refused_hears_of_it,
    a_superseded_report_is_told_as_such,
    only_its_own_site_sees_a_queued_sync,
    a_server_that_stops_keeps_nobody_waiting,
    the_metrics_show_the_queue,
);

/// A server that queues reports of more than five modules and takes nothing out.
async fn without_worker(database: &TestDatabase) -> TestServer {
    TestServer::start_with(&database.url, |config| {
        config.queue.threshold = 5;
        config.queue.workers = 0;
        config.queue.wait_cap = Duration::from_secs(100);
    })
    .await
}

/// A server that does both.
async fn with_worker(database: &TestDatabase) -> TestServer {
    TestServer::start_with(&database.url, |config| {
        config.queue.threshold = 5;
        config.queue.workers = 2;
        config.queue.wait_cap = Duration::from_secs(100);
    })
    .await
}

async fn prefer(api: &Api, site: &TestSite, preferences: &str, report: &Value) -> Answer {
    Answer::of(api.sync_request(site, report).header("Prefer", preferences)).await
}

/// Sends a report and waits for its result however long that takes.
async fn patiently(api: &Api, site: &TestSite, report: &Value) -> Answer {
    prefer(api, site, "wait=100", report).await
}

/// The body of what must be a 202, with everything that belongs to one.
fn accepted(answer: &Answer) -> Value {
    assert_eq!(answer.status, 202, "{}", answer.text);
    let body = answer.json();
    let location = format!("/api/v1/syncs/{}", body["sync_id"].as_str().expect("a sync id"));
    assert_eq!(answer.header("location"), Some(&*location));
    assert!(answer.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok()), "{answer:?}");
    body
}

async fn show(api: &Api, site: &TestSite, body: &Value) -> Value {
    let id = body["sync_id"].as_str().expect("a sync id");
    api.get(&site.key, &format!("/api/v1/syncs/{id}")).await.ok()
}

/// What became of a sync, once it has ended.
async fn ended(api: &Api, site: &TestSite, body: &Value) -> Value {
    wait_for("the sync ends", async || {
        let shown = show(api, site, body).await;
        let waits = shown["status"] == "queued" || shown["status"] == "running";
        (!waits).then_some(shown)
    })
    .await
}

fn keys(value: &Value) -> Vec<&String> {
    value.as_object().expect("an object").keys().collect()
}

async fn a_large_report_is_queued_and_answered_like_any_other(database: TestDatabase) {
    let server = with_worker(&database).await;
    let site = server.site("A site").await;
    let direct = server.api.sync(&site, &full(contribs("m", 5, "1.0.0"))).await;
    let large = full(contribs("m", 6, "2.0.0"));
    let queued = patiently(&server.api, &site, &large).await;
    assert_eq!((direct.counts(), queued.counts()), ((5, 0, 0), (1, 5, 0)));
    assert_eq!(keys(&direct.ok()), keys(&queued.ok()));
    let mut raw = database.raw().await;
    assert_eq!(raw.texts("SELECT state FROM jobs").await, ["succeeded"]);
    let shown = show(&server.api, &site, &queued.ok()).await;
    assert_eq!((&shown["result"], &shown["attempts"]), (&queued.ok(), &json!(1)));

    // The same again changes nothing, and needs no queue.
    let unchanged = prefer(&server.api, &site, "wait=0", &again(&large)).await;
    assert_eq!(unchanged.counts(), (0, 0, 0));
    assert_eq!(raw.number("SELECT count(*) FROM jobs").await, 1);
    server.stop().await;
}

async fn without_a_worker_a_large_report_is_accepted_for_later(database: TestDatabase) {
    let server = without_worker(&database).await;
    let site = server.site("A site").await;
    let report = full(contribs("m", 300, "1.0.0"));
    // Nobody is at work, so there is nothing to wait for.
    let body = accepted(&prefer(&server.api, &site, "wait=100", &report).await);
    assert_eq!((&body["status"], &body["attempts"], &body["reason"]), (&json!("queued"), &json!(0), &Value::Null));
    assert_eq!(show(&server.api, &site, &body).await, body);
    assert!(server.api.list(&site.key, &site.modules(""), 100).await.is_empty());
    let log = server.api.list(&site.key, &format!("/api/v1/sites/{}/syncs", site.id), 10).await;
    assert_eq!(log, std::slice::from_ref(&body));
    server.stop().await;

    let server = with_worker(&database).await;
    let shown = ended(&server.api, &site, &body).await;
    assert_eq!((&shown["status"], &shown["result"]["new_modules"]), (&json!("succeeded"), &json!(300)));
    assert_eq!((&shown["result"]["sync_id"], &shown["received_at"]), (&body["sync_id"], &body["received_at"]));
    assert_eq!(server.api.list(&site.key, &site.modules(""), 1000).await.len(), 300);
    let log = server.api.list(&site.key, &format!("/api/v1/sites/{}/syncs", site.id), 10).await;
    assert_eq!((log.len(), &log[0]["status"]), (1, &json!("succeeded")));
    server.stop().await;
}

async fn a_report_of_a_site_that_waits_joins_the_queue(database: TestDatabase) {
    let server = without_worker(&database).await;
    let (site, other) = (server.site("A site").await, server.site("Another").await);
    let large = full(contribs("m", 6, "1.0.0"));
    let first = accepted(&server.api.sync(&site, &large).await);
    let small = accepted(&server.api.sync(&site, &partial(vec![contrib("m_0000", "2.0.0")])).await);
    let same = accepted(&server.api.sync(&site, &partial(vec![contrib("m_0000", "3.0.0")])).await);
    server.api.sync(&other, &full(contribs("m", 5, "1.0.0"))).await.ok();
    server.stop().await;

    let server = with_worker(&database).await;
    for body in [&first, &small, &same] {
        assert_eq!(ended(&server.api, &site, body).await["status"], "succeeded");
    }
    let changes = ["installed - -> 1.0.0", "version_changed 1.0.0 -> 2.0.0", "version_changed 2.0.0 -> 3.0.0"];
    assert_eq!(server.api.history(&site, "m_0000").await, changes);
    server.stop().await;
}

async fn who_does_not_want_to_wait_does_not(database: TestDatabase) {
    let server = without_worker(&database).await;
    let site = server.site("A site").await;
    let report = full(contribs("m", 3, "1.0.0"));
    server.api.sync(&site, &report).await.ok();
    // Small and unchanged, and still queued: that is what was asked for.
    let answer = prefer(&server.api, &site, "respond-async", &again(&report)).await;
    assert_eq!(answer.header("preference-applied"), Some("respond-async"));
    let body = accepted(&answer);
    server.stop().await;
    let server = with_worker(&database).await;
    assert_eq!(ended(&server.api, &site, &body).await["result"]["processed_count"], 3);
    server.stop().await;
}

async fn what_was_honoured_is_said_and_nothing_else(database: TestDatabase) {
    let server = with_worker(&database).await;
    let site = server.site("A site").await;
    let applied = async |preferences: &str, size: usize| {
        let answer = prefer(&server.api, &site, preferences, &full(contribs("m", size, "1.0.0"))).await;
        assert!([200, 202].contains(&answer.status), "{}", answer.text);
        answer.header("preference-applied").map(str::to_owned)
    };
    assert_eq!(applied("wait=100", 3).await, None, "it was not queued");
    assert_eq!(applied("wait=100", 6).await.as_deref(), Some("wait=100"));
    assert_eq!(applied("wait=101", 7).await, None, "longer than anybody may wait");
    assert_eq!(applied("foo, wait=soon", 8).await, None);
    let all = "handling=lenient, respond-async, wait=100";
    assert_eq!(applied("wait=100; x, respond-async, handling=lenient", 9).await.as_deref(), Some(all));
    server.stop().await;
}

async fn an_invalid_report_is_refused_before_it_is_queued(database: TestDatabase) {
    let server = without_worker(&database).await;
    let site = server.site("A site").await;
    let mut invalid = full(contribs("m", 6, "1.0.0"));
    invalid["modules"][3]["version"] = "latest".into();
    prefer(&server.api, &site, "respond-async", &invalid).await.problem(422, "validation-failed");
    let future = report_at(now() + time::Duration::HOUR, contribs("m", 6, "1.0.0"));
    prefer(&server.api, &site, "respond-async", &future).await.problem(422, "validation-failed");
    let first = full(contribs("m", 3, "1.0.0"));
    server.api.sync(&site, &full(contribs("m", 3, "1.0.0"))).await.ok();
    prefer(&server.api, &site, "respond-async", &first).await.problem(409, "stale-sync");
    assert_eq!(database.raw().await.number("SELECT count(*) FROM jobs").await, 0);
    server.stop().await;
}

async fn lenient_handling_survives_the_queue(database: TestDatabase) {
    let server = with_worker(&database).await;
    let site = server.site("A site").await;
    let report = full(contribs("m", 8, "1.0.0"));
    patiently(&server.api, &site, &report).await.ok();
    let mut flawed = full(contribs("m", 7, "2.0.0"));
    flawed["modules"][3]["version"] = "latest".into();
    let answer = prefer(&server.api, &site, "handling=lenient, wait=100", &flawed).await;
    assert_eq!(answer.counts(), (0, 6, 1));
    assert_eq!(answer.header("preference-applied"), Some("handling=lenient, wait=100"));
    assert_eq!(answer.ok()["rejected"][0]["machine_name"], "m_0003");
    assert_eq!(database.raw().await.number("SELECT count(*) FROM jobs").await, 2);
    let kept = server.api.get(&site.key, &site.modules("/m_0003")).await.ok();
    assert_eq!(kept["version"], "1.0.0");
    server.stop().await;
}

async fn a_full_queue_asks_to_come_back(database: TestDatabase) {
    let server = TestServer::start_with(&database.url, |config| {
        config.queue.threshold = 5;
        config.queue.workers = 0;
        config.queue.max_jobs = 2;
    })
    .await;
    let mut first = Vec::new();
    for name in ["One", "Two"] {
        let site = server.site(name).await;
        first.push(accepted(&server.api.sync(&site, &full(contribs("m", 6, "1.0.0"))).await));
    }
    let site = server.site("Three").await;
    let report = full(contribs("m", 6, "1.0.0"));
    let mut raw = database.raw().await;
    let refused = server.api.sync(&site, &report).await;
    refused.problem(503, "queue-full");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(raw.number("SELECT count(*) FROM jobs").await, 2);
    server.api.sync(&site, &full(contribs("m", 5, "1.0.0"))).await.ok();
    server.stop().await;

    let server = with_worker(&database).await;
    wait_for("there is room", async || {
        (raw.number("SELECT count(*) FROM jobs WHERE state = 'succeeded'").await == 2).then_some(())
    })
    .await;
    patiently(&server.api, &site, &again(&report)).await.ok();
    server.stop().await;
}

async fn a_repetition_gets_the_state_of_the_first(database: TestDatabase) {
    let server = without_worker(&database).await;
    let site = server.site("A site").await;
    let report = full(contribs("m", 6, "1.0.0"));
    let send = async |api: &Api, report: &Value| {
        let request = api.sync_request(&site, report).header("Idempotency-Key", "k").header("Prefer", "wait=100");
        Answer::of(request).await
    };
    let first = send(&server.api, &report).await;
    assert_eq!(first.header("idempotent-replayed"), None);
    let second = send(&server.api, &report).await;
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    assert_eq!(accepted(&second), accepted(&first));
    send(&server.api, &full(contribs("m", 7, "1.0.0"))).await.problem(422, "idempotency-key-reused");
    server.stop().await;

    let server = with_worker(&database).await;
    for _ in 0..2 {
        let done = send(&server.api, &report).await;
        assert_eq!((done.counts(), done.header("idempotent-replayed")), ((6, 0, 0), Some("true")));
        assert_eq!(done.ok()["sync_id"], first.json()["sync_id"]);
    }
    assert_eq!(database.raw().await.number("SELECT count(*) FROM jobs").await, 1);
    server.stop().await;
}

async fn who_waits_for_a_report_that_is_refused_hears_of_it(database: TestDatabase) {
    let server = without_worker(&database).await;
    let mut sent = Vec::new();
    for (name, change) in [
        ("stale-sync", "last_sync_timestamp = {later}"),
        ("identity-conflict", "strict_identity = true, reported_environment = 'prod'"),
    ] {
        let site = server.site(name).await;
        let mut report = full(contribs("m", 6, "1.0.0"));
        report["site_info"]["environment"] = "dev".into();
        let request = server.api.sync_request(&site, &report).header("Idempotency-Key", "k");
        let body = accepted(&Answer::of(request).await);
        let later = match database.backend() {
            Backend::Sqlite => "4102444800000000",
            Backend::Postgres => "'2100-01-01T00:00:00Z'",
        };
        let (change, id) = (change.replace("{later}", later), &site.id);
        database.raw().await.execute(&format!("UPDATE sites SET {change} WHERE id = {id}")).await;
        sent.push((name, site, report, body));
    }
    server.stop().await;

    let server = with_worker(&database).await;
    for (code, site, report, body) in sent {
        let request = server.api.sync_request(&site, &report).header("Idempotency-Key", "k");
        let problem = Answer::of(request.header("Prefer", "wait=100")).await.problem(409, code);
        assert_eq!(problem["sync_id"], body["sync_id"]);
        let shown = show(&server.api, &site, &body).await;
        assert_eq!((&shown["status"], &shown["reason"]), (&json!("failed"), &json!(code)));
    }
    server.stop().await;
}

async fn a_superseded_report_is_told_as_such(database: TestDatabase) {
    let server = without_worker(&database).await;
    let site = server.site("A site").await;
    let older = full(contribs("m", 6, "1.0.0"));
    let newer = full(contribs("m", 7, "2.0.0"));
    let late = report_at(now() - time::Duration::HOUR, contribs("m", 6, "1.0.0"));
    let mut overtaken = Vec::new();
    for report in [&older, &newer, &late] {
        let body = accepted(&server.api.sync(&site, report).await);
        assert_eq!(body["status"], "queued", "the newest may still be refused");
        overtaken.push(body);
    }
    overtaken.remove(1);
    server.stop().await;

    let server = with_worker(&database).await;
    let unchanged = patiently(&server.api, &site, &again(&newer)).await;
    assert_eq!(unchanged.status, 200, "{}", unchanged.text);
    for body in overtaken {
        let shown = show(&server.api, &site, &body).await;
        assert_eq!((&shown["status"], &shown["reason"]), (&json!("superseded"), &json!("newer-full-report")));
    }
    let modules = server.api.list(&site.key, &site.modules(""), 100).await;
    assert_eq!(modules.len(), state_of(&newer).len());
    server.stop().await;
}

async fn only_its_own_site_sees_a_queued_sync(database: TestDatabase) {
    let server = without_worker(&database).await;
    let (site, other) = (server.site("A site").await, server.site("Another").await);
    let body = accepted(&server.api.sync(&site, &full(contribs("m", 6, "1.0.0"))).await);
    let path = format!("/api/v1/syncs/{}", body["sync_id"].as_str().expect("an id"));
    server.api.get(&other.key, &path).await.problem(404, "sync-not-found");
    assert_eq!(server.api.get(&server.admin_key().await, &path).await.ok(), body);
    let unknown = "/api/v1/syncs/sync_00000000-0000-7000-8000-000000000000";
    server.api.get(&site.key, unknown).await.problem(404, "sync-not-found");
    server.stop().await;
}

async fn a_server_that_stops_keeps_nobody_waiting(database: TestDatabase) {
    let server = without_worker(&database).await;
    let site = server.site("A site").await;
    // Somebody seems to be at work, so the client waits, and longer than this test may take.
    server.storage().worker_seen("elsewhere", now()).await.expect("a storage that works");
    let (api, waiting) = (server.api.clone(), site.clone());
    let request = tokio::spawn(async move { patiently(&api, &waiting, &full(contribs("m", 6, "1.0.0"))).await });
    let mut raw = database.raw().await;
    wait_for("it is queued", async || (raw.number("SELECT count(*) FROM jobs").await == 1).then_some(())).await;
    server.stop().await;
    let body = accepted(&request.await.expect("an answer"));
    assert_eq!(body["status"], "queued");
}

async fn the_metrics_show_the_queue(database: TestDatabase) {
    let server = without_worker(&database).await;
    let site = server.site("A site").await;
    accepted(&server.api.sync(&site, &full(contribs("m", 6, "1.0.0"))).await);
    let shows = async |server: &TestServer, line: &str| {
        wait_for(line, async || {
            let metrics = server.api.get_open("/metrics").await.text;
            metrics.lines().any(|shown| shown == line).then_some(())
        })
        .await;
    };
    shows(&server, "module_monitor_queue_depth 1").await;
    shows(&server, "module_monitor_syncs_total{outcome=\"queued\"} 1").await;
    shows(&server, "module_monitor_queue_workers 0").await;
    server.stop().await;
    let server = with_worker(&database).await;
    shows(&server, "module_monitor_queue_depth 0").await;
    shows(&server, "module_monitor_syncs_total{outcome=\"applied\"} 1").await;
    shows(&server, "module_monitor_sync_modules_total{change=\"new\"} 6").await;
    shows(&server, "module_monitor_queue_workers 1").await;
    shows(&server, "module_monitor_queue_lease_reclaims_total 0").await;
    server.stop().await;
}

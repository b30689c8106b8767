//! The audit log, as the people read it whose site was refused.

use std::sync::Arc;

use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contribs, full, report_at};
use module_monitor_tests::reports::{ManualClock, now};
use module_monitor_tests::rude;
use module_monitor_tests::server::TestServer;
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

use crate::support::{key_id, raw_sync, send, send_keyed, with_key};

on_both_backends!(
    every_attempt_is_in_the_log,
    an_attempt_on_anothers_site_stands_under_ones_own,
    what_an_admin_sends_to_nobody_stops_no_log,
    a_sync_is_shown_to_its_own_site,
    refusals_survive_a_restart,
    administrative_actions_are_listed_for_admins,
    a_client_that_hangs_up_is_in_the_log,
);

/// A server whose clock stands still, so that all refusals fall into one minute.
async fn still_server(database: &TestDatabase, rate_limit: u32) -> (TestServer, ManualClock) {
    let clock = ManualClock::at(now());
    let still = clock.clone();
    let server = TestServer::start_with(&database.url, |config| {
        config.rate_limit = rate_limit;
        config.clock = Arc::new(still);
    })
    .await;
    (server, clock)
}

fn log_of(site: &TestSite) -> String {
    format!("/api/v1/sites/{}/syncs", site.id)
}

async fn log(server: &TestServer, site: &TestSite) -> Vec<Value> {
    server.api.list(&site.key, &log_of(site), 100).await
}

/// `reason count` of every refusal, sorted.
fn refusals(log: &[Value]) -> Vec<String> {
    let rejected = log.iter().filter(|entry| entry["status"] == "rejected");
    let mut lines: Vec<_> = rejected.map(|e| format!("{} {}", e["reason"], e["count"]).replace('"', "")).collect();
    lines.sort();
    lines
}

async fn every_attempt_is_in_the_log(database: TestDatabase) {
    let (server, clock) = still_server(&database, 16).await;
    let (site, api) = (server.site("A site").await, &server.api);
    let good = report_at(now(), contribs("m", 3, "1.0.0"));
    let applied = send_keyed(api, &site, "k", &good).await.ok();
    api.sync(&site, &report_at(now() - Duration::HOUR, contribs("m", 3, "1.0.0"))).await.problem(409, "stale-sync");
    for _ in 0..3 {
        send(api, &site, "{}").await.problem(422, "validation-failed");
    }
    send(api, &site, "{").await.problem(400, "malformed-json");
    send_keyed(api, &site, "k", &json!({})).await.problem(422, "validation-failed");
    send_keyed(api, &site, "k", &report_at(now(), contribs("m", 4, "1.0.0")))
        .await
        .problem(422, "idempotency-key-reused");
    let large = vec![b' '; 16 * 1024 * 1024 + 1];
    send(api, &site, large).await.problem(413, "body-too-large");
    let coded = |encoding: &'static str| raw_sync(api, &site, "nonsense").header("Content-Encoding", encoding);
    Answer::of(coded("gzip")).await.problem(400, "bad-encoding");
    Answer::of(coded("lzw")).await.problem(415, "unsupported-encoding");
    let text = api.request(Method::POST, &site.sync_path()).header("X-API-Key", &site.key).body("text");
    Answer::of(text).await.problem(415, "unsupported-media-type");
    let future = report_at(now() + Duration::DAY, contribs("m", 3, "1.0.0"));
    api.sync(&site, &future).await.problem(422, "validation-failed");
    // A repetition is in the log as what it repeats.
    assert_eq!(send_keyed(api, &site, "k", &good).await.ok(), applied);
    send(api, &site, "{").await.problem(400, "malformed-json");
    send(api, &site, "{").await.problem(400, "malformed-json");
    clock.advance(Duration::seconds(1));
    for _ in 0..4 {
        send(api, &site, "{").await.problem(429, "rate-limited");
    }

    let entries = log(&server, &site).await;
    assert_eq!(
        refusals(&entries),
        [
            "bad-encoding 1",
            "body-too-large 1",
            "idempotency-key-reused 1",
            "malformed-json 3",
            "rate-limited 4",
            "stale-sync 1",
            "unsupported-encoding 1",
            "unsupported-media-type 1",
            "validation-failed 5"
        ]
    );
    let succeeded: Vec<_> = entries.iter().filter(|entry| entry["status"] == "succeeded").collect();
    assert_eq!(succeeded.len(), 1);
    let (entry, size) = (succeeded[0], good.to_string().len());
    assert_eq!((&entry["result"], &entry["sync_id"]), (&applied, &applied["sync_id"]));
    assert_eq!((&entry["key_id"], &entry["client_address"]), (&json!(key_id(&site.key)), &json!("127.0.0.1")));
    assert_eq!((&entry["body_bytes"], &entry["site_id"]), (&json!(size), &json!(site.number())));
    for entry in entries.iter().filter(|entry| entry["status"] == "rejected") {
        assert_eq!((&entry["key_id"], &entry["client_address"]), (&json!(key_id(&site.key)), &json!("127.0.0.1")));
        for time in ["first_at", "last_at"] {
            assert!(entry[time].as_str().is_some_and(|at| at.ends_with('Z')), "{entry}");
        }
    }
    let newest = &entries[0];
    assert_eq!((&newest["reason"], &newest["body_bytes"]), (&json!("rate-limited"), &json!(1)), "{newest}");
    // Page by page it is the same list.
    assert_eq!(api.list(&site.key, &log_of(&site), 1).await, entries);
    server.stop().await;
}

async fn an_attempt_on_anothers_site_stands_under_ones_own(database: TestDatabase) {
    let (server, _) = still_server(&database, 60).await;
    let (site, other) = (server.site("A site").await, server.site("Another").await);
    let intruder = with_key(&site, &other.key);
    let nowhere = TestSite::nobody(&other.key);
    let nonsense = TestSite { id: "nonsense".to_owned(), key: other.key.clone() };
    for target in [&intruder, &nowhere, &nonsense] {
        server.api.sync(target, &full(contribs("m", 3, "1.0.0"))).await.problem(404, "site-not-found");
    }
    let entries = log(&server, &other).await;
    assert_eq!(refusals(&entries), ["wrong-site 3"]);
    assert_eq!(entries[0]["key_id"], key_id(&other.key));
    assert!(log(&server, &site).await.is_empty());

    // Nobody reads the log of another, and admins read all.
    server.api.get(&other.key, &log_of(&site)).await.problem(404, "site-not-found");
    server.api.get_open(&log_of(&site)).await.problem(401, "key-missing");
    let admin = server.admin_key().await;
    assert_eq!(server.api.list(&admin, &log_of(&other), 10).await, entries);
    server.api.get(&admin, &log_of(&nowhere)).await.problem(404, "site-not-found");
    server.api.get(&admin, &format!("{}?limit=0", log_of(&site))).await.problem(422, "validation-failed");
    server.stop().await;
}

async fn what_an_admin_sends_to_nobody_stops_no_log(database: TestDatabase) {
    let (server, _) = still_server(&database, 60).await;
    let site = server.site("A site").await;
    let admin = server.admin_key().await;
    let nobody = TestSite::nobody(&admin);
    send(&server.api, &nobody, "{").await.problem(400, "malformed-json");
    server.api.sync(&nobody, &full(contribs("m", 1, "1.0.0"))).await.problem(404, "site-not-found");
    send(&server.api, &site, "{").await.problem(400, "malformed-json");
    send(&server.api, &with_key(&site, &admin), "{").await.problem(400, "malformed-json");
    let entries = log(&server, &site).await;
    assert_eq!(refusals(&entries), ["malformed-json 1", "malformed-json 1"]);
    let keys: Vec<_> = entries.iter().map(|entry| entry["key_id"].clone()).collect();
    assert!(keys.contains(&key_id(&admin).into()) && keys.contains(&key_id(&site.key).into()), "{keys:?}");
    server.stop().await;
}

async fn a_sync_is_shown_to_its_own_site(database: TestDatabase) {
    let (server, _) = still_server(&database, 60).await;
    let (site, other) = (server.site("A site").await, server.site("Another").await);
    let applied = server.api.sync(&site, &full(contribs("m", 3, "1.0.0"))).await.ok();
    let path = format!("/api/v1/syncs/{}", applied["sync_id"].as_str().expect("an id"));
    let shown = server.api.get(&site.key, &path).await.ok();
    assert_eq!((&shown["status"], &shown["result"]), (&json!("succeeded"), &applied));
    assert_eq!(log(&server, &site).await, std::slice::from_ref(&shown));
    assert_eq!(server.api.get(&server.admin_key().await, &path).await.ok(), shown);
    server.api.get(&other.key, &path).await.problem(404, "sync-not-found");
    server.api.get(&site.key, "/api/v1/syncs/sync_nonsense").await.problem(404, "sync-not-found");
    server.stop().await;
}

async fn refusals_survive_a_restart(database: TestDatabase) {
    let (server, _) = still_server(&database, 60).await;
    let site = server.site("A site").await;
    send(&server.api, &site, "{").await.problem(400, "malformed-json");
    server.stop().await;
    let (server, _) = still_server(&database, 60).await;
    assert_eq!(refusals(&log(&server, &site).await), ["malformed-json 1"]);
    server.stop().await;
}

async fn administrative_actions_are_listed_for_admins(database: TestDatabase) {
    let (server, _) = still_server(&database, 60).await;
    let site = server.site("A site").await;
    let admin = server.admin_key().await;
    server.storage().revoke_key(key_id(&site.key), now(), "tester").await.expect("a key");
    let events = server.api.list(&admin, "/api/v1/audit", 100).await;
    let actions: Vec<_> = events.iter().map(|event| event["action"].as_str().expect("an action")).collect();
    assert_eq!(actions, ["key.revoked", "key.issued", "key.issued", "site.created"]);
    assert!(events.iter().all(|event| event["actor"] == "tester" && event["at"].is_string()), "{events:?}");
    assert_eq!((&events[0]["target"], &events[0]["site_id"]), (&json!(key_id(&site.key)), &json!(site.number())));
    assert_eq!((&events[3]["target"], &events[3]["detail"]), (&json!(site.id), &json!("A site")));
    assert_eq!(server.api.list(&admin, "/api/v1/audit", 1).await, events);

    let other = server.site("Another").await;
    server.api.get(&other.key, "/api/v1/audit").await.problem(403, "admin-only");
    server.api.get_open("/api/v1/audit").await.problem(401, "key-missing");
    server.stop().await;
}

async fn a_client_that_hangs_up_is_in_the_log(database: TestDatabase) {
    let (server, _) = still_server(&database, 60).await;
    let site = server.site("A site").await;
    let (stream, _) = rude::begin_sync(server.api.addr, &site, &full(contribs("m", 3, "1.0.0"))).await;
    drop(stream);
    let found = async || {
        let lines = refusals(&log(&server, &site).await);
        (!lines.is_empty()).then_some(lines)
    };
    let lines = module_monitor_tests::process::wait_for("the attempt is in the log", found).await;
    assert_eq!(lines, ["incomplete-body 1"]);
    server.stop().await;
}

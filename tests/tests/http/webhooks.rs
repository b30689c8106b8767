//! Webhooks and the events of sites over HTTP.

use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contribs, full};
use module_monitor_tests::server::TestServer;
use reqwest::Method;
use serde_json::{Value, json};

use crate::admin::Admin;

on_both_backends!(
    webhooks_are_registered_listed_and_removed,
    what_is_no_webhook_is_refused,
    a_copy_of_a_site_is_in_its_events,
);

const WEBHOOKS: &str = "/api/v1/webhooks";

async fn webhooks_are_registered_listed_and_removed(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let (admin, site) = (Admin::of(&server).await, server.site("A site").await);
    let wanted = json!({"url": "https://hooks.example/x", "events": ["sync.completed", "site.silent"], "tag": null});
    let created = admin.send(Method::POST, WEBHOOKS, &wanted).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let webhook = created.json();
    assert_eq!(webhook["events"], json!(["sync.completed", "site.silent"]));
    let path = format!("{WEBHOOKS}/{}", webhook["id"]);
    assert_eq!(created.header("location"), Some(path.as_str()));
    assert_eq!(server.api.list(&admin.key, WEBHOOKS, 1).await, [webhook]);

    let waiting = async || {
        let everything = module_monitor_storage::Page { limit: 100, after: None };
        server.storage().waiting_events(everything).await.expect("the events").len()
    };
    server.api.sync(&site, &full(contribs("m", 2, "1.0.0"))).await.ok();
    assert_eq!(waiting().await, 1);
    for unknown in ["0", "01", "x", "999999"] {
        let answer = admin.send(Method::DELETE, &format!("{WEBHOOKS}/{unknown}"), &Value::Null).await;
        answer.problem(404, "webhook-not-found");
    }
    assert_eq!(admin.send(Method::DELETE, &path, &Value::Null).await.status, 204);
    admin.send(Method::DELETE, &path, &Value::Null).await.problem(404, "webhook-not-found");
    assert_eq!(waiting().await, 0, "nobody is left for it");
    server.api.get(&site.key, WEBHOOKS).await.problem(403, "admin-only");
    server.stop().await;
}

async fn what_is_no_webhook_is_refused(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let admin = Admin::of(&server).await;
    for (bad, pointer) in [
        (json!({"url": "hooks.example", "events": ["sync.failed"]}), "/url"),
        (json!({"url": "https://x.example", "events": []}), "/events"),
        (json!({"url": "https://x.example", "events": ["sync.done"]}), "/events/0"),
        (json!({"url": "https://x.example", "events": ["sync.failed"], "tag": "A B"}), "/tag"),
        (json!({"url": "https://x.example", "events": ["sync.failed"], "secret": "x"}), ""),
    ] {
        let problem = admin.send(Method::POST, WEBHOOKS, &bad).await.problem(422, "validation-failed");
        let found = problem["errors"][0]["pointer"].as_str().unwrap_or_default();
        assert!(found == pointer || pointer.is_empty(), "{bad}: {problem}");
    }
    assert_eq!(server.api.list(&admin.key, WEBHOOKS, 100).await, Vec::<Value>::new());
    server.stop().await;
}

async fn a_copy_of_a_site_is_in_its_events(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    for environment in ["production", "staging"] {
        let mut report = full(contribs("m", 2, "1.0.0"));
        report["site_info"] = json!({"environment": environment});
        server.api.sync(&site, &report).await.ok();
    }
    let path = format!("/api/v1/sites/{}/events", site.id);
    let events = server.api.list(&site.key, &path, 1).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["event"], "identity_changed");
    assert_eq!(events[0]["detail"]["to"]["environment"], "staging");
    server.stop().await;
}

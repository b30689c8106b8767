//! Changing a site.

use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contribs, full};
use module_monitor_tests::server::TestServer;
use reqwest::Method;
use serde_json::{Value, json};

on_both_backends!(a_change_of_a_site_holds_at_once, only_admins_change_sites_and_only_sensibly);

async fn change(server: &TestServer, key: &str, site: &str, body: &Value) -> Answer {
    let request = server.api.request(Method::PATCH, &format!("/api/v1/sites/{site}"));
    Answer::of(request.header("X-API-Key", key).json(body)).await
}

async fn sync(server: &TestServer, site: &TestSite) -> Answer {
    server.api.sync(site, &full(contribs("m", 3, "1.0.0"))).await
}

async fn a_change_of_a_site_holds_at_once(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let (site, admin) = (server.site("A site").await, server.admin_key().await);
    sync(&server, &site).await.ok();

    let changed = change(&server, &admin, &site.id, &json!({"active": false})).await.ok();
    assert_eq!((&changed["active"], &changed["name"]), (&json!(false), &json!("A site")));
    sync(&server, &site).await.problem(403, "site-inactive");
    change(&server, &admin, &site.id, &json!({"active": true, "rate_limit": 2})).await.ok();

    // One of the two has been used; what was refused for another reason has not counted.
    let second = sync(&server, &site).await;
    second.ok();
    assert_eq!(second.header("RateLimit-Policy"), Some("\"sync\";q=2;w=3600"));
    sync(&server, &site).await.problem(429, "rate-limited");
    let as_admin = TestSite { id: site.id.clone(), key: admin.clone() };
    sync(&server, &as_admin).await.problem(429, "rate-limited");

    change(&server, &admin, &site.id, &json!({"rate_limit": null})).await.ok();
    sync(&server, &site).await.ok();
    let shown = server.api.get(&admin, &format!("/api/v1/sites/{}", site.id)).await.ok();
    assert_eq!((&shown["rate_limit"], &shown["active"]), (&Value::Null, &json!(true)));

    let log = server.api.list(&admin, "/api/v1/audit", 10).await;
    let changes: Vec<_> = log.iter().filter(|e| e["action"] == "site.changed").map(|e| e["detail"].clone()).collect();
    assert_eq!(changes, [json!("rate_limit=null"), json!("active=true rate_limit=2"), json!("active=false")]);
    server.stop().await;
}

async fn only_admins_change_sites_and_only_sensibly(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let (site, admin) = (server.site("A site").await, server.admin_key().await);
    change(&server, &site.key, &site.id, &json!({"active": false})).await.problem(403, "admin-only");
    let unknown = "00000000-0000-4000-8000-000000000000";
    change(&server, &admin, unknown, &json!({"active": false})).await.problem(404, "site-not-found");
    change(&server, &admin, "x", &json!({})).await.problem(404, "site-not-found");
    for bad in [json!({"aktive": false}), json!({"rate_limit": 0}), json!({"active": "yes"}), json!([])] {
        change(&server, &admin, &site.id, &bad).await.problem(422, "validation-failed");
    }
    let log = server.api.list(&admin, "/api/v1/audit", 10).await;
    assert!(log.iter().all(|event| event["action"] != "site.changed"), "{log:?}");
    server.stop().await;
}

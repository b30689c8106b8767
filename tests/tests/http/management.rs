//! Keys and the registry over HTTP, and who may not have them.

use module_monitor_server::openapi_document;
use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contrib, contribs, full};
use module_monitor_tests::reports::now;
use module_monitor_tests::server::TestServer;
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;
use time::format_description::well_known::Rfc3339;

use crate::admin::Admin;

on_both_backends!(
    keys_are_issued_listed_and_revoked,
    the_registry_is_listed_and_corrected,
    an_advisory_night_is_one_question,
    a_site_key_opens_nothing_of_others_on_any_route,
);

async fn keys_are_issued_listed_and_revoked(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let (site, other, admin) = (server.site("A site").await, server.site("Another").await, Admin::of(&server).await);
    let path = format!("/api/v1/sites/{}/keys", site.id);
    let until = (now() + Duration::DAY).format(&Rfc3339).expect("a time");
    let issued = admin.send(Method::POST, &path, &json!({"name": "second", "expires_at": until})).await;
    assert_eq!(issued.status, 201, "{}", issued.text);
    let issued = issued.json();
    let second = issued["api_key"].as_str().expect("a key").to_owned();
    server.api.get(&second, &site.modules("")).await.ok();
    server.api.get(&second, &other.modules("")).await.problem(404, "site-not-found");

    let keys = server.api.list(&admin.key, &path, 1).await;
    let names: Vec<_> = keys.iter().map(|key| key["name"].as_str().unwrap_or_default()).collect();
    assert!(names.len() == 2 && names.contains(&"first key") && names.contains(&"second"), "{names:?}");
    assert!(keys.iter().all(|key| key["site_id"] == site.number() && key.get("api_key").is_none()));
    assert!(keys.iter().any(|key| key["expires_at"] == until.as_str()), "{keys:?}");

    let revoke = async |id: &str| admin.send(Method::DELETE, &format!("/api/v1/keys/{id}"), &Value::Null).await;
    let id = issued["id"].as_str().expect("an id");
    for _ in 0..2 {
        assert_eq!(revoke(id).await.status, 204);
        server.api.get(&second, &site.modules("")).await.problem(401, "key-revoked");
    }
    for unknown in ["0000000000000000", "x", "%00", &second] {
        revoke(unknown).await.problem(404, "key-not-found");
    }
    let yesterday = (now() - Duration::DAY).format(&Rfc3339).expect("a time");
    for bad in [
        json!({"expires_at": yesterday}),
        json!({"expires_at": "soon"}),
        json!({"expires_at": "9999-12-31T23:59:59-23:59"}),
        json!({"name": ""}),
        json!({"secret": "mine"}),
    ] {
        admin.send(Method::POST, &path, &bad).await.problem(422, "validation-failed");
    }
    let nobody = "/api/v1/sites/987654321/keys";
    admin.send(Method::POST, nobody, &json!({})).await.problem(404, "site-not-found");
    admin.get(nobody).await.problem(404, "site-not-found");

    // An admin key, also one's own.
    let own = admin.key.split('_').nth(1).expect("an id").to_owned();
    assert_eq!(revoke(&own).await.status, 204);
    admin.get("/api/v1/sites").await.problem(401, "key-revoked");
    server.stop().await;
}

async fn the_registry_is_listed_and_corrected(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let (site, admin) = (server.site("A site").await, Admin::of(&server).await);
    for version in ["8.x-1.0-beta10", "8.x-1.0-beta2", "1.0.0"] {
        server.api.sync(&site, &full(contribs("views", 3, version))).await.ok();
    }
    let names = async |query: &str| {
        let found = server.api.list(&admin.key, &format!("/api/v1/modules?{query}"), 2).await;
        found.iter().map(|module| module["machine_name"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["views_0000", "views_0001", "views_0002"]);
    assert_eq!(names("q=views_0001&type=contrib").await, ["views_0001"]);
    assert!(names("type=core").await.is_empty() && names("q=Views").await.is_empty());
    for bad in ["q=", "q=%00", "q=a%20b", "type=theme", "cursor=bW9kdWxlczp4", "name=x"] {
        admin.get(&format!("/api/v1/modules?{bad}")).await.problem(422, "validation-failed");
    }
    let versions = server.api.list(&admin.key, "/api/v1/modules/views_0001/versions", 1).await;
    let found: Vec<_> = versions.iter().map(|v| (v["version"].as_str(), v["semver"].as_str())).collect();
    let expected = [("8.x-1.0-beta2", "1.0.0-beta.2"), ("8.x-1.0-beta10", "1.0.0-beta.10"), ("1.0.0", "1.0.0")];
    assert_eq!(found, expected.map(|(version, semver)| (Some(version), Some(semver))));
    admin.get("/api/v1/modules/never_seen/versions").await.problem(404, "module-not-found");

    let path = "/api/v1/modules/views_0001";
    let link = "https://www.drupal.org/project/views";
    let corrected = admin.send(Method::PATCH, path, &json!({"name": "Views", "project_link": link})).await.ok();
    assert_eq!((&corrected["name"], &corrected["project_link"]), (&json!("Views"), &json!(link)));
    assert!(corrected["corrected_at"].is_string());
    server.api.sync(&site, &full(contribs("views", 3, "2.0.0"))).await.ok();
    let shown = server.api.get(&site.key, &site.modules("/views_0001")).await.ok();
    assert_eq!((&shown["name"], &shown["project_link"]), (&json!("Views"), &json!(link)));
    for bad in [
        json!({"type": "theme"}),
        json!({"type": null}),
        json!({"name": ""}),
        json!({"project_link": "x"}),
        json!({"description": "\u{0}"}),
    ] {
        admin.send(Method::PATCH, path, &bad).await.problem(422, "validation-failed");
    }
    admin
        .send(Method::PATCH, "/api/v1/modules/never_seen", &json!({"name": "X"}))
        .await
        .problem(404, "module-not-found");
    let log = server.api.list(&admin.key, "/api/v1/audit", 1).await;
    assert_eq!((&log[0]["action"], &log[0]["target"]), (&json!("module.corrected"), &json!("views_0001")));
    server.stop().await;
}

async fn an_advisory_night_is_one_question(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let admin = Admin::of(&server).await;
    for (name, version) in [("Old", "3.0.1"), ("Beta", "3.0.2-beta1"), ("Fixed", "3.0.2"), ("New", "3.1.0")] {
        let site = server.site(name).await;
        server.api.sync(&site, &full(vec![contrib("webform", version)])).await.ok();
    }
    let gone = server.site("Gone").await;
    server.api.sync(&gone, &full(vec![contrib("webform", "3.0.0")])).await.ok();
    server.api.sync(&gone, &full(vec![contrib("token", "1.0.0")])).await.ok();
    let path = "/api/v1/modules/webform/sites";
    let names = async |query: &str| {
        let found = server.api.list(&admin.key, &format!("{path}?{query}"), 1).await;
        let mut names: Vec<_> = found.iter().map(|site| site["site_name"].as_str().unwrap_or_default()).collect();
        names.sort_unstable();
        names.join(" ")
    };
    assert_eq!(names("below=3.0.2").await, "Beta Old");
    assert_eq!(names("version=3.0.2").await, "Fixed");
    assert_eq!(names("").await, "Beta Fixed New Old");
    assert_eq!(names("removed=true").await, "Gone");
    assert_eq!(names("removed=true&below=3.0.0").await, "");
    for bad in ["below=latest", "below=", "version=%00", "below=3.0.2&below=3.0.3", "removed=1", "above=1.0.0"] {
        admin.get(&format!("{path}?{bad}")).await.problem(422, "validation-failed");
    }
    admin.get("/api/v1/modules/never_seen/sites?below=1.0.0").await.problem(404, "module-not-found");
    server.stop().await;
}

/// Every route that the OpenAPI document lists, so that no route is forgotten here: with the key of another site it is
/// either for administrators, whatever it is asked about, or answers as if there were nothing.
async fn a_site_key_opens_nothing_of_others_on_any_route(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let (theirs, own) = (server.site("Theirs").await, server.site("Own").await);
    let report = full(contribs("secret", 2, "1.0.0"));
    let sync_id = server.api.sync(&theirs, &report).await.ok()["sync_id"].as_str().expect("an id").to_owned();
    let nobody = TestSite::nobody(&own.key);
    let key_id = theirs.key.split('_').nth(1).expect("an id").to_owned();
    let no_sync = "sync_00000000-0000-7000-8000-000000000000";
    let mut asked = 0;
    for (path, methods) in openapi_document()["paths"].as_object().expect("paths") {
        if !path.starts_with("/api/v1/") {
            continue;
        }
        let at = |site: &str, sync: &str, key: &str, module: &str| {
            let path = path.replace("{site_id}", site).replace("{sync_id}", sync);
            path.replace("{key_id}", key).replace("{machine_name}", module)
        };
        let there = at(&theirs.id, &sync_id, &key_id, "secret_0001");
        let nowhere = at(&nobody.id, no_sync, "0000000000000000", "never_seen");
        for method in methods.as_object().expect("methods").keys() {
            let method: Method = method.to_uppercase().parse().expect("a method");
            let send = async |path: &str| {
                let request = server.api.request(method.clone(), path).header("X-API-Key", &own.key);
                let body = [Method::POST, Method::PATCH].contains(&method);
                Answer::of(if body { request.json(&report) } else { request }).await
            };
            let [found, missing] = [send(&there).await, send(&nowhere).await];
            let shape = |answer: &Answer| {
                let mut problem = answer.json();
                problem["request_id"].take();
                problem["instance"].take();
                problem
            };
            assert!([403, 404].contains(&found.status), "{method} {path}: {found:?}");
            assert_eq!(shape(&found), shape(&missing), "{method} {path}");
            asked += 1;
        }
    }
    assert!(asked > 20, "only {asked} routes");
    // Nothing has happened to them.
    server.api.get(&theirs.key, &theirs.modules("/secret_0001")).await.ok();
    assert_eq!(server.api.list(&theirs.key, &theirs.modules(""), 10).await.len(), 2);
    server.stop().await;
}

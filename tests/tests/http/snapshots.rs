//! What answers look like, whole. Both databases must give the same.

use insta::{Settings, assert_json_snapshot};
use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{CITY_SITE, again, contribs, full, report_at};
use module_monitor_tests::reports::now;
use module_monitor_tests::server::TestServer;
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

use crate::admin::Admin;

on_both_backends!(answers_look_as_promised, management_looks_as_promised, errors_look_as_promised);

/// Status, the headers that are part of the contract, and body.
fn shown(answer: &Answer) -> Value {
    let names = [
        "content-type",
        "allow",
        "www-authenticate",
        "retry-after",
        "preference-applied",
        "cache-control",
        "location",
        "vary",
    ];
    let headers = names.iter().filter_map(|name| Some(((*name).to_owned(), answer.header(name)?.into())));
    json!({"status": answer.status, "headers": Value::Object(headers.collect()), "body": answer.json()})
}

/// Replaces what differs from run to run.
fn settings() -> Settings {
    let mut settings = Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    for field in
        ["first_seen", "last_seen", "last_updated", "removed_at", "created_at", "received_at", "at", "next_sync_after"]
    {
        settings.add_redaction(&format!(".**.{field}"), insta::dynamic_redaction(a_time));
    }
    for field in [
        "last_sync_at",
        "last_full_sync_at",
        "last_used_at",
        "corrected_at",
        "expires_at",
        "revoked_at",
        "complete_since",
        "history_since",
    ] {
        settings.add_redaction(&format!(".**.{field}"), insta::dynamic_redaction(a_time));
    }
    settings.add_redaction(".**.id", "[id]");
    settings.add_redaction(".**.actor", "[key id]");
    settings.add_redaction(".**.target", "[id]");
    settings.add_redaction(".**.api_key", "[key]");
    settings.add_redaction(".headers.location", "[address]");
    settings.add_redaction(".**.sync_id", "[sync id]");
    settings.add_redaction(".**.key_id", "[key id]");
    settings.add_redaction(".**.body_bytes", "[bytes]");
    settings.add_redaction(".**.site_id", "[site id]");
    settings.add_redaction(".**.request_id", "[request id]");
    settings.add_redaction(".**.processing_time_ms", "[ms]");
    settings.add_redaction(".**.next_cursor", insta::dynamic_redaction(a_cursor));
    settings.set_sort_maps(true);
    settings
}

fn a_time(value: insta::internals::Content, _: insta::internals::ContentPath<'_>) -> &'static str {
    match value.as_str() {
        Some(text) if text.len() >= 20 && text.ends_with('Z') => "[time]",
        Some(_) => "[not a time in UTC]",
        None => "[none]",
    }
}

fn a_cursor(value: insta::internals::Content, _: insta::internals::ContentPath<'_>) -> &'static str {
    if value.as_str().is_some() { "[cursor]" } else { "[none]" }
}

fn without_site(mut value: Value, site: &TestSite) -> Value {
    if let Some(path) =
        value["body"]["instance"].as_str().map(|path| path.replace(&format!("/sites/{}", site.id), "/sites/[site id]"))
    {
        value["body"]["instance"] = path.into();
    }
    value
}

async fn answers_look_as_promised(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("City of Example").await;
    let admin = server.admin_key().await;
    let (api, key) = (&server.api, &site.key);
    let city: Value = serde_json::from_str(CITY_SITE).expect("a report");
    let settings = settings();
    let snapshot = |name: &str, answer: &Answer| settings.bind(|| assert_json_snapshot!(name, shown(answer)));

    snapshot("first_sync", &api.sync(&site, &again(&city)).await);
    let unchanged = api.sync(&site, &again(&city)).await;
    snapshot("unchanged_sync", &unchanged);
    let sync_id = unchanged.ok()["sync_id"].as_str().expect("an id").to_owned();
    snapshot("sync_status", &api.get(key, &format!("/api/v1/syncs/{sync_id}")).await);
    snapshot("inventory_page", &api.get(key, &site.modules("?limit=3&type=contrib")).await);
    snapshot("single_module", &api.get(key, &site.modules("/token")).await);
    snapshot("single_custom_module", &api.get(key, &site.modules("/city_events")).await);

    let mut changed = again(&city);
    let modules = changed["modules"].as_array_mut().expect("modules");
    modules.retain(|m| m["machine_name"] != "pathauto");
    let token = modules.iter_mut().find(|m| m["machine_name"] == "token").expect("a module");
    (token["version"], token["status"]) = ("8.x-1.16".into(), false.into());
    modules
        .push(json!({"machine_name": "broken", "name": "Broken", "type": "contrib", "version": "?", "status": true}));
    let lenient = api.sync_request(&site, &changed).header("Prefer", "handling=lenient");
    snapshot("lenient_sync", &Answer::of(lenient).await);
    snapshot("history", &api.get(key, &site.modules("/token/history")).await);
    snapshot("removed_modules", &api.get(key, &site.modules("?removed=true")).await);
    snapshot("registry_module", &api.get(&admin, "/api/v1/modules/token").await);
    snapshot("healthz", &api.get_open("/healthz").await);
    snapshot("readyz", &api.get_open("/readyz").await);
    server.stop().await;
}

async fn management_looks_as_promised(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let admin = Admin::of(&server).await;
    let settings = settings();
    let snapshot = |name: &str, answer: &Answer| settings.bind(|| assert_json_snapshot!(name, shown(answer)));
    let new = json!({"name": "City of Example", "url": "https://city.example", "tags": ["customer:city", "a"]});
    let registered = admin.send(Method::POST, "/api/v1/sites", &new).await;
    snapshot("registered_site", &registered);
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let registered = registered.json();
    let site = TestSite { id: registered["site"]["id"].to_string(), key: text(&registered["key"]["api_key"]) };
    let city: Value = serde_json::from_str(CITY_SITE).expect("a report");
    server.api.sync(&site, &again(&city)).await.ok();
    let changes = json!({"environment": "live", "silent_after": 7200, "strict_identity": true, "tags": ["a"]});
    snapshot("changed_site", &admin.change(&site.id, &changes).await);
    snapshot("sites", &admin.get("/api/v1/sites?tag=a").await);
    snapshot("no_sites", &admin.get("/api/v1/sites?reporting=failing").await);
    let keys = format!("/api/v1/sites/{}/keys", site.id);
    snapshot("issued_key", &admin.send(Method::POST, &keys, &json!({"name": "cron"})).await);
    snapshot("modules", &admin.get("/api/v1/modules?limit=2").await);
    snapshot("module_versions", &admin.get("/api/v1/modules/token/versions").await);
    snapshot("module_sites", &admin.get("/api/v1/modules/token/sites?below=8.x-2.0").await);
    snapshot("corrected_module", &admin.send(Method::PATCH, "/api/v1/modules/token", &json!({"name": "Tokens"})).await);
    snapshot("admin_events", &admin.get("/api/v1/audit").await);
    server.stop().await;
}

async fn errors_look_as_promised(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let api = &server.api;
    let settings = settings();
    let snapshot = |name: &str, answer: &Answer| {
        settings.bind(|| assert_json_snapshot!(name, without_site(shown(answer), &site)));
    };
    let mut invalid = full(contribs("m", 2, "1.0.0"));
    invalid["modules"][0]["version"] = "latest".into();
    invalid["modules"][1]["status"] = "yes".into();
    invalid["drupal_version"] = Value::Null;
    snapshot("invalid", &api.sync(&site, &invalid).await);
    api.sync(&site, &full(contribs("m", 2, "1.0.0"))).await.ok();
    let mut stale = api.sync(&site, &report_at(now() - Duration::hours(1), contribs("m", 2, "1.0.0"))).await;
    stale.text = without_time(&stale.text);
    snapshot("stale", &stale);
    snapshot("no_key", &api.get_open(&site.modules("")).await);
    snapshot("wrong_key", &api.get("mm_x_y", &site.modules("")).await);
    snapshot("unknown_module", &api.get(&site.key, &site.modules("/never_seen")).await);
    snapshot("no_route", &api.get(&site.key, "/api/v1/nothing").await);
    snapshot("wrong_method", &Answer::of(api.request(Method::PUT, &site.sync_path())).await);
    snapshot("not_json", &Answer::of(api.sync_request(&site, &json!(0)).body("{")).await);
    server.stop().await;
}

/// The time stamp within a sentence.
fn without_time(text: &str) -> String {
    let (before, rest) = text.split_once("sync_timestamp ").expect("a time stamp");
    let (time, after) = rest.split_once(',').expect("the rest of the sentence");
    assert!(time.ends_with('Z'), "{time}");
    format!("{before}sync_timestamp [time],{after}")
}

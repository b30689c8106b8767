//! What answers look like, whole. Both databases must give the same.

use insta::{Settings, assert_json_snapshot, assert_snapshot};
use module_monitor_ingestion::Clock;
use module_monitor_tests::api::Answer;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::feeds::Feed;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contrib, timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;
use time::macros::datetime;

use crate::support::{Monitor, custom, token, with};

on_both_backends!(answers_look_as_promised);

/// Status, the headers that are part of the contract, and body.
fn shown(answer: &Answer) -> Value {
    let names = ["content-type", "content-disposition", "vary", "allow"];
    let headers = names.iter().filter_map(|name| Some(((*name).to_owned(), answer.header(name)?.into())));
    json!({"status": answer.status, "headers": Value::Object(headers.collect()), "body": answer.json()})
}

fn settings() -> Settings {
    let mut settings = Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    for field in ["site_id", "sync_id", "request_id", "id", "created_by"] {
        settings.add_redaction(&format!(".**.{field}"), format!("[{field}]"));
    }
    settings.add_redaction(".**.processing_time_ms", "[ms]");
    settings.add_redaction(".**.next_cursor", insta::dynamic_redaction(a_cursor));
    settings.add_redaction(".**.next_sync_after", "[time]");
    settings.add_redaction(".**.next_check_at", "[time]");
    settings.add_redaction(".body.created_at", "[time]");
    settings.add_filter("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "[uuid]");
    settings.set_sort_maps(true);
    settings
}

fn a_cursor(value: insta::internals::Content, _: insta::internals::ContentPath<'_>) -> &'static str {
    if value.as_str().is_some() { "[cursor]" } else { "[none]" }
}

async fn answers_look_as_promised(database: TestDatabase) {
    let monitor = Monitor::start_at(&database, datetime!(2026-11-23 12:00 UTC)).await;
    let modules = [
        contrib("token", "8.x-1.15"),
        with(contrib("token_filter", "8.x-1.15"), "project", "token"),
        contrib("pathauto", "8.x-1.12"),
        contrib("gone", "1.0.0"),
        contrib("later", "1.0.0"),
        custom("own_code"),
    ];
    let settings = settings();
    let snapshot = |name: &str, answer: &Answer| settings.bind(|| assert_json_snapshot!(name, shown(answer)));
    let site = monitor.site("City of Example", &modules).await;
    monitor.import(&token().fixed_by("8.x-1.16")).await;
    monitor.import(&Feed::new("gone", "1.").of_status("insecure").release("1.0.0", &[])).await;
    let pathauto = Feed::new("pathauto", "8.x-1.").release("8.x-1.12", &["Security update"]);
    monitor.import(&pathauto.fixed_by("8.x-1.13").fixed_by("8.x-1.14")).await;
    monitor.clock.advance(Duration::hours(2));
    let until = timestamp(monitor.clock.now() + Duration::days(7));
    let acceptance = json!({"project": "pathauto", "versions": {"to": "8.x-1.12"}, "site_id": site.number(), "until": until,
                            "reason": "=behind a firewall"});
    snapshot("acceptance", &monitor.send(Method::POST, "/security/acceptances", &acceptance).await);
    let report = module_monitor_tests::payloads::report_at(monitor.clock.now(), modules.to_vec());
    snapshot("unchanged_sync", &monitor.server.api.sync(&site, &report).await);
    snapshot("updates", &monitor.get("/security/updates").await);
    snapshot("inventory", &monitor.server.api.get(&site.key, &site.modules("")).await);
    snapshot("module", &monitor.server.api.get(&site.key, &site.modules("/token_filter")).await);
    snapshot("site", &monitor.get(&format!("/sites/{}", site.id)).await);
    snapshot("releases", &monitor.get("/projects/pathauto/releases?limit=2").await);
    snapshot("sites", &monitor.get("/projects/token/sites?below=8.x-1.16").await);
    snapshot("refresh", &monitor.send(Method::POST, "/projects/token/refresh", &Value::Null).await);
    let csv = async |path: &str| {
        let request = monitor.server.api.request(Method::GET, &format!("/api/v1{path}"));
        let request = request.header("X-API-Key", &monitor.admin).header("Accept", "text/csv");
        Answer::of(request).await.text.replace("\r\n", "\n")
    };
    let open = csv("/security/updates").await;
    settings.bind(|| assert_snapshot!("updates_csv", open));

    monitor.clock.advance(Duration::hours(1));
    let mut updated = modules.to_vec();
    updated[0]["version"] = "8.x-1.16".into();
    updated[1]["version"] = "8.x-1.16".into();
    monitor.report(&site, &updated).await;
    snapshot("fixed", &monitor.get("/security/updates?fixed=true").await);
    let fixed = csv("/security/updates?fixed=true").await;
    settings.bind(|| assert_snapshot!("fixed_csv", fixed));
    monitor.server.stop().await;
}

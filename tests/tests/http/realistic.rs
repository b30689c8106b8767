//! The module lists of real sites.

use std::collections::BTreeSet;

use module_monitor_tests::api::{Api, TestSite};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{again, realistic};
use module_monitor_tests::server::TestServer;
use serde_json::{Value, json};

on_both_backends!(lists_of_real_sites_are_taken_and_shown_as_they_were_sent);

async fn lists_of_real_sites_are_taken_and_shown_as_they_were_sent(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let mut known = BTreeSet::new();
    for (name, list) in realistic() {
        let site = server.site(&name).await;
        let sent = list["modules"].as_array().expect("modules");

        let first = server.api.sync(&site, &again(&list)).await;
        assert_eq!(first.counts(), (sent.len() as u64, 0, 0), "{name}");
        assert_figures(&first.ok(), sent, &name);
        let second = server.api.sync(&site, &again(&list)).await;
        assert_eq!(second.counts(), (0, 0, 0), "{name}");
        assert_figures(&second.ok(), sent, &name);

        assert_listed(&server.api, &site, sent).await;
        for module in sent {
            let is_first = known.insert(module["machine_name"].to_string());
            assert_shown(&server.api, &site, module, is_first).await;
        }
    }
    server.stop().await;
}

/// The figures of an answer that follow from the list alone.
fn assert_figures(answer: &Value, sent: &[Value], name: &str) {
    let judged = |m: &&Value| m["status"] == true && m["type"] != "custom";
    assert_eq!(answer["processed_count"], sent.len(), "{name}");
    assert_eq!(answer["security_unknown"], sent.iter().filter(judged).count(), "{name}");
    assert_eq!((&answer["security_updates_found"], &answer["security_projects"]), (&json!(0), &json!(0)));
    assert_eq!((&answer["security_data_as_of"], &answer["errors"]), (&Value::Null, &json!([])));
}

/// Every module exactly once, page by page, in the order of names.
async fn assert_listed(api: &Api, site: &TestSite, sent: &[Value]) {
    let items = api.list(&site.key, &site.modules(""), 50).await;
    let listed: Vec<&str> = items.iter().filter_map(|item| item["machine_name"].as_str()).collect();
    let expected: BTreeSet<&str> = sent.iter().filter_map(|m| m["machine_name"].as_str()).collect();
    assert_eq!(listed, Vec::from_iter(expected));
    assert!(api.list(&site.key, &site.modules("?removed=true"), 50).await.is_empty());
    let disabled = api.list(&site.key, &site.modules("?enabled=false"), 7).await;
    assert_eq!(disabled.len(), sent.iter().filter(|m| m["status"] == false).count());
    for kind in ["core", "contrib", "custom"] {
        let found = api.list(&site.key, &site.modules(&format!("?type={kind}")), 50).await;
        assert_eq!(found.len(), sent.iter().filter(|m| m["type"] == kind).count(), "{kind}");
    }
}

/// The single view has every field that was sent, and defaults for those that were not. What belongs to the release is
/// as the first site to report the module sent it.
async fn assert_shown(api: &Api, site: &TestSite, sent: &Value, is_first: bool) {
    let name = sent["machine_name"].as_str().expect("a name");
    let shown = api.get(&site.key, &site.modules(&format!("/{name}"))).await.ok();
    let or = |field: &str, default: Value| if sent[field].is_null() { default } else { sent[field].clone() };
    let own = json!({
        "machine_name": name,
        "type": sent["type"],
        "extension": or("extension", "module".into()),
        "version": sent["version"],
        "enabled": sent["status"],
        "removed_at": null,
        "schema_version": sent["schema_version"],
        "security_coverage": or("security_coverage", true.into()),
        "datestamp": sent["datestamp"],
        "security_updates": [],
        "recommended": null,
    });
    let release = json!({
        "name": sent["name"],
        "package": sent["package"],
        "core_compatibility": or("core_compatibility", json!([])),
        "dependencies": or("dependencies", json!([])),
        "description": sent["description"],
        "project_link": sent["project_link"],
    });
    let release = if is_first || sent["type"] == "custom" { release } else { json!({}) };
    for (field, value) in own.as_object().into_iter().chain(release.as_object()).flatten() {
        assert_eq!(&shown[field], value, "{name}: {field}");
    }
    let has_project = sent["type"] != "custom" || !sent["project"].is_null();
    assert_eq!(shown["project"].is_string(), has_project, "{name}");
    assert_eq!(shown["update_status"], if has_project { "not_fetched".into() } else { Value::Null }, "{name}");
    assert_eq!(shown["first_seen"], shown["last_updated"], "{name}");
    assert!(shown["last_seen"].as_str() > shown["first_seen"].as_str(), "{name}: seen again by the second sync");
}

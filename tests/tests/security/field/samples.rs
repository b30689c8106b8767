//! The reports of real sites, as they came: everything in use there is in a class, and nothing that is told differs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use module_monitor_ingestion::{Clock, ReleaseService, parse_any_history};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::timestamp;
use serde_json::{Value, json};

use super::support::{agreed, class, coverage, finish, told};
use crate::support::{Monitor, with};

on_both_backends!(everything_that_real_sites_have_in_use_is_in_a_class, what_went_wrong_in_the_field_is_right,);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/field")
}

fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The names of the files that begin and end so.
fn files(start: &str, end: &str) -> BTreeSet<String> {
    let names = fs::read_dir(folder()).expect("the fixtures");
    let names = names.map(|file| file.expect("a file").file_name().into_string().expect("a name"));
    names.filter(|name| name.starts_with(start) && name.ends_with(end)).collect()
}

async fn import(monitor: &Monitor, file: &str) {
    let history = parse_any_history(read(file).as_bytes()).expect("a history");
    let service = ReleaseService::new(Arc::clone(monitor.server.shared_storage()), Arc::new(monitor.clock.clone()));
    service.import(history).await.expect("it is stored");
    service.recount(|_| {}).await.expect("the figures follow");
}

async fn everything_that_real_sites_have_in_use_is_in_a_class(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    let mut sites = Vec::new();
    for name in files("site-", ".json") {
        let report: Value = serde_json::from_str(&read(&name)).expect("JSON");
        let report = with(report, "sync_timestamp", timestamp(monitor.clock.now()));
        let site = monitor.server.site(&name).await;
        let answer = told(&monitor, &site, &report, 0).await;
        assert_eq!(answer["errors"], json!([]), "{name}");
        let enabled = report["modules"].as_array().expect("modules").iter().filter(|m| m["status"] == true).count();
        let in_a_class: i64 = coverage(&answer).iter().sum();
        assert!(in_a_class >= i64::try_from(enabled).expect("few"), "{name}: {enabled} {answer}");
        sites.push((name, site));
    }
    assert_eq!(sites.len(), 7);
    for feed in files("", ".xml") {
        import(&monitor, &feed).await;
    }
    for (_, site) in &sites {
        agreed(&monitor, site).await;
    }
    finish(monitor, &database).await;
}

/// The case, the number of the report, a module or the core itself, and the class that it is in after that.
const CASES: [(&str, usize, &str, &str); 9] = [
    ("01-contrib-from-git-typed-custom", 0, "ctools", "unknown unidentified"),
    ("01-contrib-from-git-typed-custom", 0, "address", "own"),
    ("04-lenient-rejection-invisible", 0, "vef", "secure"),
    ("04-lenient-rejection-invisible", 1, "vef", "unknown no_version"),
    ("05-dev-without-datestamp", 0, "og", "unknown not_comparable"),
    ("08-unsupported-not-in-fleet-list", 0, "cog", "unsupported"),
    ("08-unsupported-not-in-fleet-list", 0, "vchess", "unsupported"),
    ("13-custom-version-free-form", 0, "our_theme", "own"),
    ("03-core-not-in-report", 0, "priv", "secure"),
];

async fn what_went_wrong_in_the_field_is_right(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    for feed in files("", ".xml") {
        import(&monitor, &feed).await;
    }
    monitor.import(&super::support::secure("ctools")).await;
    for name in files("", ".json").into_iter().filter(|name| !name.starts_with("site-")) {
        let case: Value = serde_json::from_str(&read(&name)).expect("JSON");
        let site = monitor.server.site(&name).await;
        for (index, request) in case["requests"].as_array().into_iter().flatten().enumerate() {
            if !request["body"].is_object() || ["14-", "18-"].iter().any(|refused| name.starts_with(refused)) {
                continue;
            }
            let report = with(request["body"].clone(), "sync_timestamp", timestamp(monitor.clock.now()));
            told(&monitor, &site, &report, 0).await;
            for (_, _, module, expected) in CASES.iter().filter(|(case, at, ..)| name.starts_with(case) && *at == index)
            {
                assert_eq!(class(&monitor, &site, module).await, *expected, "{name}: {module}");
            }
        }
    }
    let listed = monitor.updates().await;
    let core = listed.iter().find(|row| row["project"] == "drupal" && row["version"] == "10.4.6").expect("the core");
    assert_eq!(core["modules"], json!([]));
    finish(monitor, &database).await;
}

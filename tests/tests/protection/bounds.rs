//! What one site can make others pay for: what is kept and answered of its reports, and what a read of that costs.

use futures::future::join_all;
use module_monitor_ingestion::SystemClock;
use module_monitor_server::admin::issue_key;
use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contrib, contribs, full};
use module_monitor_tests::process::ServerProcess;
use module_monitor_tests::server::{TestServer, new_site};
use serde_json::{Value, json};

on_both_backends!(
    of_who_it_is_a_site_says_so_much_and_no_more,
    of_rejected_modules_some_are_listed_and_all_are_remembered,
    warnings_are_bounded_and_ours_are_not_driven_out,
    versions_with_long_details_cost_little_memory,
);

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().filter_map(Value::as_str).collect()
}

/// What the log of the site's syncs says of the newest.
async fn last_sync(server: &TestServer, site: &TestSite) -> Value {
    server.api.get(&site.key, &format!("/api/v1/sites/{}/syncs?limit=1", site.id)).await.ok()["items"][0]["result"]
        .clone()
}

async fn of_who_it_is_a_site_says_so_much_and_no_more(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let said = |name: &str, length: usize| {
        let mut report = full(contribs("m", 1, "1.0.0"));
        report["site_info"] = json!({ name: "é".repeat(length) });
        report
    };
    for (name, most) in [("environment", 255), ("url", 2_048)] {
        for handling in ["strict", "lenient"] {
            let request = server.api.sync_request(&site, &said(name, most + 1));
            let answer = Answer::of(request.header("Prefer", format!("handling={handling}"))).await;
            let error = &answer.problem(422, "validation-failed")["errors"][0];
            assert_eq!((&error["pointer"], &error["code"]), (&json!(format!("/site_info/{name}")), &json!("length")));
        }
        server.api.sync(&site, &said(name, most)).await.ok();
    }
    server.stop().await;
}

async fn of_rejected_modules_some_are_listed_and_all_are_remembered(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let name = |n: usize| format!("m{n:04}_{}", "\u{1F600}".repeat(240));
    let broken = |n: usize| json!({"machine_name": name(n), "name": "x", "type": "contrib", "version": "none at all", "status": true});
    let mut modules: Vec<Value> = (0..1_999).map(broken).collect();
    modules.push(contrib("token", "1.0.0"));
    let lenient = server.api.sync_request(&site, &full(modules)).header("Prefer", "handling=lenient, wait=60");
    let answer = Answer::of(lenient).await;
    let body = answer.ok();
    let rejected = body["rejected"].as_array().expect("rejected");
    assert!((30..=200).contains(&rejected.len()), "{}", rejected.len());
    assert_eq!(texts(&body["errors"]).len(), rejected.len());
    assert!(body["rejected"].to_string().len() <= 64 * KIB);
    assert!(answer.text.len() <= 160 * KIB, "{}", answer.text.len());
    let told = format!("{} more modules were rejected and are not listed", 1_999 - rejected.len());
    assert!(texts(&body["warnings"]).contains(&told.as_str()), "{}", body["warnings"]);

    let kept = last_sync(&server, &site).await;
    assert_eq!(kept["rejected"], body["rejected"]);
    assert!(texts(&kept["warnings"]).contains(&told.as_str()));
    let stored = database.raw().await.number("SELECT max(octet_length(rejected)) FROM syncs").await;
    assert!((32 * 1024..=64 * 1024).contains(&stored), "{stored}");
    let listed = server.api.list(&site.key, &site.modules(""), 1_000).await;
    assert_eq!(listed.iter().filter(|module| module["rejected"] == true).count(), 1_999, "every one of them is marked");
    let admin = server.admin_key().await;
    let shown = server.api.get(&admin, &format!("/api/v1/sites/{}", site.id)).await.ok();
    assert_eq!((&shown["reporting"], &shown["unknown_reasons"]["rejected"]), (&json!("partial"), &json!(1_999)));

    // A strict report of the same is a 422 of bounded size, too.
    let modules = (0..2_000).map(broken).collect();
    let refused = server.api.sync(&site, &full(modules)).await;
    let problem = refused.problem(422, "validation-failed");
    let errors = problem["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), 101);
    assert_eq!(errors[100]["code"], "more-errors");
    assert!(errors[100]["detail"].as_str().is_some_and(|detail| detail.starts_with("1900 more")), "{}", errors[100]);
    server.stop().await;
}

async fn warnings_are_bounded_and_ours_are_not_driven_out(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    server.api.sync(&site, &full(contribs("m", 40, "1.0.0"))).await.ok();
    // Ten of a kind have a line each, of a thousand bytes.
    let name = |kind: &str, n: usize| format!("{kind}{n}_{}", "\u{1F600}".repeat(240));
    let module = |kind: &str, n: usize, module_type: &str| json!({"machine_name": name(kind, n), "name": "x", "type": module_type, "version": "1.0.0", "status": true});
    let mut modules = contribs("m", 2, "1.0.0");
    for n in 0..10 {
        let own = module("own", n, "custom");
        let core = module("core", n, "core");
        let twice = module("twice", n, "contrib");
        modules.extend([own, core, twice.clone(), twice]);
    }
    let mut report = full(modules);
    report["site_info"] = json!({"url": format!("https://{}", "\u{1F600}".repeat(2_000)), "environment": "stage"});
    let body = server.api.sync(&site, &report).await.ok();
    let warnings = texts(&body["warnings"]);
    assert!(warnings.len() <= 50, "{}", warnings.len());
    let bytes: usize = warnings.iter().map(|line| line.len()).sum();
    assert!((8 * KIB..=16 * KIB).contains(&bytes), "{bytes}");
    assert!(warnings.contains(&"This report removed 38 of 40 modules"), "{warnings:#?}");
    assert!(warnings.iter().any(|line| line.ends_with("more warnings are left out")), "{warnings:#?}");
    let kept = last_sync(&server, &site).await;
    assert_eq!(kept["warnings"], body["warnings"]);
    let stored = database.raw().await.number("SELECT max(octet_length(warnings)) FROM syncs").await;
    assert!(stored <= 16 * 1024 + 500, "{stored}");
    server.stop().await;
}

/// 200 versions with details of 250 KB each, which eight read at once with the largest limit.
async fn versions_with_long_details_cost_little_memory(database: TestDatabase) {
    const VERSIONS: usize = 200;
    let storage = database.open().await;
    let site = new_site(storage.as_ref(), "A site").await;
    let key = issue_key(storage.as_ref(), &SystemClock, "tester", None, None, None).await.expect("a key");
    let admin = key.text.reveal().to_owned();
    let server = ServerProcess::start(&database.url, &["--rate-limit", "1000000"]).await;
    let details: Vec<String> = (0..500).map(|n| format!("{n:04}{}", "\u{1F600}".repeat(124))).collect();
    for n in 0..VERSIONS {
        let mut module = contrib("large", &format!("1.{n}.0"));
        module["dependencies"] = json!(details);
        server.api.sync(&site, &full(vec![module])).await.ok();
    }
    let quiet = server.peak_memory_kib();
    let read = async || {
        let (mut versions, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/modules/large/versions?limit=1000{cursor}");
            let answer = server.api.get(&admin, &path).await;
            let part = answer.ok();
            assert!(answer.text.len() < 2 * MIB, "{} bytes", answer.text.len());
            let items = part["items"].as_array().expect("items");
            assert!(!items.is_empty());
            versions.extend(items.iter().map(|item| item["version"].clone()));
            match part["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return versions,
            }
        }
    };
    let expected: Vec<Value> = (0..VERSIONS).map(|n| json!(format!("1.{n}.0"))).collect();
    for versions in join_all((0..8).map(|_| read())).await {
        assert_eq!(versions, expected);
    }
    let peak = server.peak_memory_kib();
    assert!(peak < 300 * 1024, "{} MiB before it was read, {} MiB after", quiet / 1024, peak / 1024);

    server.terminate().await;
    server.wait().await;
}

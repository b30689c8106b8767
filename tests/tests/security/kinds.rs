//! Everything that can be insecure: themes, profiles, and all of Drupal 7.

use module_monitor_ingestion::Clock;
use module_monitor_tests::api::TestSite;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::feeds::Feed;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contrib, report_at};
use serde_json::{Value, json};

use crate::support::{Monitor, custom, figures, projects, token, with};

on_both_backends!(
    themes_and_profiles_are_judged_like_modules,
    drupal_7_has_a_feed_of_its_own,
    drupal_7_itself_is_out_of_support_without_any_feed,
    custom_code_is_judged_where_it_names_a_project,
    whole_projects_can_be_bad,
    a_dev_release_is_judged_by_its_date,
);

async fn themes_and_profiles_are_judged_like_modules(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    let feed = |name: &str, kind: &str| {
        Feed::new(name, "5.").of_type(kind).release("5.0.1", &[]).release("5.0.0", &[]).fixed_by("5.0.2")
    };
    monitor.import(&feed("bootstrap", "project_theme")).await;
    monitor.import(&feed("thunder", "project_distribution")).await;
    let modules = [
        with(contrib("bootstrap", "5.0.0"), "extension", "theme"),
        with(contrib("thunder", "5.0.1"), "extension", "profile"),
    ];
    let site = monitor.site("Site", &modules).await;
    assert_eq!(monitor.figures(&site).await, [2, 2, 1], "and the core, which is not known yet");
    assert_eq!(projects(&monitor.updates().await), ["bootstrap 5.0.0", "thunder 5.0.1"]);
    let shown = monitor.module(&site, "bootstrap").await;
    let told = (&shown["extension"], &shown["update_status"], &shown["recommended"]);
    assert_eq!(told, (&json!("theme"), &json!("not_secure"), &json!("5.0.2")));
    monitor.server.stop().await;
}

/// Reports from a site on Drupal 7.
async fn report_7(monitor: &Monitor, site: &TestSite, modules: &[Value]) -> Value {
    let mut report = report_at(monitor.clock.now(), modules.to_vec());
    report["drupal_version"] = "7.103".into();
    monitor.server.api.sync(site, &report).await.ok()
}

async fn drupal_7_has_a_feed_of_its_own(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    let (old, new) = (monitor.server.site("Old").await, monitor.server.site("New").await);
    // The core of the old one is out of support, with a feed and without; that of the new one is never known here.
    let first = report_7(&monitor, &old, &[contrib("ctools", "7.x-1.20"), contrib("views", "7.x-3.28")]).await;
    assert_eq!(first["security_unsupported"], 1);
    monitor.report(&new, &[contrib("ctools", "4.1.0")]).await;
    assert_eq!((monitor.figures(&old).await, monitor.figures(&new).await), ([0, 0, 2], [0, 0, 2]));

    // What today's feed says is nothing to Drupal 7.
    monitor.import(&Feed::new("ctools", "4.1.").release("4.1.0", &[]).fixed_by("4.1.1")).await;
    assert_eq!((monitor.figures(&old).await, monitor.figures(&new).await), ([0, 0, 2], [1, 1, 1]));
    monitor
        .import(
            &Feed::drupal7("ctools", "1").release("7.x-1.21", &["Security update"]).release("7.x-1.20", &["Insecure"]),
        )
        .await;
    monitor.import(&Feed::drupal7("views", "3").release("7.x-3.29", &[]).release("7.x-3.28", &[])).await;
    assert_eq!((monitor.figures(&old).await, monitor.figures(&new).await), ([1, 1, 0], [1, 1, 1]));
    let statuses = [monitor.status(&old, "ctools").await, monitor.status(&old, "views").await];
    assert_eq!(statuses, ["not_secure", "not_current"]);
    assert_eq!(monitor.module(&old, "ctools").await["recommended"], "7.x-1.21");
    monitor.server.stop().await;
}

async fn drupal_7_itself_is_out_of_support_without_any_feed(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    let site = monitor.server.site("Old").await;
    let core = with(contrib("node", "7.103"), "type", "core");
    let first = report_7(&monitor, &site, &[core]).await;
    assert_eq!((figures(&first)[2], monitor.status(&site, "node").await), (0, json!("not_supported")));
    let coverage = monitor.get(&format!("/sites/{}", site.id)).await.ok()["core_security_coverage"].clone();
    assert_eq!(coverage, json!({"state": "ended", "until": "2025-01-05"}));
    monitor.server.stop().await;
}

async fn custom_code_is_judged_where_it_names_a_project(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&token().fixed_by("8.x-1.16")).await;
    let fork = with(with(custom("our_token"), "project", "token"), "version", "8.x-1.14");
    let named = with(custom("token"), "version", "8.x-1.14");
    let site = monitor.site("Site", &[fork, named]).await;
    assert_eq!(monitor.figures(&site).await, [1, 1, 2], "the other is unidentified, and the core is not known yet");
    let statuses = [monitor.status(&site, "our_token").await, monitor.status(&site, "token").await];
    assert_eq!(statuses, [json!("not_secure"), Value::Null], "a name alone makes custom code no project");
    monitor.server.stop().await;
}

async fn whole_projects_can_be_bad(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    let feed = |name: &str, status: &str| Feed::new(name, "1.").of_status(status).release("1.0.0", &[]);
    let names = ["insecure", "unsupported", "revoked", "unpublished"];
    for name in names {
        monitor.import(&feed(name, name)).await;
    }
    monitor.import(&Feed::new("empty", "1.")).await;
    let mut modules: Vec<Value> = names.iter().map(|name| contrib(name, "1.0.0")).collect();
    modules.push(contrib("empty", "1.0.0"));
    let site = monitor.site("Site", &modules).await;
    let mut statuses = Vec::new();
    for name in names.iter().chain(&["empty"]) {
        statuses.push(monitor.status(&site, name).await);
    }
    assert_eq!(statuses, ["not_secure", "not_supported", "revoked", "revoked", "unknown"]);
    // There is no update to make for the others; what is not known is no zero.
    let shown = monitor.get(&format!("/sites/{}", site.id)).await.ok();
    assert_eq!((figures(&shown), &shown["security_unsupported"]), ([1, 1, 2], &json!(3)));
    let classes = json!({"insecure": 1, "unsupported": 3, "unknown": 2, "own": 0, "secure": 0});
    assert_eq!(shown["coverage"], classes);
    let reasons = [&shown["unknown_reasons"]["not_comparable"], &shown["unknown_reasons"]["not_fetched"]];
    assert_eq!(reasons, [&json!(1), &json!(1)], "the empty one, and the core");
    assert_eq!(projects(&monitor.updates().await), ["insecure 1.0.0"]);
    let listed = async |status: &str| projects(&monitor.list(&format!("/security/updates?status={status}")).await);
    let unsupported = ["revoked 1.0.0", "unpublished 1.0.0", "unsupported 1.0.0"];
    assert_eq!(listed("unsupported").await, unsupported);
    assert_eq!(listed("unknown").await, ["drupal 10.3.6", "empty 1.0.0"]);
    assert_eq!(listed("all").await.len(), 6);
    monitor.server.stop().await;
}

async fn a_dev_release_is_judged_by_its_date(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    let feed = Feed::new("token", "8.x-1.").release("8.x-1.16", &["Security update"]).release("8.x-1.x-dev", &[]);
    monitor.import(&feed).await;
    let released = Feed::NEWEST;
    let dev = |datestamp: Value| with(contrib("token", "8.x-1.x-dev"), "datestamp", datestamp);
    let site = monitor.server.site("Site").await;
    for (datestamp, counted, status) in [
        (json!(released - 3600), 1, "not_current"),
        (Value::Null, 0, "not_checked"),
        (json!(released + 3600), 0, "current"),
    ] {
        let synced = monitor.report(&site, &[dev(datestamp.clone())]).await;
        assert_eq!(
            (figures(&synced)[0], monitor.status(&site, "token").await),
            (counted, json!(status)),
            "{datestamp}"
        );
    }
    monitor.server.stop().await;
}

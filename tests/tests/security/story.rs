//! How a version becomes insecure, and is fixed.

use std::slice;

use module_monitor_ingestion::Clock;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::feeds::Feed;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contrib, timestamp};
use serde_json::{Value, json};
use time::Duration;

use crate::support::{Monitor, custom, figures, projects, token, with};

on_both_backends!(
    from_unknown_to_insecure_to_fixed,
    a_site_that_comes_later_is_judged_at_once,
    what_was_fixed_can_become_insecure_again,
    core_is_judged_by_the_sites_drupal,
    a_disabled_module_counts_only_where_it_is_asked_for,
);

const WARNING: &str = "Security status not known yet for";

fn warns(sync: &Value) -> bool {
    let mut warnings = sync["warnings"].as_array().expect("warnings").iter();
    warnings.any(|warning| warning.as_str().is_some_and(|text| text.starts_with(WARNING)))
}

async fn from_unknown_to_insecure_to_fixed(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    let modules = [contrib("token", "8.x-1.15"), contrib("pathauto", "8.x-1.12"), custom("own_code")];
    let site = monitor.server.site("City").await;
    let first = monitor.report(&site, &modules).await;
    assert_eq!(figures(&first), [0, 0, 3], "custom code is not judged, and the core is");
    assert!(warns(&first), "{first}");
    assert_eq!(
        (&first["security_data_as_of"], monitor.status(&site, "token").await),
        (&Value::Null, json!("not_fetched"))
    );
    assert_eq!(monitor.status(&site, "own_code").await, Value::Null);

    // Release data takes the doubt away, without a report.
    monitor.clock.advance(Duration::hours(1));
    monitor.import(&token()).await;
    monitor.import(&Feed::new("pathauto", "8.x-1.").release("8.x-1.13", &[]).release("8.x-1.12", &[])).await;
    monitor.import(&drupal()).await;
    let imported_at = timestamp(monitor.clock.now());
    assert_eq!(monitor.figures(&site).await, [0, 0, 0]);
    let unchanged = monitor.report(&site, &modules).await;
    assert_eq!((unchanged["updated_modules"].as_u64(), figures(&unchanged)), (Some(0), [0, 0, 0]));
    assert!(!warns(&unchanged), "{unchanged}");
    assert_eq!(unchanged["security_data_as_of"], imported_at);
    let statuses = [monitor.status(&site, "token").await, monitor.status(&site, "pathauto").await];
    assert_eq!(statuses, ["current", "not_current"]);
    assert_eq!(monitor.module(&site, "pathauto").await["recommended"], "8.x-1.13");
    assert_eq!(monitor.updates().await, [Value::Null; 0]);

    // An advisory night: nobody reports, and everybody knows.
    monitor.clock.advance(Duration::hours(1));
    let before = monitor.get(&format!("/sites/{}", site.id)).await.ok();
    monitor.import(&token().fixed_by("8.x-1.16")).await;
    let insecure_since = timestamp(monitor.clock.now());
    let after = monitor.get(&format!("/sites/{}", site.id)).await.ok();
    assert_eq!((figures(&after), &after["last_sync_at"]), ([1, 1, 0], &before["last_sync_at"]));
    let updates = monitor.updates().await;
    assert_eq!(projects(&updates), ["token 8.x-1.15"]);
    let update = &updates[0];
    assert_eq!((&update["site_id"], &update["site_name"]), (&json!(site.number()), &json!("City")));
    assert_eq!((&update["status"], &update["recommended"]), (&json!("not_secure"), &json!("8.x-1.16")));
    assert_eq!((&update["modules"], &update["accepted"]), (&json!(["token"]), &Value::Null));
    assert_eq!(update["insecure_since"], insecure_since);
    let fix = &update["security_updates"][0];
    assert_eq!((&fix["version"], update["security_updates"].as_array().map(Vec::len)), (&json!("8.x-1.16"), Some(1)));
    let shown = monitor.module(&site, "token").await;
    assert_eq!((&shown["update_status"], &shown["security_updates"]), (&json!("not_secure"), &json!([fix])));
    assert!(fix["released_at"].is_string() && fix["release_link"].as_str().is_some_and(|l| l.ends_with("8.x-1.16")));
    let insecure = monitor.server.api.list(&site.key, &site.modules("?update_status=not_secure"), 10).await;
    assert_eq!(insecure.iter().map(|m| &m["machine_name"]).collect::<Vec<_>>(), ["token"]);

    // The next unchanged report says so.
    let unchanged = monitor.report(&site, &modules).await;
    assert_eq!((unchanged["updated_modules"].as_u64(), figures(&unchanged)), (Some(0), [1, 1, 0]));
    assert_eq!(monitor.server.api.history(&site, "token").await, ["installed - -> 8.x-1.15"]);

    // An update night.
    monitor.clock.advance(Duration::hours(1));
    let updated = monitor.report(&site, &[contrib("token", "8.x-1.16"), modules[1].clone(), modules[2].clone()]).await;
    assert_eq!((updated["updated_modules"].as_u64(), figures(&updated)), (Some(1), [0, 0, 0]));
    assert_eq!(monitor.updates().await, [Value::Null; 0]);
    let fixed = monitor.list("/security/updates?fixed=true").await;
    assert_eq!(fixed.len(), 1);
    assert_eq!((&fixed[0]["project"], &fixed[0]["site_id"]), (&json!("token"), &json!(site.number())));
    assert_eq!(fixed[0]["insecure_since"], insecure_since);
    assert_eq!(fixed[0]["fixed_at"], timestamp(monitor.clock.now()));
    monitor.server.stop().await;
}

async fn a_site_that_comes_later_is_judged_at_once(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&token().fixed_by("8.x-1.16")).await;
    let site = monitor.server.site("Late").await;
    // A submodule, a version nobody knows, a dev release without a date, and one that the feed has never heard of.
    let modules = [
        contrib("token", "8.x-1.15"),
        with(contrib("token_filter", "8.x-1.15"), "project", "token"),
        with(contrib("token_git", "8.x-1.0"), "version", Value::Null),
        with(contrib("token_dev", "8.x-1.x-dev"), "project", "token"),
        with(contrib("token_odd", "8.x-1.99"), "project", "token"),
    ];
    let first = monitor.report(&site, &modules).await;
    assert_eq!(figures(&first), [2, 1, 3], "{first}");
    let reasons = &first["unknown_reasons"];
    assert_eq!((&reasons["not_fetched"], &reasons["not_comparable"]), (&json!(2), &json!(1)), "the core, too: {first}");
    let classes = json!({"insecure": 2, "unsupported": 0, "unknown": 3, "own": 0, "secure": 1});
    assert_eq!((&first["coverage"], &first["not_covered"]), (&classes, &json!(1)), "{first}");
    let updates = monitor.updates().await;
    assert_eq!(projects(&updates), ["token 8.x-1.15"]);
    assert_eq!(updates[0]["modules"], json!(["token", "token_filter"]));
    assert_eq!(updates[0]["insecure_since"], timestamp(monitor.clock.now()));
    let mut statuses = Vec::new();
    for name in ["token_filter", "token_git", "token_dev", "token_odd"] {
        statuses.push(monitor.status(&site, name).await);
    }
    assert_eq!(statuses, ["not_secure", "not_fetched", "not_checked", "not_current"]);
    monitor.server.stop().await;
}

async fn what_was_fixed_can_become_insecure_again(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&token().fixed_by("8.x-1.16")).await;
    let site = monitor.site("Site", &[contrib("token", "8.x-1.15")]).await;
    let times = async |path: &str, field: &str| {
        let items = monitor.list(path).await;
        items.iter().map(|item| item[field].as_str().expect("a time").to_owned()).collect::<Vec<_>>()
    };
    let first = timestamp(monitor.clock.now());
    assert_eq!(times("/security/updates", "insecure_since").await, slice::from_ref(&first));

    // Removed, and back: two findings.
    monitor.clock.advance(Duration::hours(1));
    monitor.report(&site, &[custom("own_code")]).await;
    let removed = timestamp(monitor.clock.now());
    assert_eq!(monitor.updates().await.len(), 0);
    monitor.clock.advance(Duration::hours(1));
    monitor.report(&site, &[contrib("token", "8.x-1.14")]).await;
    let second = timestamp(monitor.clock.now());
    assert_eq!(times("/security/updates", "insecure_since").await, slice::from_ref(&second));
    assert_eq!(times("/security/updates?fixed=true", "fixed_at").await, slice::from_ref(&removed));

    // Another insecure version is the same finding.
    monitor.clock.advance(Duration::hours(1));
    monitor.report(&site, &[contrib("token", "8.x-1.15")]).await;
    assert_eq!(times("/security/updates", "insecure_since").await, slice::from_ref(&second));

    // drupal.org takes its word back.
    monitor.import(&token()).await;
    let taken_back = timestamp(monitor.clock.now());
    assert_eq!(monitor.figures(&site).await, [0, 0, 1], "the core is not known yet");
    assert_eq!(times("/security/updates?fixed=true", "fixed_at").await, [taken_back, removed]);
    assert_eq!(times("/security/updates?fixed=true", "insecure_since").await, [second, first]);
    monitor.server.stop().await;
}

/// Drupal 10.3.6 as a good release, with what it takes to tell its end of coverage.
fn drupal() -> Feed {
    Feed::new("drupal", "10.3.,10.2.").release("10.3.6", &[]).release("10.3.0", &[]).release("10.2.9", &[])
}

async fn core_is_judged_by_the_sites_drupal(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    let core = |name: &str, version: &str| with(contrib(name, version), "type", "core");
    let modules = [core("node", "10.3.6"), core("user", "10.3.6"), with(core("help", "10.3.6"), "status", false)];
    let site = monitor.site("Site", &modules).await;
    let coverage = async || monitor.get(&format!("/sites/{}", site.id)).await.ok()["core_security_coverage"].clone();
    assert_eq!((monitor.figures(&site).await, coverage().await), ([0, 0, 2], Value::Null));
    monitor.import(&drupal()).await;
    assert_eq!((monitor.figures(&site).await, monitor.status(&site, "help").await), ([0, 0, 0], json!("current")));
    assert_eq!(coverage().await, json!({"state": "covered", "until": "10.5.0"}));

    monitor.import(&drupal().fixed_by("10.3.7")).await;
    assert_eq!(monitor.figures(&site).await, [2, 1, 0]);
    let updates = monitor.updates().await;
    assert_eq!(projects(&updates), ["drupal 10.3.6"]);
    assert_eq!((&updates[0]["modules"], &updates[0]["recommended"]), (&json!(["node", "user"]), &json!("10.3.7")));

    // Only the site's Drupal version counts; modules of another one are not that core's, which then stands for itself.
    let mut report = module_monitor_tests::payloads::report_at(monitor.clock.now(), modules.to_vec());
    report["drupal_version"] = "10.3.7".into();
    let synced = monitor.server.api.sync(&site, &report).await.ok();
    assert_eq!((figures(&synced), &synced["unknown_reasons"]["unidentified"]), ([0, 0, 2], &json!(2)));
    assert_eq!(synced["coverage"]["secure"], 1);
    assert_eq!(monitor.list("/security/updates?fixed=true").await.len(), 1);
    monitor.server.stop().await;
}

async fn a_disabled_module_counts_only_where_it_is_asked_for(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&token().fixed_by("8.x-1.16")).await;
    let site = monitor.site("Site", &[with(contrib("token", "8.x-1.15"), "status", false)]).await;
    assert_eq!(monitor.figures(&site).await, [0, 0, 1], "the core");
    assert_eq!(monitor.updates().await.len(), 0);
    let all = monitor.list("/security/updates?include_disabled=true").await;
    assert_eq!((projects(&all), &all[0]["modules"]), (vec!["token 8.x-1.15".to_owned()], &json!(["token"])));
    assert_eq!(monitor.status(&site, "token").await, "not_secure");
    monitor.server.stop().await;
}

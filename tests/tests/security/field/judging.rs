//! Versions that cannot be compared or are none, projects that nobody looks after, and themes that are used by others.

use module_monitor_ingestion::Clock;
use module_monitor_tests::api::TestSite;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::feeds::Feed;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contrib, timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

use super::support::{agreed, class, coverage, drupal, finish, insecure, node, on_core, report, secure, warnings};
use crate::support::{Monitor, custom, projects, with};

on_both_backends!(
    a_dev_release_without_a_datestamp_is_not_comparable,
    what_nobody_looks_after_is_in_a_list_of_its_own,
    versions_that_drupal_writes_are_never_refused,
    base_themes_of_themes_in_use_are_in_use,
    what_is_enabled_without_its_code_has_no_version,
);

async fn start(database: &TestDatabase) -> (Monitor, TestSite) {
    let monitor = Monitor::start(database).await;
    monitor.import(&drupal()).await;
    let site = monitor.server.site("Site").await;
    (monitor, site)
}

async fn a_dev_release_without_a_datestamp_is_not_comparable(database: TestDatabase) {
    let (monitor, site) = start(&database).await;
    let feed = Feed::new("og", "8.x-1.").release("8.x-1.2", &["Security update"]).release("8.x-1.x-dev", &[]);
    monitor.import(&feed).await;
    for (datestamp, expected) in [
        (Value::Null, "unknown not_comparable"),
        (json!(Feed::NEWEST - 3600), "insecure"),
        (json!(Feed::NEWEST + 3600), "secure"),
        (Value::Null, "unknown not_comparable"),
    ] {
        let dev = with(contrib("og", "8.x-1.x-dev"), "datestamp", datestamp.clone());
        report(&monitor, &site, &[node(), dev]).await;
        assert_eq!(class(&monitor, &site, "og").await, expected, "{datestamp}");
    }
    assert_eq!(projects(&monitor.list("/security/updates?status=unknown").await), ["og 8.x-1.x-dev"]);
    finish(monitor, &database).await;
}

async fn what_nobody_looks_after_is_in_a_list_of_its_own(database: TestDatabase) {
    let (monitor, site) = start(&database).await;
    for (name, status) in [("cog", "unsupported"), ("vchess", "revoked")] {
        monitor.import(&Feed::new(name, "").of_status(status).release("8.x-1.5", &["Insecure"])).await;
    }
    monitor.import(&Feed::new("old_branch", "2.0.").release("2.0.0", &[]).release("1.0.0", &[])).await;
    let theme = with(contrib("cog", "8.x-1.5"), "extension", "theme");
    let modules = [node(), theme, contrib("vchess", "8.x-1.5"), contrib("old_branch", "1.0.0")];
    let answer = report(&monitor, &site, &modules).await;
    assert_eq!((coverage(&answer), &answer["security_unsupported"]), ([0, 3, 0, 0, 1], &json!(3)));
    let listed = monitor.list("/security/updates?status=unsupported").await;
    assert_eq!(projects(&listed), ["cog 8.x-1.5", "old_branch 1.0.0", "vchess 8.x-1.5"]);
    let statuses: Vec<&Value> = listed.iter().map(|row| &row["status"]).collect();
    assert_eq!(statuses, ["not_supported", "not_supported", "revoked"]);

    // Accepted as unsupported, and no longer covered when it turns out to be insecure.
    let until = timestamp(monitor.clock.now() + Duration::DAY);
    let risk = json!({"project": "old_branch", "status": "unsupported", "until": until, "reason": "nobody reaches it"});
    assert_eq!(monitor.send(Method::POST, "/security/acceptances", &risk).await.status, 201);
    let shown = agreed(&monitor, &site).await;
    assert_eq!((&shown["security_unsupported"], &shown["accepted"]["unsupported"]), (&json!(2), &json!(1)));
    monitor.import(&Feed::new("old_branch", "2.0.").release("2.0.0", &[]).release("1.0.0", &["Insecure"])).await;
    let shown = agreed(&monitor, &site).await;
    assert_eq!((coverage(&shown), &shown["accepted"]["unsupported"]), ([1, 2, 0, 0, 1], &json!(0)));
    assert_eq!(shown["security_updates_found"], 1);
    finish(monitor, &database).await;
}

async fn versions_that_drupal_writes_are_never_refused(database: TestDatabase) {
    let (monitor, site) = start(&database).await;
    monitor.import(&insecure("token")).await;
    let named = |name: &str, version: &str| with(contrib(name, version), "project", "token");
    let free = |name: &str, version: &str| with(custom(name), "version", version);
    let modules = [
        node(),
        named("constant", "VERSION"),
        named("branch", "2.x"),
        named("branch_7", "7.x-2.x"),
        named("branch_8", "8.x-1.x"),
        free("free", "as of last week"),
        free("free_branch", "3.x"),
        free("free_constant", "OUR_VERSION"),
        free("free_and_known", "1.0.0"),
    ];
    // Not lenient: a version that Drupal writes refuses nothing.
    let body = on_core(&monitor, "10.3.6", &modules);
    let first = monitor.server.api.sync(&site, &body).await.ok();
    assert_eq!((coverage(&first), &first["processed_count"]), ([0, 0, 4, 4, 1], &json!(9)));
    let told = warnings(&first, "taken as not known");
    assert_eq!(told.len(), 1, "{first}");
    assert!(told[0].starts_with("The versions of 7 modules"), "{told:?}");
    agreed(&monitor, &site).await;
    for (name, text) in [("constant", "VERSION"), ("branch_7", "7.x-2.x"), ("free", "as of last week")] {
        let view = monitor.module(&site, name).await;
        assert_eq!((&view["version"], &view["reported_version"]), (&Value::Null, &json!(text)), "{name}");
    }
    assert_eq!(class(&monitor, &site, "branch").await, "unknown no_version");
    assert_eq!(class(&monitor, &site, "free").await, "own");
    let again = report(&monitor, &site, &modules).await;
    assert_eq!((coverage(&again), warnings(&again, "taken as not known")), ([0, 0, 4, 4, 1], Vec::new()));
    let changed = report(&monitor, &site, &[node(), named("constant", "TOKEN_VERSION")]).await;
    assert_eq!(warnings(&changed, "taken as not known").len(), 1, "once for each change");
    finish(monitor, &database).await;
}

/// A disabled theme, on that base.
fn theme(name: &str, base: Option<&str>) -> Value {
    let theme = with(with(contrib(name, "1.0.0"), "extension", "theme"), "status", false);
    with(theme, "base_theme", base)
}

async fn base_themes_of_themes_in_use_are_in_use(database: TestDatabase) {
    let (monitor, site) = start(&database).await;
    for name in ["first", "second"] {
        monitor.import(&secure(name)).await;
    }
    monitor.import(&insecure("third")).await;
    let top = |status: bool| with(theme("first", Some("second")), "status", status);
    let hidden = with(theme("third", Some("first")), "hidden", true);
    let others = [theme("second", Some("third")), hidden, theme("fourth", None)];
    let with_top = |status: bool| [&[node(), top(status)][..], &others].concat();
    assert_eq!(coverage(&report(&monitor, &site, &with_top(true)).await), [1, 0, 0, 0, 3]);
    let view = monitor.module(&site, "third").await;
    assert_eq!((&view["enabled"], &view["hidden"], &view["class"]), (&json!(false), &json!(true), &json!("insecure")));
    assert_eq!(projects(&monitor.updates().await), ["third 1.0.0"]);
    assert_eq!(monitor.module(&site, "fourth").await["class"], Value::Null, "nothing builds on it");

    assert_eq!(coverage(&report(&monitor, &site, &with_top(false)).await), [0, 0, 0, 0, 1]);
    assert_eq!((monitor.updates().await, class(&monitor, &site, "third").await), (Vec::new(), "-".to_owned()));
    // One step in between goes: what lies behind it is out of use, although nothing was said of it.
    report(&monitor, &site, &with_top(true)).await;
    let on_another = [node(), with(top(true), "base_theme", "fourth")];
    let answer = report(&monitor, &site, &[&on_another[..], &others].concat()).await;
    assert_eq!(coverage(&answer), [0, 0, 1, 0, 2]);
    assert_eq!(class(&monitor, &site, "fourth").await, "unknown not_fetched");
    finish(monitor, &database).await;
}

async fn what_is_enabled_without_its_code_has_no_version(database: TestDatabase) {
    let (monitor, site) = start(&database).await;
    monitor.import(&insecure("token")).await;
    report(&monitor, &site, &[node(), contrib("token", "1.0.0")]).await;
    let gone = |module: Value| with(with(module, "version", Value::Null), "missing", true);
    for module in [gone(contrib("token", "1.0.0")), gone(custom("token")), gone(with(node(), "machine_name", "token"))]
    {
        let answer = report(&monitor, &site, &[node(), module]).await;
        assert_eq!(
            (coverage(&answer), &answer["unknown_reasons"]["no_version"]),
            ([0, 0, 1, 0, 1], &json!(1)),
            "{answer}"
        );
        assert_eq!(warnings(&answer, "reported as core"), Vec::<String>::new());
        let view = monitor.module(&site, "token").await;
        assert_eq!((&view["missing"], &view["unknown_reason"]), (&json!(true), &json!("no_version")));
    }
    assert_eq!(coverage(&report(&monitor, &site, &[node(), contrib("token", "1.0.0")]).await), [1, 0, 0, 0, 1]);
    finish(monitor, &database).await;
}

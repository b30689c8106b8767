//! Core, which is judged whatever the report lists of it.

use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::feeds::Feed;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::contrib;
use serde_json::{Value, json};
use time::Duration;

use super::support::{class, core, coverage, finish, on_core, secure, told};
use crate::support::{Monitor, custom, projects, with};

on_both_backends!(core_is_judged_where_no_core_module_is_in_use, drupal_7_from_git_is_core,);

async fn core_is_judged_where_no_core_module_is_in_use(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&Feed::new("drupal", "10.4.").release("10.4.6", &[]).fixed_by("10.4.7")).await;
    monitor.import(&secure("priv")).await;
    let site = monitor.server.site("Site").await;
    let disabled = with(core("ban", "10.4.6"), "status", false);
    // What only claims to be core does not speak for it.
    let claim = core("views", "10.4.5");
    for (case, others, expected) in [
        ("no core module", vec![], [1, 0, 0, 0, 1]),
        ("a disabled one", vec![disabled.clone()], [1, 0, 0, 0, 1]),
        ("one that is none", vec![disabled.clone(), claim], [1, 0, 1, 0, 1]),
    ] {
        let modules = [&[contrib("priv", "1.0.0")][..], &others].concat();
        let answer = told(&monitor, &site, &on_core(&monitor, "10.4.6", &modules), 0).await;
        assert_eq!(coverage(&answer), expected, "{case}");
        let listed = monitor.updates().await;
        assert_eq!(projects(&listed), ["drupal 10.4.6"], "{case}");
        assert_eq!((&listed[0]["modules"], &listed[0]["recommended"]), (&json!([]), &json!("10.4.7")), "{case}");
        assert!(listed[0]["insecure_since"].is_string(), "{case}");
    }
    // Where core modules are in use, each counts, and core is one project.
    let modules = [core("node", "10.4.6"), core("user", "10.4.6"), contrib("priv", "1.0.0")];
    let answer = told(&monitor, &site, &on_core(&monitor, "10.4.6", &modules), 0).await;
    assert_eq!((coverage(&answer), &answer["security_projects"]), ([2, 0, 0, 0, 1], &json!(1)));
    monitor.clock.advance(Duration::HOUR);
    let answer = told(&monitor, &site, &on_core(&monitor, "10.4.7", &[contrib("priv", "1.0.0")]), 0).await;
    assert_eq!((coverage(&answer), monitor.updates().await), ([0, 0, 0, 0, 2], Vec::new()));
    finish(monitor, &database).await;
}

async fn drupal_7_from_git_is_core(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&Feed::drupal7("drupal", "7").release("7.101", &[]).fixed_by("7.102")).await;
    let from_git = |name: &str, path: Value, version: Value| {
        let module = with(with(custom(name), "package", "Core"), "path", path);
        with(module, "version", version)
    };
    let modules = [
        from_git("node", json!("modules/node"), Value::Null),
        from_git("field_sql_storage", json!("modules/field/modules/field_sql_storage"), json!("VERSION")),
        from_git("bartik", json!("themes/bartik"), json!("7.101")),
        from_git("standard", json!("profiles/standard"), Value::Null),
        from_git("taxonomy", Value::Null, Value::Null),
        // These are not core's: the name, the folder, the version.
        from_git("ours", json!("modules/ours"), Value::Null),
        from_git("menu", json!("sites/all/modules/menu"), Value::Null),
        from_git("search", json!("modules/search"), json!("7.0-ours")),
    ];
    let site = monitor.server.site("Old").await;
    let answer = told(&monitor, &site, &on_core(&monitor, "7.101", &modules), 0).await;
    assert_eq!(coverage(&answer), [5, 0, 0, 3, 0], "{answer}");
    for name in ["node", "field_sql_storage", "bartik", "standard", "taxonomy"] {
        let view = monitor.module(&site, name).await;
        let shown = [&view["type"], &view["version"], &view["class"], &view["project"]];
        assert_eq!(shown, [&json!("core"), &json!("7.101"), &json!("insecure"), &json!("drupal")], "{name}");
    }
    for name in ["ours", "menu", "search"] {
        assert_eq!(class(&monitor, &site, name).await, "own", "{name}");
    }
    assert_eq!(projects(&monitor.updates().await), ["drupal 7.101"]);
    finish(monitor, &database).await;
}

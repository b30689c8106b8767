//! Code that is likely somebody else's, and what only claims to be core's.

use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::feeds::Feed;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::contrib;
use serde_json::{Value, json};

use super::support::{agreed, class, core, coverage, drupal, finish, insecure, node, report, secure, warnings};
use crate::support::{Monitor, custom, with};

on_both_backends!(
    custom_code_with_the_name_of_a_project_is_unidentified,
    custom_code_in_a_folder_contrib_is_unidentified,
    what_only_claims_to_be_core_is_unidentified,
);

async fn custom_code_with_the_name_of_a_project_is_unidentified(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&drupal()).await;
    let from_git = [node(), custom("ctools"), custom("address"), custom("our_blocks")];
    let site = monitor.server.site("From git").await;
    let first = report(&monitor, &site, &from_git).await;
    assert_eq!(coverage(&first), [0, 0, 0, 3, 1], "nothing is known of the names");

    // drupal.org turns out to have projects of these names: in today's feed, and in that of Drupal 7.
    monitor.import(&insecure("ctools")).await;
    monitor.import(&Feed::drupal7("address", "1").release("7.x-1.0", &[])).await;
    let shown = agreed(&monitor, &site).await;
    assert_eq!(coverage(&shown), [0, 0, 2, 1, 1]);
    assert_eq!(shown["unknown_reasons"]["unidentified"], 2);
    let view = monitor.module(&site, "ctools").await;
    let told = [&view["class"], &view["unknown_reason"], &view["update_status"], &view["project"]];
    assert_eq!(told, [&json!("unknown"), &json!("unidentified"), &Value::Null, &Value::Null]);
    assert_eq!(class(&monitor, &site, "our_blocks").await, "own");

    // It is in the list under its own name, with what the site says of it.
    let listed = monitor.list("/security/updates?status=unknown&project=ctools").await;
    let row = &listed[0];
    assert_eq!((listed.len(), &row["project"], &row["modules"]), (1, &Value::Null, &json!(["ctools"])));
    assert_eq!(
        (&row["class"], &row["unknown_reason"], &row["accepted"]),
        (&json!("unknown"), &json!("unidentified"), &Value::Null)
    );
    let unchanged = report(&monitor, &site, &from_git).await;
    assert_eq!(coverage(&unchanged), [0, 0, 2, 1, 1], "a report that changes nothing says so, too");

    // A site that comes later is told at once; one that names the project is judged.
    let later = monitor.server.site("Later").await;
    let told = report(&monitor, &later, &from_git).await;
    assert_eq!(coverage(&told), [0, 0, 2, 1, 1]);
    let judged = with(with(custom("ctools"), "project", "ctools"), "version", "1.0.0");
    assert_eq!(coverage(&report(&monitor, &later, &[node(), judged]).await), [1, 0, 0, 0, 1]);
    finish(monitor, &database).await;
}

async fn custom_code_in_a_folder_contrib_is_unidentified(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&drupal()).await;
    let at = |path: &str| with(custom("ours"), "path", path);
    let site = monitor.server.site("Site").await;
    for (path, expected) in [
        ("modules/contrib/ours", "unknown unidentified"),
        ("modules/custom/ours", "own"),
        ("sites/all/modules/contrib/more/ours", "unknown unidentified"),
        ("modules/contributed/ours", "own"),
    ] {
        report(&monitor, &site, &[node(), at(path)]).await;
        assert_eq!(class(&monitor, &site, "ours").await, expected, "{path}");
    }
    // A disabled one is not in use, and in no class.
    let disabled = with(at("modules/contrib/ours"), "status", false);
    assert_eq!(coverage(&report(&monitor, &site, &[node(), disabled]).await), [0, 0, 0, 0, 1]);
    finish(monitor, &database).await;
}

async fn what_only_claims_to_be_core_is_unidentified(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&drupal()).await;
    monitor.import(&secure("drafts")).await;
    let path = with(core("drafts", "10.3.6"), "path", "modules/drafts");
    let version = core("views", "10.3.5");
    let none = with(core("taxonomy", "10.3.6"), "version", Value::Null);
    let name = with(core("our_core", "10.3.6"), "version", "VERSION");
    let real = [with(node(), "path", "core/modules/node"), with(core("user", "10.3.6"), "version", "VERSION")];
    let modules = [&real[..], &[path, version, none, name]].concat();
    let site = monitor.server.site("Site").await;
    let first = report(&monitor, &site, &modules).await;
    assert_eq!(coverage(&first), [0, 0, 4, 0, 2]);
    for claimed in ["drafts", "views", "taxonomy", "our_core"] {
        assert_eq!(class(&monitor, &site, claimed).await, "unknown unidentified", "{claimed}");
        assert_eq!(monitor.module(&site, claimed).await["update_status"], "unknown", "{claimed}");
    }
    let told = warnings(&first, "reported as core");
    assert_eq!(told.len(), 4, "{told:?}");
    for (name, why) in [
        ("drafts", "is not in one of core's folders"),
        ("views", "does not have core's version"),
        ("taxonomy", "does not have core's version"),
        ("our_core", "is in no Drupal core of that version"),
    ] {
        assert!(told.iter().any(|line| line.contains(name) && line.contains(why)), "{name}: {told:?}");
    }
    // Once, also where something else changes.
    let again = report(&monitor, &site, &[&modules[..], &[contrib("drafts_more", "1.0.0")]].concat()).await;
    assert_eq!((coverage(&again), warnings(&again, "reported as core")), ([0, 0, 5, 0, 2], Vec::new()));
    finish(monitor, &database).await;
}

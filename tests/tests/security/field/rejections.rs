//! What lenient mode leaves out, which is seen until a report brings it valid.

use module_monitor_tests::api::TestSite;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::contrib;
use serde_json::{Value, json};

use super::support::{agreed, class, coverage, drupal, finish, insecure, lenient, node, partial, report, secure};
use crate::support::{Monitor, with};

on_both_backends!(
    an_item_that_cannot_be_read_makes_its_module_unknown,
    what_was_never_read_is_there_until_it_is_gone,
    a_mark_ends_with_a_valid_report_of_the_module_or_without_it,
    items_without_a_name_count_by_their_number,
);

/// A version that no info file has.
fn bad(name: &str) -> Value {
    with(contrib(name, "1.0.0"), "version", "one point oh")
}

async fn start(database: &TestDatabase) -> (Monitor, TestSite) {
    let monitor = Monitor::start(database).await;
    monitor.import(&drupal()).await;
    monitor.import(&secure("good")).await;
    monitor.import(&insecure("holed")).await;
    let site = monitor.server.site("Site").await;
    report(&monitor, &site, &valid()).await;
    (monitor, site)
}

fn valid() -> [Value; 3] {
    [node(), contrib("good", "1.0.0"), contrib("holed", "1.0.0")]
}

async fn reporting(monitor: &Monitor, site: &TestSite) -> String {
    let shown = monitor.get(&format!("/sites/{}", site.id)).await.ok();
    let reporting = shown["reporting"].as_str().expect("a word").to_owned();
    let listed = monitor.list("/sites?reporting=partial").await;
    assert_eq!(listed.len(), usize::from(reporting == "partial"), "the filter says the same");
    reporting
}

async fn an_item_that_cannot_be_read_makes_its_module_unknown(database: TestDatabase) {
    let (monitor, site) = start(&database).await;
    assert_eq!(reporting(&monitor, &site).await, "ok");
    let answer = lenient(&monitor, &site, &[node(), bad("good"), bad("holed")], 0).await;
    assert_eq!(coverage(&answer), [1, 0, 1, 0, 1], "what was insecure stays so: {answer}");
    assert_eq!((&answer["unknown_reasons"]["rejected"], &answer["removed_modules"]), (&json!(1), &json!(0)));
    assert_eq!(reporting(&monitor, &site).await, "partial");
    let view = monitor.module(&site, "good").await;
    let told = [&view["class"], &view["unknown_reason"], &view["rejected"], &view["version"], &view["update_status"]];
    assert_eq!(told, [&json!("unknown"), &json!("rejected"), &json!(true), &json!("1.0.0"), &json!("current")]);
    assert_eq!(
        (class(&monitor, &site, "holed").await, monitor.module(&site, "holed").await["rejected"] == true),
        ("insecure".to_owned(), true)
    );
    let row = &monitor.list("/security/updates?status=unknown").await[0];
    assert_eq!((&row["project"], &row["unknown_reason"]), (&json!("good"), &json!("rejected")));

    // What is not told of a module does not unmark it; what is told of another does not either.
    partial(&monitor, &site, &[contrib("holed", "1.0.1")]).await;
    assert_eq!(
        (class(&monitor, &site, "good").await.as_str(), class(&monitor, &site, "holed").await.as_str()),
        ("unknown rejected", "secure")
    );
    // Release data that comes meanwhile changes what is known of the last version that could be read.
    monitor.import(&insecure("good")).await;
    agreed(&monitor, &site).await;
    assert_eq!(class(&monitor, &site, "good").await, "insecure");
    // A full report as it was before is no report of the state that is stored.
    assert_eq!(coverage(&report(&monitor, &site, &valid()).await), [2, 0, 0, 0, 1]);
    assert_eq!(reporting(&monitor, &site).await, "ok");
    finish(monitor, &database).await;
}

async fn what_was_never_read_is_there_until_it_is_gone(database: TestDatabase) {
    let (monitor, site) = start(&database).await;
    let unread = with(bad("fresh"), "status", "perhaps");
    let off = with(bad("unused"), "status", false);
    let modules = [&valid()[..], &[unread, off]].concat();
    let answer = lenient(&monitor, &site, &modules, 0).await;
    assert_eq!(coverage(&answer), [1, 0, 1, 0, 2], "a disabled item does not count, one that may be enabled does");
    assert_eq!(answer["new_modules"], 0);
    let view = monitor.module(&site, "fresh").await;
    let told = [&view["class"], &view["unknown_reason"], &view["rejected"], &view["version"], &view["enabled"]];
    assert_eq!(told, [&json!("unknown"), &json!("rejected"), &json!(true), &Value::Null, &json!(true)]);
    let path = |name: &str| site.modules(&format!("/{name}"));
    monitor.server.api.get(&site.key, &path("unused")).await.problem(404, "module-not-found");
    assert_eq!(reporting(&monitor, &site).await, "partial");

    // It was never in the inventory: without it nothing is removed, and nothing is left.
    let gone = report(&monitor, &site, &valid()).await;
    assert_eq!((coverage(&gone), &gone["removed_modules"]), ([1, 0, 0, 0, 2], &json!(0)));
    monitor.server.api.get(&site.key, &path("fresh")).await.problem(404, "module-not-found");
    assert!(monitor.server.api.list(&site.key, &site.modules("?removed=true"), 10).await.is_empty());
    assert_eq!(reporting(&monitor, &site).await, "ok");

    // When it comes at last, it is new.
    lenient(&monitor, &site, &modules, 0).await;
    let come = report(&monitor, &site, &[&valid()[..], &[contrib("fresh", "1.0.0")]].concat()).await;
    assert_eq!((coverage(&come), &come["new_modules"]), ([1, 0, 1, 0, 2], &json!(1)));
    assert_eq!(class(&monitor, &site, "fresh").await, "unknown not_fetched");
    assert_eq!(monitor.server.api.history(&site, "fresh").await, ["installed - -> 1.0.0"]);
    finish(monitor, &database).await;
}

async fn a_mark_ends_with_a_valid_report_of_the_module_or_without_it(database: TestDatabase) {
    let (monitor, site) = start(&database).await;
    let rejected = [node(), bad("good"), contrib("holed", "1.0.0"), bad("fresh")];
    for (case, is_partial, modules, expected) in [
        ("valid in a full report", false, &[&valid()[..], &[contrib("fresh", "1.0.0")]].concat()[..], [1, 0, 1, 0, 2]),
        ("valid in a partial one", true, &[contrib("good", "1.0.0"), contrib("fresh", "1.0.0")], [1, 0, 1, 0, 2]),
        ("not in a full report", false, &[node(), contrib("holed", "1.0.0")], [1, 0, 0, 0, 1]),
    ] {
        report(&monitor, &site, &valid()).await;
        assert_eq!(coverage(&lenient(&monitor, &site, &rejected, 0).await), [1, 0, 2, 0, 1], "{case}");
        let sent =
            if is_partial { partial(&monitor, &site, modules).await } else { report(&monitor, &site, modules).await };
        assert_eq!(coverage(&sent), expected, "{case}");
        assert_eq!(reporting(&monitor, &site).await, "ok", "{case}");
    }
    // A partial report without it says nothing of it.
    report(&monitor, &site, &valid()).await;
    lenient(&monitor, &site, &rejected, 0).await;
    assert_eq!(coverage(&partial(&monitor, &site, &[node()]).await), [1, 0, 2, 0, 1]);
    assert_eq!(reporting(&monitor, &site).await, "partial");
    // A module that is rejected although it is disabled and was so is not in use.
    report(&monitor, &site, &[node(), with(contrib("good", "1.0.0"), "status", false)]).await;
    let answer = lenient(&monitor, &site, &[node(), with(bad("good"), "status", false)], 0).await;
    assert_eq!(coverage(&answer), [0, 0, 0, 0, 1]);
    finish(monitor, &database).await;
}

async fn items_without_a_name_count_by_their_number(database: TestDatabase) {
    let (monitor, site) = start(&database).await;
    let nameless = with(bad("x"), "machine_name", 7);
    let of_no_kind = json!("token");
    let off = with(nameless.clone(), "status", false);
    let modules = [&valid()[..2], &[nameless, of_no_kind, off]].concat();
    let answer = lenient(&monitor, &site, &modules, 2).await;
    assert_eq!(coverage(&answer), [1, 0, 2, 0, 2], "{answer}");
    assert_eq!((&answer["unknown_reasons"]["rejected"], &answer["removed_modules"]), (&json!(2), &json!(0)));
    assert_eq!(reporting(&monitor, &site).await, "partial");
    // Only a full report says how many there are.
    monitor.import(&secure("more")).await;
    let more = lenient(&monitor, &site, &[node(), contrib("more", "1.0.0"), json!(1)], 1).await;
    assert_eq!(coverage(&more), [1, 0, 1, 0, 3], "{more}");
    assert_eq!(coverage(&report(&monitor, &site, &valid()).await), [1, 0, 0, 0, 2]);
    assert_eq!(reporting(&monitor, &site).await, "ok");
    finish(monitor, &database).await;
}

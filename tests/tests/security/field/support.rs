//! Reports, and everything that is told of a site, which has to agree.

use std::collections::BTreeMap;
use std::sync::Arc;

use module_monitor_domain::{CoverageClass, Feed as FeedOf, ProjectName, UnknownReason};
use module_monitor_ingestion::{Clock, ReleaseService};
use module_monitor_storage::{Check, CheckOutcome};
use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::feeds::Feed;
use module_monitor_tests::payloads::{contrib, report_at};
use module_monitor_tests::process::run;
use serde_json::Value;
use time::Duration;

use crate::support::{Monitor, with};

/// What asks for something to be done; each has a list of its own.
const UNSETTLED: [&str; 3] = ["insecure", "unsupported", "unknown"];

/// So many modules of a site are looked at one by one.
const LOOKED_AT: usize = 20;

/// A module of the core 10.3.6, on which sites report here.
pub(super) fn node() -> Value {
    core("node", "10.3.6")
}

pub(super) fn core(name: &str, version: &str) -> Value {
    with(contrib(name, version), "type", "core")
}

/// A good release of that core.
pub(super) fn drupal() -> Feed {
    Feed::new("drupal", "10.3.").release("10.3.6", &[])
}

/// A project whose 1.0.0 is insecure.
pub(super) fn insecure(project: &str) -> Feed {
    Feed::new(project, "1.0.").release("1.0.0", &[]).fixed_by("1.0.1")
}

/// A project whose 1.0.0 is good.
pub(super) fn secure(project: &str) -> Feed {
    Feed::new(project, "1.0.").release("1.0.0", &[])
}

/// drupal.org answers that it does not know the project.
pub(super) async fn is_on_no_feed(monitor: &Monitor, project: &str) {
    let at = monitor.clock.now();
    let check = Check {
        project: ProjectName::parse(project).expect("a project name"),
        feed: FeedOf::Current,
        at,
        next_check_at: at + Duration::WEEK,
        outcome: CheckOutcome::NoHistory,
    };
    let storage = monitor.server.shared_storage();
    storage.note_check(check).await.expect("it is noted");
    let service = ReleaseService::new(Arc::clone(storage), Arc::new(monitor.clock.clone()));
    service.recount(|_| {}).await.expect("the figures follow");
}

/// A full report of `modules` on that core.
pub(super) fn on_core(monitor: &Monitor, drupal: &str, modules: &[Value]) -> Value {
    with(report_at(monitor.clock.now(), modules.to_vec()), "drupal_version", drupal)
}

/// Sends a full report on 10.3.6, an hour after the last; see [`told`].
pub(super) async fn report(monitor: &Monitor, site: &TestSite, modules: &[Value]) -> Value {
    monitor.clock.advance(Duration::HOUR);
    told(monitor, site, &on_core(monitor, "10.3.6", modules), 0).await
}

/// The same, of a part of the modules.
pub(super) async fn partial(monitor: &Monitor, site: &TestSite, modules: &[Value]) -> Value {
    monitor.clock.advance(Duration::HOUR);
    let body = with(on_core(monitor, "10.3.6", modules), "sync_type", "partial");
    told(monitor, site, &body, 0).await
}

/// A full report whose bad items are left out, `nameless` of them without a name.
pub(super) async fn lenient(monitor: &Monitor, site: &TestSite, modules: &[Value], nameless: i64) -> Value {
    monitor.clock.advance(Duration::HOUR);
    told(monitor, site, &on_core(monitor, "10.3.6", modules), nameless).await
}

/// Sends a report, whose bad items may be left out, and gives the answer, which has to agree with everything else.
pub(super) async fn told(monitor: &Monitor, site: &TestSite, body: &Value, nameless: i64) -> Value {
    let request = monitor.server.api.sync_request(site, body).header("Prefer", "handling=lenient");
    let answer = Answer::of(request).await.ok();
    let shown = agreed_but(monitor, site, nameless).await;
    for field in [
        "security_updates_found",
        "security_projects",
        "security_unsupported",
        "security_unknown",
        "unknown_reasons",
        "coverage",
        "not_covered",
        "accepted",
        "recounting",
    ] {
        assert_eq!(answer[field], shown[field], "{field}: {answer} {shown}");
    }
    answer
}

/// The site's object, which agrees with its modules and with the lists.
pub(super) async fn agreed(monitor: &Monitor, site: &TestSite) -> Value {
    agreed_but(monitor, site, 0).await
}

async fn agreed_but(monitor: &Monitor, site: &TestSite, nameless: i64) -> Value {
    let shown = monitor.get(&format!("/sites/{}", site.id)).await.ok();
    assert_eq!(shown["recounting"], false, "{shown}");
    let items = monitor.server.api.list(&site.key, &site.modules(""), 500).await;
    one_by_one(monitor, site, &items).await;
    let mut classes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for item in &items {
        match item["class"].as_str() {
            Some(class) => classes.entry(class).or_default().push(text(item, "machine_name")),
            None => assert_eq!(item["enabled"], false, "{item}"),
        }
    }
    if !items.iter().any(is_core) {
        classes.entry(class_of_core(monitor, site).await).or_default().push("drupal itself".to_owned());
    }
    for class in CoverageClass::NAMES {
        let mut expected = classes.remove(class).unwrap_or_default();
        let without_name = if class == "unknown" { nameless } else { 0 };
        let count = i64::try_from(expected.len()).expect("few") + without_name;
        assert_eq!(number(&shown["coverage"], class), count, "{class}: {expected:?} {shown}");
        if UNSETTLED.contains(&class) {
            expected.sort();
            assert_eq!(listed(monitor, site, class).await, expected, "{class}");
        }
    }
    figures_follow(&shown);
    reasons_add_up(&shown, &items, nameless);
    let all = listed(monitor, site, "all").await.len();
    let of_classes: i64 = UNSETTLED.iter().map(|class| number(&shown["coverage"], class)).sum();
    assert_eq!(i64::try_from(all).expect("few") + nameless, of_classes);
    shown
}

/// A module's own view says what the list says.
async fn one_by_one(monitor: &Monitor, site: &TestSite, items: &[Value]) {
    for item in items.iter().step_by(items.len() / LOOKED_AT + 1) {
        let one = monitor.module(site, &text(item, "machine_name")).await;
        for field in ["class", "unknown_reason", "rejected", "update_status", "version", "enabled"] {
            assert_eq!(one[field], item[field], "{field}: {one}");
        }
    }
}

/// Whether it speaks for the site's core, which then does not stand for itself.
fn is_core(item: &Value) -> bool {
    let claims_only =
        item["class"] == "own" || ["unidentified", "no_version"].map(Value::from).contains(&item["unknown_reason"]);
    item["type"] == "core" && !item["class"].is_null() && !claims_only
}

/// In which class the core is that stands for itself.
async fn class_of_core(monitor: &Monitor, site: &TestSite) -> &'static str {
    for class in UNSETTLED {
        if listed(monitor, site, class).await.iter().any(|name| name == "drupal itself") {
            return class;
        }
    }
    "secure"
}

/// The modules of a site in the list of that status, sorted; the core that stands for itself has none.
async fn listed(monitor: &Monitor, site: &TestSite, status: &str) -> Vec<String> {
    let rows = monitor.list(&format!("/security/updates?site={}&status={status}", site.id)).await;
    let mut names = Vec::new();
    for row in rows {
        let modules = row["modules"].as_array().expect("modules");
        if modules.is_empty() {
            assert_eq!(row["project"], "drupal", "{row}");
            names.push("drupal itself".to_owned());
        }
        names.extend(modules.iter().map(|name| name.as_str().expect("a name").to_owned()));
    }
    names.sort();
    names
}

/// What asks for something is what is in its class and not accepted.
fn figures_follow(shown: &Value) {
    for (figure, class) in [
        ("security_updates_found", "insecure"),
        ("security_unsupported", "unsupported"),
        ("security_unknown", "unknown"),
    ] {
        let asks = number(&shown["coverage"], class) - number(&shown["accepted"], class);
        assert_eq!(number(shown, figure), asks, "{shown}");
    }
}

fn reasons_add_up(shown: &Value, items: &[Value], nameless: i64) {
    let reasons = UnknownReason::NAMES.map(|reason| number(&shown["unknown_reasons"], reason));
    assert_eq!(reasons.iter().sum::<i64>(), number(shown, "security_unknown"), "{shown}");
    if number(&shown["accepted"], "unknown") > 0 {
        return;
    }
    for (reason, count) in UnknownReason::NAMES.into_iter().zip(reasons) {
        let of_modules = items.iter().filter(|item| item["unknown_reason"] == reason).count();
        let others = match reason {
            "rejected" => nameless,
            // The core that stands for itself.
            "not_fetched" | "not_comparable" => count.min(1),
            _ => 0,
        };
        let of_modules = i64::try_from(of_modules).expect("few");
        assert!((of_modules..=of_modules + others).contains(&count), "{reason}: {count}, {of_modules} of modules");
    }
}

fn number(object: &Value, field: &str) -> i64 {
    object[field].as_i64().unwrap_or_else(|| panic!("{field}: {object}"))
}

fn text(object: &Value, field: &str) -> String {
    object[field].as_str().unwrap_or_else(|| panic!("{field}: {object}")).to_owned()
}

/// How many are in each class: insecure, unsupported, unknown, own, secure.
pub(super) fn coverage(object: &Value) -> [i64; 5] {
    CoverageClass::NAMES.map(|class| number(&object["coverage"], class))
}

/// The class of a module, and why it is unknown: `unknown rejected`.
pub(super) async fn class(monitor: &Monitor, site: &TestSite, name: &str) -> String {
    let module = monitor.module(site, name).await;
    match module["unknown_reason"].as_str() {
        Some(reason) => format!("{} {reason}", text(&module, "class")),
        None => module["class"].as_str().unwrap_or("-").to_owned(),
    }
}

/// The warnings that contain `part`.
pub(super) fn warnings(answer: &Value, part: &str) -> Vec<String> {
    let all = answer["warnings"].as_array().expect("warnings").iter();
    all.filter_map(Value::as_str).filter(|warning| warning.contains(part)).map(str::to_owned).collect()
}

/// Counting again finds nothing that is not as it stands.
pub(super) async fn finish(monitor: Monitor, database: &TestDatabase) {
    let found = run(&database.url, &["security", "recount", "--check"]).await;
    assert_eq!((found.code, found.stdout.ends_with("All figures are right.\n")), (0, true), "{found:?}");
    monitor.server.stop().await;
}

//! Reports to send, as JSON.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::reports::now;

/// Version and enabled flag of each module that is present.
pub type State = BTreeMap<String, (Option<String>, bool)>;

/// A realistic site: core, contrib and custom code, submodules, themes and a profile.
pub const CITY_SITE: &str = include_str!("../fixtures/city_site.json");

/// Our own list and those of real sites, by the names of their files.
pub fn realistic() -> Vec<(String, Value)> {
    let parse = |name: &str, text: &str| serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut lists = vec![("city_site.json".to_owned(), parse("city_site.json", CITY_SITE))];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/payloads");
    for file in ["openmass.json", "rwint9-site.json", "usagov-2021.json", "va-gov-cms.json"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        lists.push((file.to_owned(), parse(file, &text)));
    }
    lists
}

/// An enabled contrib module in that version.
pub fn contrib(name: &str, version: &str) -> Value {
    json!({"machine_name": name, "name": format!("The {name}"), "type": "contrib", "version": version, "status": true})
}

/// `count` contrib modules named `{prefix}_{n}`, all in that version.
pub fn contribs(prefix: &str, count: usize, version: &str) -> Vec<Value> {
    (0..count).map(|n| contrib(&format!("{prefix}_{n:04}"), version)).collect()
}

/// `count` contrib modules as a real site describes its own: a few hundred bytes each.
pub fn described(prefix: &str, count: usize) -> Vec<Value> {
    let describe = |(n, mut module): (usize, Value)| {
        module["package"] = json!("Other");
        module["core_compatibility"] = json!(["^10.3", "^11"]);
        module["dependencies"] = json!(["drupal:node", "token:token (>=8.x-1.0)"]);
        module["description"] =
            json!(format!("Does thing number {n}, and does it as well as a module of its kind can."));
        module["project_link"] = json!(format!("https://www.drupal.org/project/{prefix}_{n:04}"));
        module["datestamp"] = json!(1_700_000_000 + n);
        module
    };
    contribs(prefix, count, "8.x-1.15").into_iter().enumerate().map(describe).collect()
}

/// A full report of `modules`, made now.
pub fn full(modules: Vec<Value>) -> Value {
    report_at(now(), modules)
}

/// A full report of `modules`, made at `at`, on Drupal 10.3.6 and PHP 8.3.0.
pub fn report_at(at: OffsetDateTime, modules: Vec<Value>) -> Value {
    json!({
        "site_info": {"name": "A site"},
        "modules": modules,
        "sync_timestamp": timestamp(at),
        "drupal_version": "10.3.6",
        "php_version": "8.3.0",
    })
}

/// A partial report of `modules`, made now.
pub fn partial(modules: Vec<Value>) -> Value {
    let mut report = full(modules);
    report["sync_type"] = "partial".into();
    report
}

/// The same report, made now.
pub fn again(report: &Value) -> Value {
    let mut report = report.clone();
    report["sync_timestamp"] = timestamp(now()).into();
    report
}

/// `at` as a report writes it.
pub fn timestamp(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).expect("a time that can be written")
}

/// The `n`th of a stream of reports that differ in modules, versions and flags from one to the next.
pub fn of_stream(n: usize) -> Value {
    let module = |i: usize| {
        let mut module = contrib(&format!("stream_{i:02}"), &format!("1.{}.0", (i + n / 2) % 5));
        module["status"] = (!(i + n).is_multiple_of(4)).into();
        module
    };
    full((0..60).filter(|i| !(i + n).is_multiple_of(3)).map(module).collect())
}

/// What a site has after a full report.
pub fn state_of(report: &Value) -> State {
    let modules = report["modules"].as_array().expect("modules").iter();
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    modules
        .map(|m| {
            let name = text(&m["machine_name"]).expect("a name");
            (name, (text(&m["version"]), m["status"].as_bool().expect("a flag")))
        })
        .collect()
}

/// What a site that had `state` has after a report, full or partial, in which every item is valid.
pub fn state_after(state: State, report: &Value) -> State {
    let reported = state_of(report);
    if report["sync_type"] == "partial" { state.into_iter().chain(reported).collect() } else { reported }
}

/// The `sync_timestamp` of a report in microseconds since 1970.
pub fn micros_of(report: &Value) -> i64 {
    let text = report["sync_timestamp"].as_str().expect("a time stamp");
    let at = OffsetDateTime::parse(text, &Rfc3339).expect("RFC 3339");
    i64::try_from(at.unix_timestamp_nanos() / 1_000).expect("a time of our days")
}

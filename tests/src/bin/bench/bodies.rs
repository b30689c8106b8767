//! Reports to send, as bytes: all JSON is built before a clock starts.

use module_monitor_tests::payloads::{described, report_at};
use module_monitor_tests::reports::now;
use serde_json::{Value, json};
use time::Duration;

/// Modules of a large report.
pub(crate) const MANY: usize = 1000;
/// Modules of a common site.
pub(crate) const COMMON: usize = 190;
/// The version that all of them are in.
pub(crate) const VERSION: &str = "8.x-1.15";
/// The version after that.
pub(crate) const NEXT: &str = "8.x-1.16";

/// `count` contrib modules with all that a site says of them: some 430 bytes each.
pub(crate) fn modules(prefix: &str, count: usize) -> Vec<Value> {
    let complete = |mut module: Value| {
        let name = module["machine_name"].as_str().expect("a name").to_owned();
        module["extension"] = json!("module");
        module["project"] = json!(name);
        module["path"] = json!(format!("modules/contrib/{name}"));
        module["composer_name"] = json!(format!("drupal/{name}"));
        // It would say nothing that the project does not.
        if let Some(fields) = module.as_object_mut() {
            fields.remove("project_link");
        }
        module
    };
    described(prefix, count).into_iter().map(complete).collect()
}

/// `count` modules from the `from`th on go to the next version.
pub(crate) fn update(modules: &mut [Value], from: usize, count: usize) {
    for module in &mut modules[from..from + count] {
        module["version"] = json!(NEXT);
    }
}

/// A full report of `modules`, the `n`th of its site: each is a second younger than the one before.
pub(crate) fn body(modules: &[Value], n: i64) -> Vec<u8> {
    let at = now() - Duration::hours(1) + Duration::seconds(n);
    serde_json::to_vec(&report_at(at, modules.to_vec())).expect("JSON")
}

//! Realistic reports.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use module_monitor_domain::{Extension, ModuleType, Report, Scope};
use module_monitor_ingestion::{Handling, SyncRequest};
use serde_json::Value;
use time::macros::datetime;

const SAMPLE: &str = include_str!("sample.json");

#[test]
fn a_report_of_every_kind_of_module_is_read_in_full() {
    let report = SyncRequest::from_json(SAMPLE.as_bytes(), Handling::Strict).unwrap().report;
    assert_eq!((report.repeated(), report.facts()), (&[][..], None));
    assert_eq!(report.scope(), Scope::Full);
    assert_eq!(report.sync_timestamp(), datetime!(2026-01-31 09:30:00.123456 UTC));
    assert_eq!(report.drupal_version().as_str(), "10.3.6");
    assert_eq!(report.php_version().as_str(), "8.2.15-1+deb12u1");
    assert_eq!(report.site_info().identity.environment.as_deref(), Some("production"));
    assert_eq!(report.site_info().identity.url.as_deref(), Some("https://www.example.org"));

    let [theme, block, custom, node] = report.modules() else { panic!("{:?}", report.modules()) };
    assert_eq!(node.module_type, ModuleType::Core);
    assert_eq!(node.project.as_ref().map(|p| p.as_str()), Some("drupal"));
    assert_eq!((node.schema_version, node.datestamp), (Some(8700), Some(1_725_000_000)));
    assert_eq!(node.details.dependencies, ["drupal:text"]);

    assert_eq!(block.version.as_ref().map(|v| v.as_str()), Some("8.x-3.14"));
    assert_eq!(block.project.as_ref().map(|p| p.as_str()), Some("ctools"), "from its link");
    assert_eq!(block.details.description.as_deref(), Some("Provides improvements to blocks. Übersetzt."));
    assert!(!block.enabled && block.security_coverage);

    assert_eq!((theme.extension, theme.security_coverage), (Extension::Theme, false));
    assert_eq!(theme.project.as_ref().map(|p| p.as_str()), Some("claro_example_theme"), "as sent");

    assert_eq!((&custom.version, &custom.project, custom.extension), (&None, &None, Extension::Module));
    assert!(custom.details.dependencies.is_empty() && custom.details.package.is_none());
}

/// The text of a file that the suites share.
fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_module_lists_of_real_sites_are_accepted() {
    for (site, count) in [("openmass", 320), ("rwint9-site", 173), ("usagov-2021", 164), ("va-gov-cms", 379)] {
        let body = fixture(&format!("payloads/{site}.json"));
        let request = SyncRequest::from_json(body.as_bytes(), Handling::Strict);
        let request = request.unwrap_or_else(|error| panic!("{site}: {error:?}"));
        assert_eq!(request.report.modules().len(), count, "{site}");
        assert!(request.report.repeated().is_empty(), "{site}: {:?}", request.report.repeated());
        assert_projects(&request.report, site);
    }
}

/// No list sends `project`; what it is was looked up.
fn assert_projects(report: &Report, site: &str) {
    let table = fixture(&format!("payloads/{site}.projects.tsv"));
    let expected: BTreeMap<&str, &str> = table.lines().skip(1).filter_map(|line| line.split_once('\t')).collect();
    let found: BTreeMap<&str, &str> = report
        .modules()
        .iter()
        .filter(|module| expected.contains_key(module.machine_name.as_str()))
        .map(|module| (module.machine_name.as_str(), module.project.as_ref().map_or("", |project| project.as_str())))
        .collect();
    assert_eq!(found, expected, "{site}");
}

/// The cases in which the server refuses a report: for branches of Composer, and for values of other types.
const REFUSED: [&str; 2] = ["14-composer-branch-versions.json", "18-messages.json"];

/// Reports that real sites were answered wrongly to, and whole lists of sites of other kinds.
#[test]
fn the_reports_of_the_field_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/field");
    let names = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut refused = Vec::new();
    let mut reports = 0;
    for name in names.filter(|name| name.ends_with(".json")).collect::<BTreeSet<_>>() {
        let case: Value = serde_json::from_str(&fixture(&format!("field/{name}"))).unwrap();
        for (body, handling) in requests(&case) {
            reports += 1;
            if SyncRequest::from_json(body.to_string().as_bytes(), handling).is_err() {
                refused.push(name.clone());
            }
        }
        for feed in case["feeds"].as_array().into_iter().flatten() {
            fixture(&format!("field/{}", feed.as_str().unwrap()));
        }
    }
    assert_eq!(refused, REFUSED);
    assert_eq!(reports, 23);
}

/// The reports of a case, in order; a whole list is one. The case of a text that is not UTF-8 has none.
fn requests(case: &Value) -> Vec<(&Value, Handling)> {
    let Some(requests) = case["requests"].as_array() else {
        return if case["modules"].is_array() { vec![(case, Handling::Strict)] } else { Vec::new() };
    };
    let lenient = |request: &Value| request["headers"]["Prefer"] == "handling=lenient";
    let handling = |request| if lenient(request) { Handling::Lenient } else { Handling::Strict };
    requests.iter().map(|request| (&request["body"], handling(request))).collect()
}

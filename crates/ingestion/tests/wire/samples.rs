//! Realistic reports.

use std::path::Path;

use module_monitor_domain::{Extension, ModuleType, Scope};
use module_monitor_ingestion::{Handling, SyncRequest};
use time::macros::datetime;

const SAMPLE: &str = include_str!("sample.json");

#[test]
fn a_report_of_every_kind_of_module_is_read_in_full() {
    let SyncRequest { report, warnings, .. } = SyncRequest::from_json(SAMPLE.as_bytes(), Handling::Strict).unwrap();
    assert!(warnings.is_empty());
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

#[test]
#[expect(clippy::print_stderr, reason = "says why there is nothing to test")]
fn the_module_lists_of_real_sites_are_accepted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/payloads");
    for (file, count) in
        [("openmass.json", 320), ("rwint9-site.json", 173), ("usagov-2021.json", 164), ("va-gov-cms.json", 379)]
    {
        let Ok(body) = std::fs::read(folder.join(file)) else {
            eprintln!("skipped: there is no {}", folder.join(file).display());
            continue;
        };
        let request = SyncRequest::from_json(&body, Handling::Strict);
        let request = request.unwrap_or_else(|error| panic!("{file}: {error:?}"));
        assert_eq!(request.report.modules().len(), count, "{file}");
        assert!(request.warnings.is_empty(), "{file}: {:?}", request.warnings);
    }
}

//! What a site says of its own copy of a module and of its surroundings, and what stands where a version would.

use module_monitor_domain::{CodeSource, SiteDetails};
use serde_json::{Value, json};

use crate::support::*;

#[test]
fn everything_a_site_says_of_its_copy_is_kept() {
    let mut theme = item("ours");
    theme["path"] = json!("themes/custom/ours");
    theme["composer_name"] = json!("drupal/ours");
    theme["composer_version"] = json!("dev-main");
    theme["composer_reference"] = json!("0a1b2c");
    theme["source"] = json!("source");
    theme["base_theme"] = json!("claro");
    theme["hidden"] = json!(true);
    let module = only_module(&body(vec![theme]));
    let text = |text: &str| Some(text.to_owned());
    let expected = SiteDetails {
        reported_version: None,
        path: text("themes/custom/ours"),
        composer_name: text("drupal/ours"),
        composer_version: text("dev-main"),
        composer_reference: text("0a1b2c"),
        source: Some(CodeSource::Source),
        base_theme: module.site_details.base_theme.clone().filter(|theme| theme.as_str() == "claro"),
        hidden: true,
        missing: false,
    };
    assert_eq!(module.site_details, expected);
    assert!(module.site_details.base_theme.is_some());
    assert_eq!(only_module(&body(vec![item("token")])).site_details, SiteDetails::default());
}

#[test]
fn where_the_info_file_says_no_version_composers_is_taken() {
    let of = |version: Value, missing: bool| {
        let mut item = item("token");
        item["version"] = version;
        item["missing"] = json!(missing);
        item["composer_version"] = json!("1.16.0");
        item["composer_reference"] = json!("8.x-1.16");
        item["source"] = json!("dist");
        let module = only_module(&body(vec![item]));
        (module.version.map(|version| version.to_string()), module.site_details.reported_version)
    };
    let release = (Some("8.x-1.16".to_owned()), None);
    assert_eq!(of(json!("8.x-1.15"), false), (Some("8.x-1.15".to_owned()), None), "the info file comes first");
    assert_eq!(of(json!(null), false), release);
    assert_eq!(of(json!("VERSION"), false), release);
    assert_eq!(of(json!(null), true), (None, None), "nothing is there that could have a version");
}

#[test]
fn code_that_is_missing_has_no_version() {
    let gone = |version: Value| {
        let mut gone = item("gone");
        (gone["missing"], gone["version"]) = (json!(true), version);
        body(vec![gone])
    };
    assert!(only_module(&gone(json!(null))).site_details.missing);
    assert_problems(&gone(json!("1.0.0")), &[("/modules/0/version", "invalid")]);
    assert_problems(&gone(json!("VERSION")), &[("/modules/0/version", "invalid")]);
    assert_problems(&gone(json!("?")), &[("/modules/0/version", "format")]);
}

#[test]
fn facts_are_an_object_of_8_kib_that_can_be_read() {
    let facts = |value: Value| strict(&body_with("facts", value)).unwrap().report.facts().map(str::to_owned);
    assert_eq!(facts(json!({"web_server": "nginx"})).as_deref(), Some(r#"{"web_server":"nginx"}"#));
    assert_eq!(facts(json!([])).as_deref(), Some("{}"), "PHP's empty array");
    assert_eq!(facts(json!(null)), None);
    let of_size = |size: usize| json!({"a": "x".repeat(size - r#"{"a":""}"#.len())});
    assert_eq!(facts(of_size(8192)).map(|facts| facts.len()), Some(8192));
    assert_problems(&body_with("facts", of_size(8193)), &[("/facts", "too-large")]);
    let half = body_with("facts", json!({"database": {"version": "HERE"}})).to_string().replace("HERE", r"\ud800");
    assert_eq!(problems_of(half.as_bytes()), [("/facts/database/version".to_owned(), "invalid".to_owned())]);
    let errors = errors(lenient(&body_with("facts", json!("nginx"))));
    assert_eq!(errors[0].pointer, "/facts", "never lenient");
}

/// The version and the reported text of a module with that type, project and version.
fn taken(module_type: &str, project: Value, version: &str) -> (Option<String>, Option<String>) {
    let mut item = item("ours");
    (item["type"], item["project"], item["version"]) = (json!(module_type), project, json!(version));
    let module = only_module(&body(vec![item]));
    (module.version.map(|version| version.to_string()), module.site_details.reported_version)
}

#[test]
fn what_drupal_itself_writes_is_taken_whatever_the_type() {
    for version in ["VERSION", "2.x", "7.x-2.x", "8.x-1.x", "2.1.x", "8.x"] {
        for module_type in ["core", "contrib", "custom"] {
            for project in [json!(null), json!("ours")] {
                assert_eq!(taken(module_type, project, version), (None, Some(version.to_owned())), "{module_type}");
            }
        }
    }
    assert_eq!(taken("custom", json!(null), "1.0.0"), (Some("1.0.0".to_owned()), None));
}

#[test]
fn any_text_is_taken_of_custom_code_without_a_project_and_of_nothing_else() {
    let mut ours = item("ours");
    for version in ["dev-main", "v1.0", "2026-11-25 (build 7)", " ", &"ü".repeat(50)] {
        assert_eq!(taken("custom", json!(null), version), (None, Some(version.to_owned())));
        for (module_type, project) in [("contrib", json!(null)), ("core", json!(null)), ("custom", json!("ours"))] {
            (ours["type"], ours["project"], ours["version"]) = (json!(module_type), project, json!(version));
            assert_problems(&body(vec![ours.clone()]), &[("/modules/0/version", "format")]);
        }
    }
    (ours["type"], ours["project"]) = (json!("custom"), json!(null));
    for version in ["", &"x".repeat(51)] {
        ours["version"] = json!(version);
        assert_problems(&body(vec![ours.clone()]), &[("/modules/0/version", "length")]);
    }
}

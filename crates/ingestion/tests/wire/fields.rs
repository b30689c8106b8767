//! Every field with values of every JSON type.

use serde_json::{Value, json};

use crate::support::*;

/// One value of each JSON type.
fn values() -> [(&'static str, Value); 6] {
    [
        ("null", json!(null)),
        ("boolean", json!(true)),
        ("number", json!(17)),
        ("string", json!("1.0.0")),
        ("array", json!([])),
        ("object", json!({})),
    ]
}

/// The code of an error, or none.
type Code = Option<&'static str>;

/// Each field of an item, the types it may have, what its null means, and what is wrong with the string `1.0.0`.
const ITEM_FIELDS: [(&str, &[&str], Code, Code); 22] = [
    ("machine_name", &["string"], Some("required"), Some("format")),
    ("name", &["string"], Some("required"), None),
    ("type", &["string"], Some("required"), Some("choice")),
    ("version", &["string"], None, None),
    ("status", &["boolean"], Some("required"), None),
    ("extension", &["string"], None, Some("choice")),
    ("schema_version", &["number"], None, None),
    ("package", &["string"], None, None),
    ("project", &["string"], None, Some("format")),
    ("core_compatibility", &["array"], None, None),
    ("dependencies", &["array"], None, None),
    ("description", &["string"], None, None),
    ("project_link", &["string"], None, None),
    ("security_coverage", &["boolean"], None, None),
    ("datestamp", &["number"], None, None),
    ("path", &["string"], None, None),
    ("composer_name", &["string"], None, None),
    ("composer_version", &["string"], None, None),
    ("composer_reference", &["string"], None, None),
    ("source", &["string"], None, Some("choice")),
    ("base_theme", &["string"], None, Some("format")),
    ("hidden", &["boolean"], None, None),
];

#[test]
fn every_item_field_knows_its_types() {
    for (field, types, of_null, of_string) in ITEM_FIELDS {
        for (kind, value) in values() {
            let expected = match kind {
                "null" => of_null,
                kind if !types.contains(&kind) => Some("type"),
                "string" => of_string,
                _ => None,
            };
            check(&body_with_field(field, value), &format!("/modules/0/{field}"), expected, kind);
        }
    }
}

#[test]
fn every_top_level_field_knows_its_types() {
    let fields: [(&str, &[&str], Code, Code, Code); 7] = [
        ("site_info", &["object", "array"], Some("required"), None, None),
        ("modules", &["array"], Some("required"), None, Some("length")),
        ("sync_timestamp", &["string"], Some("required"), Some("format"), None),
        ("drupal_version", &["string"], Some("required"), None, None),
        ("php_version", &["string"], Some("required"), None, None),
        ("sync_type", &["string"], None, Some("choice"), None),
        ("facts", &["object", "array"], None, None, None),
    ];
    for (field, types, of_null, of_string, of_array) in fields {
        for (kind, value) in values() {
            let expected = match kind {
                "null" => of_null,
                kind if !types.contains(&kind) => Some("type"),
                "string" => of_string,
                "array" => of_array,
                _ => None,
            };
            check(&body_with(field, value), &format!("/{field}"), expected, kind);
        }
    }
}

#[track_caller]
fn check(body: &Value, pointer: &str, expected: Code, kind: &str) {
    match expected {
        Some(code) => assert_eq!(problems(body), [(pointer.to_owned(), code.to_owned())], "{pointer} of {kind}"),
        None => assert!(strict(body).is_ok(), "{pointer} of {kind}: {:?}", strict(body)),
    }
}

#[test]
fn missing_required_fields_are_all_named() {
    assert_problems(
        &json!({}),
        &[
            ("/site_info", "required"),
            ("/sync_timestamp", "required"),
            ("/drupal_version", "required"),
            ("/php_version", "required"),
            ("/modules", "required"),
        ],
    );
    assert_problems(
        &body(vec![json!({})]),
        &["machine_name", "name", "type", "version", "status"]
            .map(|field| (format!("/modules/0/{field}"), "required"))
            .iter()
            .map(|(pointer, code)| (pointer.as_str(), *code))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn a_null_version_is_unknown_and_a_missing_one_is_an_error() {
    assert_eq!(only_module(&body_with_field("version", json!(null))).version, None);
    let mut without = item("token");
    without.as_object_mut().map(|fields| fields.remove("version"));
    assert_problems(&body(vec![without]), &[("/modules/0/version", "required")]);
}

#[test]
fn items_that_are_no_objects_are_named_one_by_one() {
    let items = vec![json!(null), json!(1), item("token"), json!("token"), json!([]), json!(true)];
    let expected: Vec<_> = [0, 1, 3, 4, 5].map(|i| (format!("/modules/{i}"), "type".to_owned())).into();
    assert_eq!(problems(&body(items)), expected);
}

#[test]
fn integers_are_neither_floats_nor_strings() {
    for field in ["schema_version", "datestamp"] {
        for json in ["1.0", "1e3", "1.5", "\"17\"", "\"\"", "false"] {
            let body = body_with_field(field, json!("HERE")).to_string().replace("\"HERE\"", json);
            assert_eq!(problems_of(body.as_bytes()), [(format!("/modules/0/{field}"), "type".to_owned())], "{json}");
        }
    }
}

#[test]
fn list_items_of_a_wrong_type_are_all_named() {
    let list = json!(["a", 1, "b", null, {}, [], true]);
    let expected: Vec<_> = [1, 3, 4, 5, 6].map(|i| (format!("/modules/0/dependencies/{i}"), "type".to_owned())).into();
    assert_eq!(problems(&body_with_field("dependencies", list)), expected);
}

#[test]
fn what_is_wrong_is_said_to_a_php_developer() {
    let detail = |field, value| errors(strict(&body_with_field(field, value))).remove(0).detail;
    assert_eq!(
        detail("status", json!("1")),
        "expected true or false without quotes (in PHP, a comparison such as $module->status == 1), found the string \"1\""
    );
    assert_eq!(
        detail("schema_version", json!("8001")),
        "expected a whole number (in PHP, cast with (int)), found the string \"8001\""
    );
    assert!(detail("dependencies", json!({})).contains("array_values"));
    assert_eq!(detail("type", json!("Contrib")), "expected one of core, contrib, custom, found \"Contrib\"");
    assert_eq!(detail("name", json!(null)), "name is required, but it is null");
    assert_eq!(detail("name", json!("x".repeat(256))), "may have at most 255 characters, found 256");
    let long = detail("extension", json!("x".repeat(5000)));
    assert_eq!(long, format!("expected one of module, theme, profile, found \"{}…\"", "x".repeat(60)));
}

#[test]
fn unknown_fields_are_ignored_whatever_they_hold() {
    let unknown = r#"{"a":[1e999,"\ud800"],"\udfff":{}}"#;
    let mut with = body_with_field("unknown", json!("HERE"));
    with["other"] = json!("HERE");
    let with = with.to_string().replace("\"HERE\"", unknown);
    assert!(module_monitor_ingestion::SyncRequest::from_json(with.as_bytes(), Default::default()).is_ok());
}

//! All problems at once, strict and lenient handling, and names that appear twice.

use module_monitor_domain::{MachineName, Scope};
use module_monitor_ingestion::{Handling, SyncRequest};
use serde_json::json;

use crate::support::*;

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let mut body = body(vec![
        item("token"),
        json!({
            "machine_name": "no-name", "name": "", "type": 1, "version": "x", "status": "yes", "extension": "t",
            "schema_version": 1.5, "package": "x".repeat(256), "project": "A", "core_compatibility": {},
            "dependencies": ["a", 5, "x".repeat(256)], "description": [], "project_link": "x".repeat(2049),
            "security_coverage": 1, "datestamp": -1,
        }),
        json!("views"),
    ]);
    body["drupal_version"] = json!(10);
    body["sync_type"] = json!("some");
    let mut found = problems(&body);
    assert_eq!(found[..2], [("/drupal_version".into(), "type".into()), ("/sync_type".into(), "choice".into())]);
    found.sort();
    let mut expected = [
        ("/drupal_version", "type"),
        ("/sync_type", "choice"),
        ("/modules/1/machine_name", "format"),
        ("/modules/1/name", "length"),
        ("/modules/1/type", "type"),
        ("/modules/1/version", "format"),
        ("/modules/1/status", "type"),
        ("/modules/1/extension", "choice"),
        ("/modules/1/schema_version", "type"),
        ("/modules/1/package", "length"),
        ("/modules/1/project", "format"),
        ("/modules/1/core_compatibility", "type"),
        ("/modules/1/dependencies/1", "type"),
        ("/modules/1/dependencies/2", "length"),
        ("/modules/1/description", "type"),
        ("/modules/1/project_link", "length"),
        ("/modules/1/security_coverage", "type"),
        ("/modules/1/datestamp", "range"),
        ("/modules/2", "type"),
    ]
    .map(|(pointer, code)| (pointer.to_owned(), code.to_owned()));
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn an_answer_lists_100_errors_and_counts_the_rest() {
    let body =
        body((0..300).map(|_| json!({"machine_name": 1, "type": "core", "status": true, "name": "x"})).collect());
    let errors = errors(strict(&body));
    assert_eq!(errors.len(), 101);
    assert_eq!((errors[99].pointer.as_str(), errors[99].code.as_str()), ("/modules/49/version", "required"));
    assert_eq!((errors[100].pointer.as_str(), errors[100].code.as_str()), ("", "more-errors"));
    assert!(errors[100].detail.contains("500"), "{}", errors[100].detail);
}

#[test]
fn lenient_handling_lists_each_problem_of_each_rejected_item() {
    let mut bad = item("views");
    bad["status"] = json!(1);
    bad["version"] = json!("latest");
    let report = lenient(&body(vec![item("token"), bad, json!(7), json!({"machine_name": 7})])).unwrap().report;
    assert_eq!(report.modules().len(), 1);
    let rejected: Vec<_> =
        report.rejected().iter().map(|r| (r.pointer.as_str(), r.machine_name.as_deref(), r.code.as_str())).collect();
    assert_eq!(
        rejected,
        [
            ("/modules/1/version", Some("views"), "format"),
            ("/modules/1/status", Some("views"), "type"),
            ("/modules/2", None, "type"),
            ("/modules/3/machine_name", None, "type"),
            ("/modules/3/name", None, "required"),
            ("/modules/3/type", None, "required"),
            ("/modules/3/version", None, "required"),
            ("/modules/3/status", None, "required"),
        ]
    );
    assert!(report.leaves_alone(&MachineName::parse("views").unwrap()));
    assert!(!report.is_complete(), "an item without a name could be any module");
}

#[test]
fn names_of_rejected_items_are_read_where_they_can_be() {
    for (name, expected) in [
        (json!("not a name"), Some("not a name".to_owned())),
        (json!("é".repeat(300)), Some("é".repeat(255))),
        (json!(""), None),
        (json!(["views"]), None),
        (json!("a\0b"), None),
    ] {
        let body = body(vec![item("token"), json!({"machine_name": name})]);
        let report = lenient(&body).unwrap().report;
        assert_eq!(report.rejected()[0].machine_name, expected, "{name}");
        let stored = report.rejected().iter().flat_map(|r| [&r.pointer, &r.detail]);
        assert!(stored.into_iter().all(|text| !text.contains('\0')), "U+0000 cannot be stored");
    }
}

#[test]
fn top_level_fields_are_never_lenient() {
    let mut with_both = body(vec![item("token"), json!({})]);
    with_both["php_version"] = json!("eight");
    let errors = errors(lenient(&with_both));
    assert_eq!(errors[0].pointer, "/php_version");
    assert_eq!(errors[1].pointer, "/modules/1/machine_name", "the items' errors are said too");
    assert_eq!(errors.len(), 6);
}

#[test]
fn nothing_left_to_apply_is_an_error_in_lenient_handling_too() {
    let all_bad = body(vec![json!({"machine_name": "a"}), json!(1)]);
    let errors = errors(lenient(&all_bad));
    assert_eq!(errors.iter().map(|e| e.pointer.as_str()).collect::<Vec<_>>()[3..], ["/modules/0/status", "/modules/1"]);
    assert_eq!(crate::support::errors(strict(&all_bad)), errors);
    let mut bad = item("views");
    bad["status"] = json!(1);
    let left_alone = body(vec![item("views"), bad]);
    assert_eq!(crate::support::errors(lenient(&left_alone))[0].pointer, "/modules/1/status");
}

#[test]
fn of_many_rejected_items_some_are_listed_and_all_are_known() {
    let many = |i: usize| json!({"machine_name": format!("m{i}"), "dependencies": vec![json!(1); 500]});
    let mut items: Vec<_> = (0..1_999).map(many).collect();
    items.push(item("token"));
    let report = lenient(&body(items)).unwrap().report;
    let names: std::collections::BTreeSet<_> =
        report.rejected().iter().filter_map(|r| r.machine_name.clone()).collect();
    assert_eq!(report.rejected().len(), 200);
    assert!(names.len() > 50, "{}", names.len());
    assert_eq!(names.len() + report.unlisted(), 1_999);
    assert_eq!(report.rejected_items().len(), 1_999);
    assert!((0..1_999).all(|i| report.leaves_alone(&MachineName::parse(&format!("m{i}")).unwrap())));
    assert_eq!(
        (report.rejected()[20].pointer.as_str(), report.rejected()[20].code.as_str()),
        ("/modules/0", "more-errors")
    );
}

#[test]
fn rejections_have_at_most_64_kib_whatever_they_repeat() {
    let many =
        |i: usize| json!({"machine_name": format!("{i}{}", "\u{1}\"".repeat(120)), "version": "\u{85}".repeat(49)});
    let mut items: Vec<_> = (0..1_999).map(many).collect();
    items.push(item("token"));
    let report = lenient(&body(items)).unwrap().report;
    let json = serde_json::to_string(report.rejected()).unwrap();
    assert!(json.len() <= 64 * 1024, "{}", json.len());
    assert!(json.len() > 32 * 1024, "{}", json.len());
    assert!(report.rejected().iter().all(|rejection| rejection.detail.chars().count() <= 501));
    assert_eq!(report.rejected_items().len(), 1_999);
}

#[test]
fn of_a_name_that_appears_twice_the_last_entry_counts() {
    let mut later = item("views");
    later["version"] = json!("2.0.0");
    let twice = body(vec![item("views"), item("token"), item("views"), later, item("zebra"), item("zebra")]);
    let request = strict(&twice).unwrap();
    let repeated: Vec<_> = request.report.repeated().iter().map(|name| name.as_str()).collect();
    assert_eq!(repeated, ["views", "zebra"]);
    let modules = request.report.modules();
    assert_eq!(modules.len(), 3);
    assert_eq!(modules[1].version.as_ref().map(|v| v.as_str()), Some("2.0.0"));
}

#[test]
fn a_name_with_a_rejected_occurrence_is_left_as_it_is() {
    let mut bad = item("views");
    bad["status"] = json!(null);
    let request = lenient(&body(vec![item("views"), bad, item("views"), item("token")])).unwrap();
    let names: Vec<_> = request.report.modules().iter().map(|m| m.machine_name.as_str()).collect();
    assert_eq!(names, ["token"]);
    assert!(request.report.repeated().is_empty());
    assert!(request.report.is_complete() && !request.report.is_exact());
    assert_eq!(request.report.scope(), Scope::Full);
}

#[test]
fn of_a_repeated_key_the_last_one_counts() {
    let text = body(vec![item("token")]).to_string();
    let text = text.replace(r#""status":true"#, r#""status":5,"st\u0061tus":false"#);
    let text = text.replace(r#""php_version":"8.3.0""#, r#""php_version":null,"php_version":"8.1.0""#);
    let text = text.replace(r#"{"drupal"#, r#"{"modules":"none","drupal"#);
    let report = SyncRequest::from_json(text.as_bytes(), Handling::Strict).unwrap().report;
    assert!(!report.modules()[0].enabled);
    assert_eq!(report.php_version().as_str(), "8.1.0");
}

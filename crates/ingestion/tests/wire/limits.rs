//! Every limit, on both of its sides.

use module_monitor_domain::Scope;
use serde_json::{Value, json};
use time::macros::datetime;

use crate::support::*;

/// Asserts that `good` is accepted in a field of an item, and that `bad` is one error of that code.
#[track_caller]
fn boundary(field: &str, good: Value, bad: Value, code: &str) {
    let good = body_with_field(field, good);
    assert!(strict(&good).is_ok(), "{field}: {:?}", strict(&good));
    assert_problems(&body_with_field(field, bad), &[(&format!("/modules/0/{field}"), code)]);
}

#[test]
fn lengths_count_characters() {
    for one in ["x", "é", "名", "🦀"] {
        boundary("name", json!(one.repeat(255)), json!(one.repeat(256)), "length");
        boundary("package", json!(one.repeat(255)), json!(one.repeat(256)), "length");
        boundary("description", json!(one.repeat(10_000)), json!(one.repeat(10_001)), "length");
        boundary("project_link", json!(one.repeat(2_048)), json!(one.repeat(2_049)), "length");
        boundary("machine_name", json!(one.repeat(255)), json!(one.repeat(256)), "length");
    }
    boundary("name", json!("x"), json!(""), "length");
    boundary("machine_name", json!("x"), json!(""), "length");
    boundary("version", json!("1".repeat(50)), json!("1".repeat(51)), "length");
    boundary("version", json!("1"), json!(""), "length");
    boundary("project", json!("x".repeat(128)), json!("x".repeat(129)), "format");
    for field in ["composer_name", "composer_version", "composer_reference"] {
        boundary(field, json!("é".repeat(255)), json!("é".repeat(256)), "length");
    }
    boundary("path", json!("é".repeat(512)), json!("é".repeat(513)), "length");
    boundary("base_theme", json!("é".repeat(255)), json!("é".repeat(256)), "length");
    for field in ["package", "description", "project_link", "path", "composer_name", "composer_version"] {
        assert!(strict(&body_with_field(field, json!(""))).is_ok(), "{field} may be empty");
    }
}

#[test]
fn who_a_site_says_it_is_has_a_length() {
    let said = |name: &str, value: Value| body_with("site_info", json!({ name: value, "other": "x".repeat(3_000) }));
    for one in ["x", "é", "🦀", " "] {
        for (name, most) in [("environment", 255), ("url", 2_048)] {
            assert!(strict(&said(name, json!(one.repeat(most)))).is_ok());
            let too_long = said(name, json!(one.repeat(most + 1)));
            let pointer = format!("/site_info/{name}");
            assert_problems(&too_long, &[(&pointer, "length")]);
            assert_eq!(errors(lenient(&too_long))[0].pointer, pointer, "never lenient");
        }
    }
    assert!(strict(&said("url", json!(["x".repeat(3_000)]))).is_ok(), "what is not a string says nothing");
}

#[test]
fn formats_are_those_of_drupal() {
    boundary("machine_name", json!("_a1"), json!("1a"), "format");
    boundary("machine_name", json!("Übung"), json!("a-b"), "format");
    boundary("version", json!("8.x-1.x-dev"), json!("v1.0"), "format");
    boundary("version", json!("1.0.*"), json!("1.0 "), "format");
    boundary("project", json!("a_0"), json!("A"), "format");
    boundary("project", json!("0"), json!(""), "format");
    for (good, bad) in [("modules/a..b", "/modules"), ("..a", ".."), ("a/...", "a/../b"), ("a\\b", "a\\..")] {
        boundary("path", json!(good), json!(bad), "format");
    }
    boundary("base_theme", json!("claro"), json!("base-theme"), "format");
    boundary("source", json!("path"), json!("Dist"), "choice");
    boundary("type", json!("core"), json!("Core"), "choice");
    boundary("extension", json!("profile"), json!("theme_engine"), "choice");
}

#[test]
fn numbers_have_ranges() {
    boundary("schema_version", json!(2_147_483_647), json!(2_147_483_648_i64), "range");
    boundary("schema_version", json!(-2_147_483_648), json!(-2_147_483_649_i64), "range");
    boundary("datestamp", json!(4_102_444_800_i64), json!(4_102_444_801_i64), "range");
    boundary("datestamp", json!(0), json!(-1), "range");
    boundary("datestamp", json!(1), json!(u64::MAX), "range");
    boundary("datestamp", json!(1), json!(i64::MIN), "range");
}

#[test]
fn lists_have_500_strings_of_255() {
    for field in ["dependencies", "core_compatibility"] {
        boundary(field, json!(vec!["a"; 500]), json!(vec!["a"; 501]), "length");
        boundary(field, json!([""]), json!(vec!["a"; 100_000]), "length");
        assert!(strict(&body_with_field(field, json!(["é".repeat(255)]))).is_ok());
        let long = json!(["a", "é".repeat(256), "b", "x".repeat(300)]);
        let at = |i| format!("/modules/0/{field}/{i}");
        assert_problems(&body_with_field(field, long), &[(&at(1), "length"), (&at(3), "length")]);
    }
}

#[test]
fn a_report_has_1_to_2000_items() {
    let items = |n: usize| (0..n).map(|i| item(&format!("m{i}"))).collect::<Vec<_>>();
    assert_eq!(strict(&body(items(2_000))).map(|request| request.report.modules().len()), Ok(2_000));
    for bad in [items(2_001), items(5_000), vec![]] {
        assert_problems(&body(bad), &[("/modules", "length")]);
    }
    assert!(errors(strict(&body(items(2_001))))[0].detail.contains("found 2001"));
    assert_eq!(errors(lenient(&body(items(2_001))))[0].pointer, "/modules");
}

#[test]
fn site_info_has_64_kib() {
    let of_size = |n: usize| json!({"x": "y".repeat(n - r#"{"x":""}"#.len())});
    assert!(strict(&body_with("site_info", of_size(65_536))).is_ok());
    assert_problems(&body_with("site_info", of_size(65_537)), &[("/site_info", "too-large")]);
}

#[test]
fn site_info_is_kept_as_it_was_sent() {
    let text = |site_info: &str| {
        let body = body_with("site_info", json!("HERE")).to_string().replace("\"HERE\"", site_info);
        let request = module_monitor_ingestion::SyncRequest::from_json(body.as_bytes(), Default::default());
        request.map(|request| request.report.site_info().clone())
    };
    let info = text(r#"{ "b": 1.50, "a": "é\u00e9", "url": " https://a.example/ ", "environment": 5 }"#).unwrap();
    assert_eq!(info.json, r#"{ "b": 1.50, "a": "é\u00e9", "url": " https://a.example/ ", "environment": 5 }"#);
    assert_eq!(info.identity.url.as_deref(), Some("https://a.example/"));
    assert_eq!(info.identity.environment, None, "not a string");
    let info = text(r#"{"environment": "dev", "environment": "live", "url": "  "}"#).unwrap();
    assert_eq!(info.identity.environment.as_deref(), Some("live"));
    assert_eq!(info.identity.url, None);
    for empty in ["[]", "[ \n]", "{}"] {
        assert_eq!(text(empty).unwrap().json, "{}", "{empty}");
    }
}

#[test]
fn site_info_is_valid_all_the_way_down() {
    for (site_info, pointer) in [
        (r#"{"a": {"b/c": [1, {"~": "\ud800"}]}}"#, "/site_info/a/b~1c/1/~0"),
        (r#"{"a": [1e999]}"#, "/site_info/a/0"),
        (r#"{"a": {"\udc00": 1}}"#, "/site_info/a"),
        (r#"[1]"#, "/site_info"),
    ] {
        let body = body_with("site_info", json!("HERE")).to_string().replace("\"HERE\"", site_info);
        let code = if pointer == "/site_info" { "type" } else { "invalid" };
        assert_eq!(problems_of(body.as_bytes()), [(pointer.to_owned(), code.to_owned())], "{site_info}");
    }
    let key = "k".repeat(5_000);
    let body = body_with("site_info", json!({key: "HERE"})).to_string().replace("HERE", r"\ud800");
    assert_eq!(problems_of(body.as_bytes()), [("/site_info".to_owned(), "invalid".to_owned())]);
}

#[test]
fn time_stamps_are_rfc_3339_with_an_offset() {
    let at = |text: &str| strict(&body_with("sync_timestamp", json!(text))).map(|r| r.report.sync_timestamp());
    assert_eq!(at("2026-01-31T10:30:00+01:00"), Ok(datetime!(2026-01-31 09:30 UTC)));
    assert_eq!(at("2026-01-31T10:30:00.1234569-00:30"), Ok(datetime!(2026-01-31 11:00:00.123456 UTC)));
    assert_eq!(at("9999-12-31T23:59:59Z"), Ok(datetime!(9999-12-31 23:59:59 UTC)));
    for (bad, code) in [
        ("9999-12-31T23:59:59-00:01", "range"),
        ("0000-01-01T00:00:00+00:01", "range"),
        ("2026-01-31T10:30:00", "format"),
        ("2026-01-31T10:30:00+0100", "format"),
        ("2026-02-30T10:30:00Z", "format"),
        ("2026-01-31", "format"),
        ("1769851800", "format"),
        ("", "format"),
        ("+12026-01-31T10:30:00Z", "format"),
    ] {
        assert_problems(&body_with("sync_timestamp", json!(bad)), &[("/sync_timestamp", code)]);
    }
}

#[test]
fn versions_and_scope_of_the_report() {
    for (field, good, bad) in [
        ("drupal_version", "11.0.0-rc1", "11"),
        ("drupal_version", "7.103", "10.3"),
        ("drupal_version", "11.4-dev", "8.x-1.0"),
        ("php_version", "8.4.0RC1", "8.3"),
    ] {
        assert!(strict(&body_with(field, json!(good))).is_ok(), "{good}");
        assert_problems(&body_with(field, json!(bad)), &[(&format!("/{field}"), "format")]);
        assert_problems(&body_with(field, json!("1".repeat(9_999))), &[(&format!("/{field}"), "length")]);
        assert_problems(&body_with(field, json!("")), &[(&format!("/{field}"), "length")]);
    }
    let scope = |value| strict(&body_with("sync_type", value)).map(|request| request.report.scope());
    assert_eq!(scope(json!("partial")), Ok(Scope::Partial));
    assert_eq!(scope(json!("full")), Ok(Scope::Full));
    assert_eq!(scope(json!(null)), Ok(Scope::Full));
    assert_problems(&body_with("sync_type", json!("FULL")), &[("/sync_type", "choice")]);
}

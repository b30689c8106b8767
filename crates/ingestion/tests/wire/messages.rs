//! Messages that say what to send instead.

use module_monitor_domain::DrupalVersion;
use module_monitor_ingestion::{Handling, RequestError, SyncRequest};
use serde_json::{Value, json};

use crate::support::*;

/// The message about one field of an item.
fn detail(field: &str, value: Value) -> String {
    let errors = errors(strict(&body_with_field(field, value)));
    assert_eq!(errors.len(), 1);
    errors[0].detail.clone()
}

/// Why a body is not JSON.
fn malformed(body: &[u8]) -> String {
    match SyncRequest::from_json(body, Handling::Strict) {
        Err(RequestError::Malformed(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_version_that_is_none_is_told_with_null_and_composer() {
    for version in ["v1.0", "dev-main", "dev-1.x", "1.0 ", "latest", &"9".repeat(51)] {
        let text = detail("version", json!(version));
        assert!(text.contains("null") && text.contains("Composer branch"), "{version}: {text}");
    }
    for (branch, dev) in [("dev-1.x", "1.x-dev"), ("dev-1.0.x", "1.0.x-dev"), ("dev-8.x-1.x", "8.x-1.x-dev")] {
        assert!(detail("version", json!(branch)).contains(&format!("send {dev},")), "{branch}");
        assert!(DrupalVersion::parse(dev).is_ok());
    }
    assert!(detail("version", json!("dev-neutral-access-result")).contains("send null, or"));
}

#[test]
fn no_cast_is_suggested_that_makes_true_of_false() {
    for value in [json!("false"), json!("Disabled"), json!(1), json!([])] {
        let text = detail("status", value);
        assert!(text.contains("true or false") && !text.contains("(bool)") && !text.contains("cast"), "{text}");
    }
}

#[test]
fn lists_show_an_example_of_their_own() {
    for value in [json!("^10"), json!({"a": "^10"})] {
        let text = detail("core_compatibility", value.clone());
        assert!(text.contains(r#"["^10.3 || ^11"]"#) && !text.contains("drupal:"), "{text}");
        assert!(detail("dependencies", value).contains(r#"["drupal:node"]"#));
    }
}

#[test]
fn a_byte_order_mark_is_named() {
    let text = body(vec![item("token")]).to_string();
    for (mark, encoding) in [(&b"\xef\xbb\xbf"[..], "UTF-8"), (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16")] {
        let told = malformed(&[mark, text.as_bytes()].concat());
        assert_eq!(told, format!("it begins with a byte-order mark ({encoding}); send UTF-8 without one"));
    }
}

/// A body in which `?` is a byte that no UTF-8 has, and where that byte is.
fn broken(body: &Value) -> (Vec<u8>, usize) {
    let bytes = body.to_string().into_bytes();
    let at = bytes.iter().position(|byte| *byte == b'?').expect("a place for it");
    (bytes.iter().map(|byte| if *byte == b'?' { 0xe9 } else { *byte }).collect(), at)
}

#[test]
fn a_body_that_is_not_utf8_says_at_which_byte_and_in_which_module() {
    let mut latin1 = item("caf");
    latin1["description"] = json!("Caf?");
    let with_umlauts = |last: Value| {
        let mut first = item("token");
        first["name"] = json!("Zeichen für alle");
        body(vec![first, last])
    };
    let (bytes, at) = broken(&with_umlauts(latin1.clone()));
    assert_eq!(
        malformed(&bytes),
        format!("it is not UTF-8: byte {at}, in the module caf (/modules/1), cannot be read")
    );

    let told = |body: &Value| malformed(&broken(body).0);
    assert!(told(&with_umlauts(json!({"name": "?"}))).contains(", in the module without a name (/modules/1),"));
    assert!(told(&body_with("site_info", json!({"name": "?"}))).contains(r#", in "site_info","#));
    // Where the rest is no JSON either, the byte alone.
    assert_eq!(malformed(b"{\"modules\": [{\xff"), "it is not UTF-8: byte 14, cannot be read");
    let deep = ["[".repeat(1_000_000).as_bytes(), b"\xff"].concat();
    assert!(malformed(&deep).contains("byte 1000000,"));
}

//! Bodies that mean no good: none of them panics or costs more than its size.

use module_monitor_ingestion::{Handling, RequestError, SyncRequest};
use proptest::prelude::*;
use serde_json::json;

use crate::support::*;

const SAMPLE: &str = include_str!("sample.json");
const LIMIT: usize = 16 * 1024 * 1024;

fn both(body: &[u8]) -> [Result<SyncRequest, RequestError>; 2] {
    [Handling::Strict, Handling::Lenient].map(|handling| SyncRequest::from_json(body, handling))
}

#[test]
fn what_is_not_json_is_malformed_and_says_where() {
    for (body, place) in [
        (&b""[..], "empty"),
        (b" \n", "empty"),
        (b"{\"a\": }", "line 1 column 7"),
        (b"{}x", "trailing characters at line 1 column 3"),
        (b"{}{}", "line 1 column 3"),
        (b"[1,2", "line 1 column 4"),
        (b"{\"a\":\"\xff\"}", "byte 6, in \"a\","),
        (b"\xef\xbb\xbf{}", "byte-order mark (UTF-8)"),
        (b"\xff\xfe{\0}\0", "byte-order mark (UTF-16)"),
        (b"{\"a\":\"\0\"}", "line 1"),
        (b"{\"a\":\"\\x\"}", "line 1"),
        (b"{\"a\":\"\\u00g0\"}", "line 1"),
        (b"{'a': 1}", "line 1"),
        (b"{\"modules\": [{\"a\": 01}]}", "line 1"),
        (b"NaN", "line 1"),
        (b"sync_type=full", "line 1"),
    ] {
        for result in both(body) {
            match result {
                Err(RequestError::Malformed(text)) => assert!(text.contains(place), "{body:?}: {text}"),
                other => panic!("{body:?}: {other:?}"),
            }
        }
    }
}

#[test]
fn json_that_is_no_object_is_a_type_error() {
    for body in ["[]", "null", "17", "1e999", "\"{}\"", "true", " [1] ", "\"\\ud800\""] {
        assert_eq!(problems_of(body.as_bytes()), [(String::new(), "type".to_owned())], "{body}");
    }
}

#[test]
fn a_body_cut_anywhere_is_malformed() {
    let body = SAMPLE.trim_end().as_bytes();
    for end in 0..body.len() {
        for result in both(&body[..end]) {
            assert!(matches!(result, Err(RequestError::Malformed(_))), "cut at {end}: {result:?}");
        }
    }
}

#[test]
fn nesting_ends_at_32_levels() {
    let nested = |levels: usize| {
        let value = format!("{}{}", "[".repeat(levels - 1), "]".repeat(levels - 1));
        body_with("unknown", json!("HERE")).to_string().replace("\"HERE\"", &value)
    };
    assert!(SyncRequest::from_json(nested(32).as_bytes(), Handling::Strict).is_ok());
    for text in [nested(33), nested(100_000), "[".repeat(LIMIT), "{\"a\":".repeat(LIMIT / 5)] {
        for result in both(text.as_bytes()) {
            let errors = errors(result);
            assert_eq!((errors.len(), errors[0].code.as_str(), errors[0].pointer.as_str()), (1, "too-deep", ""));
        }
    }
}

#[test]
fn u0000_is_found_wherever_it_hides() {
    let nul = "nul-character";
    assert_problems(&body_with("unknown/~", json!("a\0")), &[("/unknown~1~0", nul)]);
    assert_problems(&body_with("a\0", json!(1)), &[("", nul)]);
    assert_problems(&body_with(&"k".repeat(101), json!("\0")), &[("", nul)]);
    assert_problems(&body_with("site_info", json!({"a": {"b\0": 1}})), &[("/site_info", nul)]);
    assert_problems(&body_with("modules", json!("\0")), &[("/modules", nul), ("/modules", "type")]);
    assert_problems(&body_with_field("name", json!("\0")), &[("/modules/0", nul)]);
    assert_problems(&body_with_field("unknown", json!(["\0"])), &[("/modules/0", nul)]);
    assert_problems(&body_with_field("dep\0", json!(1)), &[("/modules/0", nul)]);
    assert_problems(&body(vec![item("token"), json!("\0")]), &[("/modules/1", nul), ("/modules/1", "type")]);
    assert!(strict(&body_with_field("name", json!("\\u0000"))).is_ok(), "an escaped backslash");
    let overwritten = body(vec![item("token")]).to_string().replacen('{', r#"{"modules":["\u0000"],"#, 1);
    assert_eq!(problems_of(overwritten.as_bytes()), [("/modules".to_owned(), nul.to_owned())]);
}

#[test]
fn u0000_in_an_item_is_that_items_problem_in_lenient_handling() {
    let mut bad = item("views");
    bad["unknown"] = json!({"deep": "\0"});
    let report = lenient(&body(vec![item("token"), bad])).unwrap().report;
    let rejected = &report.rejected()[0];
    assert_eq!((rejected.pointer.as_str(), rejected.code.as_str()), ("/modules/1", "nul-character"));
    assert_eq!(rejected.machine_name.as_deref(), Some("views"));
}

#[test]
fn lone_surrogates_are_no_text() {
    for escape in [r"\ud800", r"\udc00", r"\ud800\u0041", r"a\udfffb"] {
        for field in ["name", "machine_name", "type", "version", "package", "project", "description", "project_link"] {
            let body = body_with_field(field, json!("HERE")).to_string().replace("HERE", escape);
            assert_eq!(
                problems_of(body.as_bytes()),
                [(format!("/modules/0/{field}"), "invalid".to_owned())],
                "{escape}"
            );
        }
        let body = body_with("php_version", json!("HERE")).to_string().replace("HERE", escape);
        assert_eq!(problems_of(body.as_bytes()), [("/php_version".to_owned(), "invalid".to_owned())]);
        let body = body_with_field("dependencies", json!(["a", "HERE"])).to_string().replace("HERE", escape);
        assert_eq!(problems_of(body.as_bytes())[0].0, "/modules/0/dependencies/1");
    }
    let crab = body_with_field("name", json!("HERE")).to_string().replace("HERE", r"\ud83e\udd80");
    let report = SyncRequest::from_json(crab.as_bytes(), Handling::Strict).unwrap().report;
    assert_eq!(report.modules()[0].details.name, "🦀");
}

#[test]
fn huge_numbers_are_out_of_range_or_no_integers() {
    for (number, code) in [
        ("9".repeat(400), "range"),
        (format!("-{}", "9".repeat(400)), "range"),
        ("1e400".to_owned(), "type"),
        (format!("0.{}", "1".repeat(100_000)), "type"),
        ("18446744073709551616".to_owned(), "range"),
    ] {
        for field in ["schema_version", "datestamp"] {
            let body = body_with_field(field, json!("HERE")).to_string().replace("\"HERE\"", &number);
            assert_eq!(problems_of(body.as_bytes()), [(format!("/modules/0/{field}"), code.to_owned())]);
        }
    }
}

#[test]
fn large_bodies_get_small_answers() {
    const SIZE: usize = 1024 * 1024;
    let frame = |modules: &str| body_with("modules", json!("HERE")).to_string().replace("\"HERE\"", modules);
    let list = |item: &str| {
        let items = vec![item; SIZE / (item.len() + 1)].join(",");
        format!("[{items}]")
    };
    let deps = format!(r#"{{"machine_name":"a","dependencies":{}}}"#, list("1"));
    let long = format!(r#"[{{"machine_name":"{0}","version":"{0}","{0}":1}}]"#, "x".repeat(SIZE / 3));
    for body in [frame(&list("1")), frame(&list("{}")), frame(&format!("[{deps}]")), frame(&long)] {
        for result in both(body.as_bytes()) {
            let errors = errors(result);
            let size: usize = errors.iter().map(|e| e.pointer.len() + e.code.len() + e.detail.len()).sum();
            assert!(errors.len() <= 101 && size < 40_000, "{} errors of {size} bytes", errors.len());
        }
    }
}

/// Strict acceptance implies lenient acceptance of the same report; what is refused is refused within bounds.
fn check(body: &[u8]) -> Result<(), TestCaseError> {
    let [strict, lenient] = both(body);
    if let Ok(request) = strict {
        prop_assert!(request.report.is_exact() || request.report.rejected().is_empty());
        prop_assert_eq!(Ok(request), lenient);
    } else if let Err(RequestError::Invalid(errors)) = strict {
        prop_assert!(!errors.is_empty() && errors.len() <= 101);
    }
    Ok(())
}

fn tokens() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "null",
        "true",
        "[]",
        "{}",
        "\"\"",
        "1",
        "-1",
        "1.5",
        "1e999",
        "99999999999999999999",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"a\"",
        "[1]",
        "[\"a\"]",
        "{\"a\":1}",
        ",",
        ":",
        "\"",
        "[",
        "]",
        "{",
        "}",
        "\\",
        "\"views\"",
    ])
    .prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_body_with_bytes_changed_never_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6)
    ) {
        let mut body = SAMPLE.as_bytes().to_vec();
        for (at, byte, how) in changes {
            let at = at.index(body.len());
            match how {
                0 => body[at] = byte,
                1 => body.insert(at, byte),
                _ => drop(body.remove(at)),
            }
        }
        check(&body)?;
    }

    #[test]
    fn a_body_with_values_replaced_never_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), tokens()), 1..5)
    ) {
        let mut body = SAMPLE.to_owned();
        for (at, token) in changes {
            let values: Vec<_> = body.match_indices(": ").map(|(at, _)| at + 2).collect();
            if values.is_empty() {
                break;
            }
            let start = values[at.index(values.len())];
            let end = body[start..].find([',', '\n']).map_or(body.len(), |n| start + n);
            body.replace_range(start..end, &token);
        }
        check(body.as_bytes())?;
    }

    #[test]
    fn any_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&body)?;
    }
}

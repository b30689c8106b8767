//! What a glance at a body finds is what reading all of it finds.

use module_monitor_domain::{Report, Reported};
use module_monitor_ingestion::{Handling, SyncRequest};
use proptest::prelude::*;
use serde_json::json;

use crate::support::{body, body_with, item, strict};

/// A body as PHP writes it, and its list of modules.
const BODY: &str = r#"{"site_info":{"name":"A \"site\"","environment":"prod"},"sync_timestamp":"2026-01-31T09:30:00.1234567+01:00","drupal_version":"10.3.6","php_version":"8.3.0","facts":{"a":["]",{}]},"sync_type":"full","modules":[{"machine_name":"token","name":"T\u00f6ken [\"]","type":"contrib","version":"8.x-1.0","status":true},{"machine_name":"views","name":"Views","type":"core","version":"10.3.6","status":false}]}"#;

fn read(body: &str, handling: Handling) -> Option<Report> {
    SyncRequest::from_json(body.as_bytes(), handling).ok().map(|request| request.report)
}

/// What the glance finds is right, or it finds nothing. `known` is a report whose list the storage knows.
fn assert_sound(body: &str, known: &Report) -> Result<bool, TestCaseError> {
    let Some(glanced) = SyncRequest::glance(body.as_bytes()).map(|request| request.report) else { return Ok(false) };
    if Some(glanced.modules) != known.modules_hash() || glanced.head.drupal_version != *known.drupal_version() {
        return Ok(false);
    }
    for handling in [Handling::Strict, Handling::Lenient] {
        let Some(report) = read(body, handling) else {
            return Err(TestCaseError::fail(format!("known, and not valid: {body}")));
        };
        prop_assert_eq!(&glanced.head, report.head());
        prop_assert_eq!(known.modules(), report.modules());
        prop_assert_eq!(known.fingerprint(), report.fingerprint());
        prop_assert_eq!(report.modules_hash(), Some(glanced.modules));
    }
    Ok(true)
}

#[test]
fn a_body_is_known_again() {
    let known = read(BODY, Handling::Strict).unwrap();
    assert!(assert_sound(BODY, &known).unwrap());
    let without_list = BODY.split("\"modules\":").next().unwrap();
    let list = BODY.strip_prefix(without_list).unwrap().strip_suffix('}').unwrap();
    let elsewhere = format!("\n{{ {list} , {}}}\t", without_list.trim_start_matches('{').trim_end_matches(','));
    assert!(assert_sound(&elsewhere, &known).unwrap(), "{elsewhere}");
    let later = BODY.replace("09:30", "10:30").replace("8.3.0", "8.4.1").replace(r#""facts":{"a":["]",{}]},"#, "");
    assert!(assert_sound(&later, &known).unwrap());
}

#[test]
fn white_space_order_and_escapes_in_the_list_are_other_bytes_of_the_same_state() {
    let known = read(BODY, Handling::Strict).unwrap();
    for (from, to) in [("},{", "}, {"), ("T\\u00f6ken", "Töken"), (r#","status":false"#, ""), ("8.x-1.0", "8.x-1.1")] {
        let body = BODY.replace(from, to).replace(r#""type":"core""#, r#""status":false,"type":"core""#);
        let glanced = SyncRequest::glance(body.as_bytes()).unwrap().report;
        assert_ne!(Some(glanced.modules), known.modules_hash(), "{to}");
        let same = read(&body, Handling::Strict).unwrap().fingerprint() == known.fingerprint();
        assert_eq!(same, to != "8.x-1.1", "{to}");
    }
}

#[test]
fn what_is_not_plain_is_read_as_a_whole() {
    for (from, to) in [
        ("{\"site", "{\"other\":1,\"site"),
        ("\"php_version\"", "\"php\\u005fversion\""),
        ("\"facts\":", "\"modules\":[],\"facts\":"),
        ("\"facts\":", "\"php_version\":\"8.3.0\",\"facts\":"),
        ("\"full\"", "\"partial\""),
        ("\"full\"", "\"fuller\""),
        ("8.3.0", "eight"),
        ("2026-01", "2026-13"),
        ("\"prod\"", "\"\\u0000\""),
        ("\"prod\"", "\"\\ud800\""),
        ("\"prod\"", "1e999"),
        ("\"prod\"", "nul"),
        ("{}]", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"),
        ("]}", "],}"),
        ("]}", "]}}"),
        ("]}", "]"),
        ("[{", "{"),
        ("{\"site", "\u{feff}{\"site"),
    ] {
        let body = BODY.replacen(from, to, 1);
        assert_ne!(body, BODY, "{to}");
        assert_eq!(SyncRequest::glance(body.as_bytes()), None, "{to}");
    }
    assert_eq!(SyncRequest::glance(&[BODY.as_bytes(), b"\xff"].concat()), None);
    assert_eq!(SyncRequest::glance(BODY.replace("prod", "pr@d").replace('@', "\u{1}").as_bytes()), None);
}

#[test]
fn a_list_of_which_something_is_to_be_said_has_no_hash() {
    assert!(strict(&body(vec![item("a"), item("b")])).unwrap().report.modules_hash().is_some());
    assert_eq!(strict(&body(vec![item("a"), item("a")])).unwrap().report.modules_hash(), None, "twice");
    let mut strange = item("a");
    (strange["type"], strange["version"]) = (json!("custom"), json!("our own"));
    assert_eq!(strict(&body(vec![strange])).unwrap().report.modules_hash(), None, "no version");
    assert_eq!(strict(&body_with("sync_type", json!("partial"))).unwrap().report.modules_hash(), None);
    let broken = body(vec![item("a"), json!({})]);
    let lenient = read(&broken.to_string(), Handling::Lenient).unwrap();
    assert_eq!((lenient.rejected_items().len(), lenient.modules_hash()), (1, None));
}

/// Where this fails because the sample is read as something else, `DECODER` in `wire/glance.rs` grows, and then this.
/// Where only the hash of a state is made otherwise, `FORMAT` of the domain has grown already.
#[test]
fn another_decoder_has_another_number() {
    let report = read(include_str!("sample.json"), Handling::Strict).unwrap();
    let decoder = SyncRequest::glance(BODY.as_bytes()).unwrap().report.modules.as_bytes()[..2].to_vec();
    let fingerprint = report.fingerprint().unwrap();
    let hex: String = fingerprint.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        (decoder.as_slice(), hex.as_str()),
        (&[3, 1][..], "036fefba329ae1f1cca4b2c6e79619c297c91e8afd65672b41f9953eec72737032")
    );
}

/// One edit of a text: at a place, so many characters go, and others come.
fn edit() -> impl Strategy<Value = (prop::sample::Index, usize, String)> {
    let piece = prop::sample::select(vec![
        "",
        " ",
        "\n",
        "\"",
        "\\",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "null",
        "\\u0000",
        "\\u006d",
        "\"modules\":[],",
        "é",
        "\u{0}",
        "\"facts\":{},",
        "\"other\":1,",
        "[]",
        "{}",
        "1",
    ]);
    (any::<prop::sample::Index>(), prop_oneof![3 => Just(0_usize), 1 => 1..4_usize], piece.prop_map(str::to_owned))
}

fn edited(body: &str, edits: &[(prop::sample::Index, usize, String)]) -> String {
    let mut text: Vec<char> = body.chars().collect();
    for (place, gone, come) in edits {
        let at = place.index(text.len());
        let end = (at + gone).min(text.len());
        text.splice(at..end, come.chars());
    }
    text.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn an_edited_body_is_known_only_where_it_reads_as_the_known_one(edits in prop::collection::vec(edit(), 0..4)) {
        let known = read(BODY, Handling::Strict).unwrap();
        assert_sound(&edited(BODY, &edits), &known)?;
    }

    #[test]
    fn what_surrounds_the_list_is_all_that_matters(edits in prop::collection::vec(edit(), 1..3)) {
        let known = read(BODY, Handling::Strict).unwrap();
        let at = BODY.find("[{\"machine").unwrap();
        let (before, list) = (&BODY[..at], BODY[at..].strip_suffix('}').unwrap());
        assert_sound(&format!("{}{list}}}", edited(before, &edits)), &known)?;
        assert_sound(&format!("{before}{list}{}", edited(",\"facts\":{}}", &edits)), &known)?;
    }
}

//! What is refused, and how clearly.

use std::fmt::Write;

use module_monitor_domain::Feed;
use module_monitor_ingestion::{FeedError, parse_history};

use crate::support::{endless, full, parse, project, release, releases, written};

#[test]
fn a_truncated_document_is_never_a_short_history() {
    let document = written(&full());
    let whole = document.trim_end().len();
    for end in 0..whole {
        if !document.is_char_boundary(end) {
            continue;
        }
        let error = parse(&document[..end]).expect_err(&document[..end]);
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    let error = parse(&document[..whole - 12]).unwrap_err();
    assert!(matches!(error, FeedError::Truncated(at) if at as usize == whole - 12), "{error:?}");
}

#[test]
fn entities_of_its_own_are_refused_with_the_document_type() {
    let mut bomb = String::from("<?xml version=\"1.0\"?><!DOCTYPE project [<!ENTITY a0 \"ha\">");
    for level in 1..30 {
        let last = level - 1;
        write!(bomb, "<!ENTITY a{level} \"&a{last};&a{last};&a{last};&a{last};&a{last};\">").unwrap();
    }
    bomb.push_str("]><project><short_name>token</short_name><title>&a29;</title></project>");
    let error = parse(&bomb).unwrap_err();
    assert!(matches!(error, FeedError::Doctype(_)), "{error:?}");
    assert!(matches!(parse("<!DOCTYPE html><html></html>"), Err(FeedError::Doctype(_))));
    let unknown = parse(&project("<title>&nbsp;</title>")).unwrap_err();
    assert!(matches!(&unknown, FeedError::Entity { name, .. } if name == "nbsp"), "{unknown:?}");
}

#[test]
fn a_document_of_200_mb_is_given_up_at_the_limit() {
    let head = format!("{}<releases>", project("").trim_end_matches("</project>"));
    for filler in ["<!-- and so on -->", "x", "<x>", "<"] {
        let document = endless(&head, filler, 200 << 20);
        let error = parse_history(document, Feed::Current).unwrap_err();
        let bounded = matches!(error, FeedError::TooLarge(_) | FeedError::TooMuch { .. } | FeedError::Broken { .. });
        assert!(bounded, "{filler}: {error:?}");
    }
    let error = parse_history(endless(&head, " ", 200 << 20), Feed::Current).unwrap_err();
    assert_eq!(error.to_string(), "the document is larger than 16 MiB");
}

#[test]
fn a_document_may_have_16_mib_and_not_a_byte_more() {
    let document = project("");
    let padded = |length: usize| format!("{document}{}", " ".repeat(length - document.len()));
    assert!(parse(&padded(16 << 20)).is_ok());
    assert!(matches!(parse(&padded((16 << 20) + 1)), Err(FeedError::TooLarge(_))));
}

#[test]
fn every_count_has_a_limit() {
    let many = |count: usize| releases(&(0..count).map(|n| release(&format!("1.{n}"), "")).collect::<String>());
    assert_eq!(parse(&many(20_000)).unwrap().releases.len(), 20_000);
    let nameless = releases(&"<release/>".repeat(20_001));
    let terms = |count: usize| releases(&release("1.0", &format!("<terms>{}</terms>", "<term/>".repeat(count))));
    assert!(parse(&terms(100)).is_ok());
    let nested = |depth: usize| project(&format!("{}{}", "<x>".repeat(depth), "</x>".repeat(depth)));
    assert!(parse(&nested(30)).is_ok());
    let long = |length: usize| project(&format!("<title>{}</title>", "é".repeat(length / 2)));
    assert!(parse(&long(16 << 10)).is_ok());
    for (document, what) in [
        (many(20_001), "more than 20000 releases"),
        (nameless, "more than 20000 releases"),
        (terms(101), "more than 100 terms"),
        (nested(40), "more than 32 levels of elements"),
        (long((16 << 10) + 2), "more than 16384 bytes of text"),
    ] {
        let error = parse(&document).unwrap_err();
        assert!(error.to_string().starts_with(what), "{error}");
    }
}

#[test]
fn only_utf_8_is_read() {
    let error = parse("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><project/>").unwrap_err();
    assert_eq!(error.to_string(), "the document is not in UTF-8 but in ISO-8859-1");
    for encoding in ["utf-8", "UTF-8", "Utf-8"] {
        assert!(parse(&project("").replace("utf-8", encoding)).is_ok());
    }
    let latin = project("<title>caf\u{e9}</title>").replace('\u{e9}', "@");
    let latin: Vec<u8> = latin.bytes().map(|b| if b == b'@' { 0xe9 } else { b }).collect();
    assert!(matches!(parse_history(&latin[..], Feed::Current), Err(FeedError::Encoding(_))));
    let utf_16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(project("").encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert!(parse_history(&utf_16[..], Feed::Current).is_err());
}

#[test]
fn what_is_no_history_is_called_that() {
    for (document, why) in [
        ("", "the document is empty"),
        ("<html><body>Oops</body></html>", "its root element is <html>"),
        ("Service unavailable", "it does not begin like XML"),
        ("{\"error\": 1}", "it does not begin like XML"),
        ("<project/>", "it has no short_name"),
        ("<project><short_name>../user</short_name></project>", "is not the name of a project"),
        ("<project><short_name>Token</short_name></project>", "is not the name of a project"),
    ] {
        let error = parse(document).unwrap_err();
        assert!(matches!(error, FeedError::NotAHistory(_)) && error.to_string().contains(why), "{document}: {error}");
    }
}

#[test]
fn broken_xml_is_an_error_that_says_where() {
    for document in [
        project("<title>a</link>"),
        project("</title>"),
        project("<title>a & b</title>"),
        project("<title>&#0;</title>"),
        project("<title>&#xD800;</title>"),
        project("<title>\u{0}</title>"),
        project("<title>&#1;</title>"),
        project("<title><!oops></title>"),
        project("<security covered=\"1\" covered=\"1\">x</security>"),
        format!("{}<project/>", project("")),
        format!("{}rest", project("")),
    ] {
        let error = parse(&document).expect_err(&document);
        assert!(
            matches!(error, FeedError::Broken { .. }) && error.to_string().contains("at byte"),
            "{document}: {error}"
        );
    }
}

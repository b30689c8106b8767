//! What documents say.

use std::fs;
use std::io::BufReader;
use std::path::Path;

use module_monitor_domain::{Feed, ProjectStatus, Release, ReleaseHistory, ReleaseStatus, Support};
use module_monitor_ingestion::{FeedError, parse_any_history, parse_history};

use crate::support::{bare, full, parse, plain, project, release, releases, written};

#[test]
fn everything_that_is_said_of_a_project_is_read() {
    assert_eq!(parse(&written(&full())), Ok(full()));
}

#[test]
fn the_old_form_of_drupal_7_is_read() {
    let support = Support {
        majors: Some("1,2".to_owned()),
        recommended_major: Some("2".to_owned()),
        default_major: Some("1".to_owned()),
        branches: None,
    };
    let history = ReleaseHistory { feed: Feed::Drupal7, support, ..bare(vec![plain("7.x-2.1")]) };
    let document = written(&history);
    assert_eq!(parse_history(document.as_bytes(), Feed::Drupal7).as_ref(), Ok(&history));
    assert_eq!(parse_any_history(document.as_bytes()), Ok(history), "the document tells which feed it is");
}

#[test]
fn a_feed_may_not_contradict_what_was_asked_for() {
    let drupal_7 = project("<api_version>7.x</api_version>");
    let wrong = parse(&drupal_7).unwrap_err();
    assert_eq!(wrong, FeedError::WrongFeed { asked: "current", found: "7.x".to_owned() });
    let drupal_6 = project("<api_version>6.x</api_version>");
    assert!(matches!(parse_any_history(drupal_6.as_bytes()), Err(FeedError::WrongFeed { .. })));
    let silent = parse_history(project("").as_bytes(), Feed::Drupal7).unwrap();
    assert_eq!(silent.feed, Feed::Drupal7);
}

#[test]
fn the_status_of_a_project_is_read_and_an_unknown_one_is_none() {
    let status = |name| parse(&project(&format!("<project_status>{name}</project_status>"))).unwrap().status;
    for known in ["published", "insecure", "unpublished", "revoked", "unsupported"] {
        assert_eq!(status(known).as_str(), known);
    }
    assert_eq!(status("experimental"), ProjectStatus::Published);
    assert_eq!(parse(&project("")).unwrap().status, ProjectStatus::Published);
}

#[test]
fn an_empty_element_is_not_an_absent_one_where_that_matters() {
    let support = |elements| parse(&project(elements)).unwrap().support.branches;
    assert_eq!(support("<supported_branches/>").as_deref(), Some(""));
    assert_eq!(support(""), None);
    assert_eq!(parse(&project("<title></title>")).unwrap().title, None);
}

#[test]
fn malformed_releases_are_left_out_and_counted() {
    let good = release("1.0.0", "<date>12</date>");
    let malformed = [
        release("1.0.1", "<date>yesterday</date>"),
        release("1.0.2", "<date></date>"),
        release("1.0.3", "<date>inf</date>"),
        release("1.0.4", "<download_link></download_link>"),
        release("", ""),
        release("  ", ""),
        release("1.0.5", "").replace("published", "experimental"),
        release("1.0.6", "").replace("https://example.org/1.0.6", ""),
        "<release><version>1.0.7</version><status>published</status></release>".to_owned(),
        "<release><version>1.0.8</version><release_link>x</release_link></release>".to_owned(),
        "<release/>".to_owned(),
    ];
    for bad in &malformed {
        let history = parse(&releases(&format!("{bad}{good}"))).unwrap();
        assert_eq!(history.malformed, 1, "{bad}");
        assert_eq!(history.releases, [Release { date: Some(12), ..plain("1.0.0") }], "{bad}");
    }
    let all = parse(&releases(&malformed.concat())).unwrap();
    assert_eq!((all.releases.len(), all.malformed), (0, 11));
}

#[test]
fn a_date_is_whatever_drupal_takes_for_a_number() {
    for (text, date) in [("1788379574", 1_788_379_574), (" 12 ", 12), ("12.9", 12), ("1e3", 1_000), ("-5", -5)] {
        let history = parse(&releases(&release("1.0.0", &format!("<date>{text}</date>")))).unwrap();
        assert_eq!(history.releases[0].date, Some(date), "{text}");
    }
    assert_eq!(parse(&releases(&release("1.0.0", ""))).unwrap().releases[0].date, None);
}

#[test]
fn the_order_of_the_feed_stays_and_a_repeated_version_takes_the_first_place_with_the_last_words() {
    let doubled = "<date>2</date><terms><term><name>Release type</name><value>Insecure</value></term></terms>";
    let document = [release("1.0", "<date>1</date>"), release("3.0", ""), release("1.0", doubled), release("2.0", "")];
    let history = parse(&releases(&document.concat())).unwrap();
    let expected = [Release { date: Some(2), insecure: true, ..plain("1.0") }, plain("3.0"), plain("2.0")];
    assert_eq!(history.releases, expected);
}

#[test]
fn only_terms_of_the_release_type_count() {
    let term = |name, value| format!("<terms><term><name>{name}</name><value>{value}</value></term></terms>");
    let read = |name, value| parse(&releases(&release("1.0", &term(name, value)))).unwrap().releases[0].clone();
    assert!(read("Release type", "Insecure").insecure);
    assert!(read("Release type", "Unsupported").unsupported);
    assert!(read("Release type", "Security update").security_update);
    assert_eq!(read("Maintenance status", "Insecure"), plain("1.0"));
    assert_eq!(read("Release type", "insecure"), plain("1.0"));
    assert_eq!(read("Release type", "Bug fixes"), plain("1.0"));
}

#[test]
fn elements_of_other_names_and_places_say_nothing() {
    let document = project(
        "<x><title>nested</title></x><y:title>prefixed</y:title><!-- <title>comment</title> --><?title pi?>\
         <title>re<b>bold</b>al</title><status>unpublished</status><releases><other><version>9</version></other></releases>",
    );
    let history = parse(&document).unwrap();
    assert_eq!(history.title.as_deref(), Some("real"));
    assert_eq!((history.releases.len(), history.malformed), (0, 0));
}

#[test]
fn references_and_cdata_are_text() {
    let document = project("<title>a &amp; &lt;b&gt; &#x26;&#38; <![CDATA[<c> & d]]>\r\n</title>");
    assert_eq!(parse(&document).unwrap().title.as_deref(), Some("a & <b> && <c> & d\n"));
}

#[test]
fn unpublished_releases_and_coverage_are_read() {
    let document =
        releases(&release("1.0", "<security covered=\"1\">Covered</security>").replace("published", "unpublished"));
    let expected = Release { status: ReleaseStatus::Unpublished, covered: Some(true), ..plain("1.0") };
    assert_eq!(parse(&document).unwrap().releases, [expected]);
}

#[test]
fn an_error_document_says_what_it_is() {
    let error = |text: &str| parse(&format!("<?xml version=\"1.0\"?>\n<error>{text}</error>\n")).unwrap_err();
    assert_eq!(
        error("No release history was found for the requested project (not_there)."),
        FeedError::NoHistory("not_there".to_owned())
    );
    let upstream = error("The feed is\n\n\tbeing rebuilt");
    assert_eq!(upstream, FeedError::Upstream("The feed is being rebuilt".to_owned()));
    assert!(error(&"long ".repeat(2_000)).to_string().chars().count() < 300);
}

/// The histories that Drupal is tested with, two of the live feed, and those of the small cases.
#[test]
fn every_provided_document_is_read() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let files =
        ["release-history", "field"].into_iter().flat_map(|folder| fs::read_dir(fixtures.join(folder)).unwrap());
    let documents = files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "xml"));
    let mut read = 0;
    for path in documents {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        match parse_any_history(BufReader::new(text.as_bytes())) {
            Ok(history) => {
                assert_eq!(history.feed, Feed::Current, "{name}");
                assert_eq!(history.malformed, 0, "{name}");
                assert_eq!(history.releases.len(), text.matches("<release>").count(), "{name}");
            }
            Err(error) => {
                assert!(text.contains("<error>") && matches!(error, FeedError::NoHistory(_)), "{name}: {error}")
            }
        }
        read += 1;
    }
    assert_eq!(read, 61);
}

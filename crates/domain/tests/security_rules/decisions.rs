//! What is decided before and after the releases are looked at.

use module_monitor_domain::UpdateStatus::{
    Current, NotChecked, NotCurrent, NotFetched, NotSecure, NotSupported, Revoked, Unknown,
};
use module_monitor_domain::{Feed, Judgement, ProjectStatus, ReleaseHistory, SecurityRelease, UpdateStatus, judge};
use time::OffsetDateTime;

use crate::history::{PUBLISHED, assert_cases, assert_judged, history, judged, token};

#[test]
fn what_was_never_fetched_is_not_known() {
    for installed in [Some("1.0.0"), Some("llama"), None] {
        let found = judge(None, &token(), Feed::Current, installed, None);
        assert_judged(&found, NotFetched, &[], "-", "never fetched");
        assert!(!found.needs_security_update(installed));
    }
}

#[test]
fn the_status_of_the_project_comes_before_everything_else() {
    for (status, expected) in [
        (ProjectStatus::Insecure, NotSecure),
        (ProjectStatus::Unpublished, Revoked),
        (ProjectStatus::Revoked, Revoked),
        (ProjectStatus::Unsupported, NotSupported),
    ] {
        let history = ReleaseHistory { status, ..history("1.0.", &["1.0.2 sec", "1.0.1 insecure"]) };
        for installed in [Some("1.0.1"), Some("llama"), None] {
            let found = judge(Some(&history), &token(), Feed::Current, installed, None);
            assert_judged(&found, expected, &[], "-", status.as_str());
            assert_eq!(found.needs_security_update(installed), status == ProjectStatus::Insecure);
        }
    }
}

#[test]
fn nothing_is_known_of_a_version_that_drupal_cannot_parse() {
    let history = history("1.0.,7.x-1.", &["1.0.1 sec", "7.x-1.0 insecure", "llama insecure"]);
    for installed in [None, Some(""), Some("llama"), Some("7.x-1.0"), Some("1"), Some("1.0.*"), Some("1.x")] {
        let found = judge(Some(&history), &token(), Feed::Current, installed, None);
        assert_judged(&found, Unknown, &[], "-", &format!("{installed:?}"));
    }
}

#[test]
fn without_releases_nothing_is_known() {
    assert_cases(&[
        ("1.0.", &[], "1.0.0", Unknown, &[], "-"),
        ("2.0.", &[], "1.0.0", Unknown, &[], "-"),
        ("-", &[], "1.0.0", Unknown, &[], "-"),
    ]);
    let answered = ReleaseHistory::empty(token(), Feed::Current);
    assert_judged(&judged(&answered, "1.0.0", None), Unknown, &[], "-", "no release history was found");
}

#[test]
fn releases_that_are_all_malformed_are_releases() {
    let malformed = |branches| ReleaseHistory { malformed: 3, ..history(branches, &[]) };
    assert_judged(&judged(&malformed("2.0."), "1.0.0", None), NotSupported, &[], "-", "the branch decides");
    assert_judged(&judged(&malformed("1.0."), "1.0.0", None), Unknown, &[], "-", "nothing decides");
}

#[test]
fn an_installed_version_in_no_supported_branch_is_not_supported() {
    assert_cases(&[
        ("2.0.", &["2.0.0", "1.0.0"], "1.0.0", NotSupported, &[], "2.0.0"),
        // Not in the feed: the walk never ends, and the last release looked at is the one that decides on `latest`.
        ("2.0.", &["2.0.0", "1.0.0"], "1.0.7", NotSupported, &[], "2.0.0"),
        ("2.0.", &["2.0.0-rc1", "1.0.0"], "1.0.7", NotSupported, &[], "-"),
        ("2.0.", &["1.0.0", "2.0.0-rc1"], "1.0.7", NotSupported, &[], "2.0.0-rc1"),
        // Branches are prefixes of text, not numbers.
        ("1.0.", &["1.0.0"], "1.0-dev", NotSupported, &[], "1.0.0"),
        ("8.x-1.", &["8.x-1.0"], "8.x-10.0", NotSupported, &[], "-"),
        // In the order of the list, whatever it is.
        ("2.0.,3.0.", &["3.0.0", "2.0.1"], "1.0.0", NotSupported, &[], "2.0.1"),
        ("3.0.,2.0.", &["3.0.0", "2.0.1"], "1.0.0", NotSupported, &[], "3.0.0"),
    ]);
}

#[test]
fn what_is_no_branch_names_no_major() {
    assert_cases(&[
        ("main.,x,3.0.", &["3.0.0", "2.0.1"], "1.0.0", NotSupported, &[], "3.0.0"),
        ("main.", &["1.1.0"], "1.0.0", NotSupported, &[], "-"),
    ]);
}

#[test]
fn nothing_older_is_ever_recommended() {
    assert_cases(&[
        ("1.0.", &["2.0.0", "1.0.1"], "2.0.0", NotSupported, &[], "-"),
        ("1.0.", &["1.0.1 sec", "1.0.0"], "3.0.0", NotSupported, &["1.0.1"], "-"),
        ("8.x-1.", &["8.x-1.5"], "2.0.0", NotSupported, &[], "-"),
        // Of the same major, where Drupal would recommend it: the history is older than the site, or a release of an
        // older branch stands before the installed one.
        ("1.0.,1.1.", &["1.1.3", "1.0.9"], "1.1.4", NotCurrent, &[], "-"),
        ("1.0.,1.1.", &["1.0.9", "1.1.0-rc1"], "1.1.0-rc1", NotCurrent, &[], "-"),
        // Snapshots and branches come after what they contain and before what they lead to.
        ("1.0.", &["1.0.1"], "1.0.1+3-dev", NotChecked, &[], "-"),
        ("1.0.", &["1.0.2"], "1.0.1+3-dev", NotChecked, &[], "1.0.2"),
        ("1.", &["1.0.2"], "1.1.x-dev", NotChecked, &[], "-"),
        ("1.", &["1.1.2"], "1.1.x-dev", NotChecked, &[], "1.1.2"),
        ("11.4.", &["11.4.2"], "11.4.x-dev", NotChecked, &[], "11.4.2"),
        // The same version in its other form is not older.
        ("8.x-1.,1.0.", &["8.x-1.0"], "1.0.0", NotCurrent, &[], "8.x-1.0"),
    ]);
}

#[test]
fn a_recommendation_carries_the_core_it_works_with() {
    let mut feed = history("1.0.", &["1.0.1", "1.0.0", "0.9.0 insecure"]);
    feed.releases[0].core_compatibility = Some("^10.3 || ^11".to_owned());
    assert_eq!(judged(&feed, "1.0.0", None).core_compatibility.as_deref(), Some("^10.3 || ^11"));
    feed.releases[0].core_compatibility = None;
    assert_eq!(judged(&feed, "1.0.0", None).core_compatibility, None);
    feed.releases[0].core_compatibility = Some("^11".to_owned());
    assert_eq!(judged(&feed, "1.0.2", None).core_compatibility, None, "without a recommendation there is none");
}

#[test]
fn without_supported_branches_nothing_is_supported_and_with_an_empty_list_everything() {
    assert_cases(&[
        ("-", &["1.1.0 sec", "1.0.0"], "1.0.0", NotSupported, &[], "-"),
        ("-", &["1.1.0 sec", "1.0.0"], "1.0.7", Unknown, &[], "-"),
        ("", &["1.1.0 sec", "1.0.0"], "1.0.0", NotCurrent, &["1.1.0"], "1.1.0"),
        ("", &["1.1.0 sec", "1.0.0"], "1.1.0", Current, &[], "1.1.0"),
    ]);
}

#[test]
fn an_official_release_is_current_when_it_is_recommended_or_latest() {
    assert_cases(&[
        ("1.0.", &["1.0.0"], "1.0.0", Current, &[], "1.0.0"),
        ("1.0.", &["1.0.1", "1.0.0"], "1.0.0", NotCurrent, &[], "1.0.1"),
        ("1.0.,1.1.", &["1.1.0-rc1", "1.0.0"], "1.0.0", Current, &[], "1.0.0"),
        ("1.0.,1.1.", &["1.1.0-rc1", "1.0.0"], "1.1.0-rc1", Current, &[], "1.1.0-rc1"),
        ("1.0.,1.1.", &["1.1.0-rc2", "1.1.0-rc1", "1.0.0"], "1.1.0-rc1", NotCurrent, &[], "1.1.0-rc2"),
        // Not in the feed, which Drupal takes for older; it would recommend 1.0.1.
        ("1.0.", &["1.0.1", "1.0.0"], "1.0.9", NotCurrent, &[], "-"),
        ("1.0.,2.0.", &["2.0.0"], "1.0.9", Unknown, &[], "-"),
    ]);
}

#[test]
fn a_dev_release_is_judged_by_its_date() {
    let feed = history("1.0.", &["1.0.2 @3000", "1.0.1 sec @2000", "1.0.0 @1000", "1.0.x-dev @5000"]);
    // Drupal recommends 1.0.2 to all of them, also to those that were packaged after it.
    for (datestamp, status, security, recommended, needed) in [
        (None, NotChecked, &[][..], "1.0.2", false),
        (Some(0), NotChecked, &[], "1.0.2", false),
        (Some(PUBLISHED + 1000), NotCurrent, &["1.0.1"], "1.0.2", true),
        (Some(PUBLISHED + 1900), NotCurrent, &["1.0.1"], "1.0.2", true),
        (Some(PUBLISHED + 1901), NotCurrent, &[], "1.0.2", false),
        (Some(PUBLISHED + 2900), NotCurrent, &[], "1.0.2", false),
        (Some(PUBLISHED + 2901), NotCurrent, &[], "-", false),
        (Some(PUBLISHED + 4900), NotCurrent, &[], "-", false),
        (Some(PUBLISHED + 4901), Current, &[], "-", false),
        (Some(i64::MAX), Current, &[], "-", false),
        (Some(i64::MIN), NotCurrent, &["1.0.1"], "1.0.2", true),
    ] {
        let found = judged(&feed, "1.0.x-dev", datestamp);
        assert_judged(&found, status, security, recommended, &format!("{datestamp:?}"));
        assert_eq!(found.needs_security_update(Some("1.0.x-dev")), needed, "{datestamp:?}");
    }
}

#[test]
fn a_dev_release_is_one_by_the_word_alone() {
    let feed = history("1.0.", &["1.0.2 sec @3000", "1.0.0 @1000"]);
    for installed in ["1.0.0+3-dev", "1.0.0-beta1+3-dev", "1.0.x-dev", "1.0.0-predev", "1.0.0-HEAD"] {
        assert_judged(&judged(&feed, installed, None), NotChecked, &[], "1.0.2", installed);
        assert_judged(&judged(&feed, installed, Some(PUBLISHED)), NotCurrent, &["1.0.2"], "1.0.2", installed);
    }
    assert_judged(&judged(&feed, "1.0.0-DEV", None), NotCurrent, &["1.0.2"], "1.0.2", "not in capitals");
}

#[test]
fn a_dev_release_needs_an_update_where_newer_security_releases_are_listed() {
    let listed = SecurityRelease { version: "1.0.1".to_owned(), released_at: None, release_link: String::new() };
    for status in [NotSecure, Revoked, NotSupported, NotCurrent, Current, NotChecked, Unknown, NotFetched] {
        let with =
            |security_updates| Judgement { status, security_updates, recommended: None, core_compatibility: None };
        let (listed, none) = (with(vec![listed.clone()]), with(Vec::new()));
        let grave = matches!(status, NotSecure | Revoked | NotSupported);
        assert_eq!(listed.needs_security_update(Some("1.0.0")), grave, "{status:?}");
        assert!(listed.needs_security_update(Some("1.0.x-dev")), "{status:?}");
        assert_eq!(none.needs_security_update(Some("1.0.x-dev")), status == NotSecure, "{status:?}");
        assert_eq!(none.needs_security_update(None), status == NotSecure, "{status:?}");
    }
}

#[test]
fn a_security_release_carries_its_date_and_link() {
    let mut feed = history("1.0.", &["1.0.4 sec", "1.0.3 sec", "1.0.2 sec", "1.0.1 sec undated", "1.0.0 insecure"]);
    feed.releases[1].date = Some(i64::MAX);
    feed.releases[2].date = Some(-1);
    let found = judged(&feed, "1.0.0", None);
    let dates: Vec<Option<OffsetDateTime>> = found.security_updates.iter().map(|update| update.released_at).collect();
    let published = OffsetDateTime::from_unix_timestamp(PUBLISHED).unwrap();
    assert_eq!(dates, [Some(published), None, None, None], "what is no date is none");
    assert_eq!(found.security_updates[0].release_link, "https://example.com/1.0.4");
}

#[test]
fn statuses_have_names() {
    for status in [NotSecure, Revoked, NotSupported, NotCurrent, Current, NotChecked, Unknown, NotFetched] {
        assert_eq!(UpdateStatus::from_name(status.as_str()), Some(status));
    }
    assert_eq!(UpdateStatus::from_name("secure"), None);
}

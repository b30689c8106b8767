//! Drupal 7: the old form of the feed, and a core that is out of support.

use module_monitor_domain::UpdateStatus::{
    Current, NotChecked, NotCurrent, NotFetched, NotSecure, NotSupported, Revoked, Unknown,
};
use module_monitor_domain::{Feed, ProjectName, ProjectStatus, ReleaseHistory, Support, judge};

use crate::history::{assert_judged, judged, release, token};

/// A history in the old form; `-` is an element that is not there.
fn old(majors: &str, recommended: &str, releases: &[&str]) -> ReleaseHistory {
    let element = |text: &str| (text != "-").then(|| text.to_owned());
    ReleaseHistory {
        support: Support { majors: element(majors), recommended_major: element(recommended), ..Support::default() },
        releases: releases.iter().map(|line| release(line)).collect(),
        ..ReleaseHistory::empty(token(), Feed::Drupal7)
    }
}

fn core(majors: &str, releases: &[&str]) -> ReleaseHistory {
    ReleaseHistory { project: ProjectName::drupal(), ..old(majors, "7", releases) }
}

#[test]
fn modules_are_judged_by_supported_majors() {
    let feed = old("2,3", "3", &["7.x-3.1 sec", "7.x-3.0 insecure", "7.x-2.1", "7.x-2.0", "7.x-1.9"]);
    for (installed, status, security, recommended) in [
        ("7.x-3.1", Current, &[][..], "7.x-3.1"),
        ("7.x-3.0", NotSecure, &["7.x-3.1"], "7.x-3.1"),
        ("7.x-2.1", Current, &[], "7.x-2.1"),
        ("7.x-2.0", NotCurrent, &[], "7.x-2.1"),
        ("7.x-1.9", NotSupported, &["7.x-3.1"], "7.x-3.1"),
        ("7.x-3.x-dev", NotChecked, &[], "7.x-3.1"),
        ("7.x-4.0", NotSupported, &["7.x-3.1"], "-"),
        ("8.x-3.0", Unknown, &[], "-"),
    ] {
        assert_judged(&judged(&feed, installed, None), status, security, recommended, installed);
    }
}

#[test]
fn the_recommended_major_is_where_an_unsupported_one_goes() {
    let releases = ["7.x-3.0", "7.x-2.0", "7.x-1.0"];
    assert_judged(&judged(&old("2,3", "3", &releases), "7.x-1.0", None), NotSupported, &[], "7.x-3.0", "recommended");
    assert_judged(&judged(&old("2,3", "-", &releases), "7.x-1.0", None), NotSupported, &[], "7.x-2.0", "the first");
    let mut feed = old("-", "-", &releases);
    feed.support.default_major = Some("2".to_owned());
    assert_judged(&judged(&feed, "7.x-1.0", None), NotSupported, &[], "7.x-2.0", "an even older feed");
    assert_judged(&judged(&feed, "7.x-2.0", None), Current, &[], "7.x-2.0", "an even older feed");
}

#[test]
fn a_feed_that_names_no_major_still_has_releases() {
    let releases = ["7.x-1.1 sec", "7.x-1.0"];
    assert_judged(&judged(&old("-", "-", &releases), "7.x-1.0", None), NotCurrent, &["7.x-1.1"], "7.x-1.1", "silent");
    let given_up = judged(&old("", "1", &releases), "7.x-1.0", None);
    assert_judged(&given_up, NotSupported, &["7.x-1.1"], "7.x-1.1", "an empty list");
    assert!(given_up.needs_security_update(Some("7.x-1.0")));
}

#[test]
fn branches_count_where_a_feed_of_drupal_7_has_them() {
    let mut feed = old("-", "-", &["7.x-2.0", "7.x-1.1", "7.x-1.0"]);
    feed.support.branches = Some("7.x-2.".to_owned());
    assert_judged(&judged(&feed, "7.x-1.0", None), NotSupported, &[], "7.x-2.0", "not in a branch");
    assert_judged(&judged(&feed, "7.x-2.0", None), Current, &[], "7.x-2.0", "in a branch");
}

#[test]
fn core_is_not_supported_whatever_its_feed_says() {
    let feed = core("7", &["7.103 sec", "7.102", "7.101 unpublished", "7.100 insecure"]);
    for (installed, status, security, recommended) in [
        ("7.103", NotSupported, &[][..], "7.103"),
        ("7.102", NotSupported, &["7.103"], "7.103"),
        ("7.101", Revoked, &["7.103"], "7.103"),
        ("7.100", NotSecure, &["7.103"], "7.103"),
        // Drupal would recommend the older 7.103.
        ("7.104", NotSupported, &["7.103"], "-"),
        ("7.99-dev", NotSupported, &[], "7.103"),
    ] {
        assert_judged(&judged(&feed, installed, None), status, security, recommended, installed);
    }
    assert!(judged(&feed, "7.102", None).needs_security_update(Some("7.102")));
    assert_judged(&judged(&core("7", &[]), "7.103", None), NotSupported, &[], "-", "an empty feed");
    let insecure = ReleaseHistory { status: ProjectStatus::Insecure, ..feed };
    assert_judged(&judged(&insecure, "7.103", None), NotSecure, &[], "-", "the project decides");
}

#[test]
fn core_is_not_supported_where_its_feed_cannot_be_had() {
    let never = |project: &ProjectName, feed| judge(None, project, feed, Some("7.103"), None);
    assert_judged(&never(&ProjectName::drupal(), Feed::Drupal7), NotSupported, &[], "-", "Drupal 7");
    assert_judged(&never(&ProjectName::drupal(), Feed::Current), NotFetched, &[], "-", "a newer Drupal");
    assert_judged(&never(&token(), Feed::Drupal7), NotFetched, &[], "-", "a module");
    let gone = ReleaseHistory::empty(ProjectName::drupal(), Feed::Drupal7);
    assert_judged(&judged(&gone, "7.103", None), NotSupported, &[], "-", "no release history was found");
}

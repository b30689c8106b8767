//! The walk from the newest release to the installed one.

use module_monitor_domain::UpdateStatus::{Current, NotCurrent, NotSecure, NotSupported, Revoked, Unknown};

use crate::history::{PUBLISHED, assert_cases, assert_judged, history, judged, release};

#[test]
fn a_newer_security_release_does_not_make_the_installed_one_insecure() {
    assert_cases(&[
        ("1.0.", &["1.0.2", "1.0.1 sec", "1.0.0"], "1.0.0", NotCurrent, &["1.0.1"], "1.0.2"),
        ("1.0.", &["1.0.2", "1.0.1 sec", "1.0.0 insecure"], "1.0.0", NotSecure, &["1.0.1"], "1.0.2"),
        (
            "11.3.,11.4.",
            &["11.4.7 sec", "11.4.6 insecure", "11.3.17 sec", "11.3.16 insecure"],
            "11.3.17",
            NotCurrent,
            &["11.4.7"],
            "11.4.7",
        ),
    ]);
}

#[test]
fn the_installed_release_is_insecure_before_it_is_revoked_before_it_is_not_supported() {
    assert_cases(&[
        ("1.0.", &["1.0.1", "1.0.0 insecure unpublished unsupported"], "1.0.0", NotSecure, &[], "1.0.1"),
        ("1.0.", &["1.0.1", "1.0.0 unpublished unsupported"], "1.0.0", Revoked, &[], "1.0.1"),
        ("1.0.", &["1.0.1", "1.0.0 unsupported"], "1.0.0", NotSupported, &[], "1.0.1"),
        // And all of them before the branch.
        ("2.0.", &["2.0.0", "1.0.0 insecure"], "1.0.0", NotSecure, &[], "2.0.0"),
        ("2.0.", &["2.0.0", "1.0.0 unpublished"], "1.0.0", Revoked, &[], "2.0.0"),
    ]);
}

#[test]
fn an_old_release_with_newer_security_releases_needs_them() {
    for (line, status) in [("1.0.0 unpublished", Revoked), ("1.0.0 unsupported", NotSupported)] {
        let found = judged(&history("1.0.", &["1.0.1 sec", line]), "1.0.0", None);
        assert_judged(&found, status, &["1.0.1"], "1.0.1", line);
        assert!(found.needs_security_update(Some("1.0.0")), "{line}");
    }
    let found = judged(&history("1.0.", &["1.0.1 sec", "1.0.0"]), "1.0.0", None);
    assert!(!found.needs_security_update(Some("1.0.0")), "a supported, published release without the term is secure");
}

#[test]
fn the_walk_stops_at_the_installed_release() {
    assert_cases(&[
        ("1.0.", &["1.0.3", "1.0.2 sec", "1.0.1", "1.0.0 sec"], "1.0.1", NotCurrent, &["1.0.2"], "1.0.3"),
        // The text has to be the same: `1.0.01` is not `1.0.1`.
        ("1.0.", &["1.0.3", "1.0.2 sec", "1.0.1", "1.0.0 sec"], "1.0.01", NotCurrent, &["1.0.2", "1.0.0"], "1.0.3"),
        // The installed one is not among its own updates. (Drupal would recommend it, insecure as it is.)
        ("1.0.", &["1.0.1 sec insecure"], "1.0.1", NotSecure, &[], "-"),
    ]);
}

#[test]
fn what_cannot_be_installed_is_passed_over() {
    assert_cases(&[
        (
            "1.0.",
            &["1.0.4 sec unpublished", "1.0.3 sec unsupported", "1.0.2 sec insecure", "1.0.1", "1.0.0"],
            "1.0.0",
            NotCurrent,
            &[],
            "1.0.1",
        ),
        ("1.0.", &["1.1.0 sec", "1.0.1", "1.0.0"], "1.0.0", NotCurrent, &[], "1.0.1"),
        ("1.0.", &["llama sec", "1.0.1.1 sec", "7.x-1.0 sec", "dev-main", "1.0.0"], "1.0.0", Current, &[], "1.0.0"),
        ("1.0.", &["1.0.2 unpublished", "1.0.1 insecure", "1.0.0"], "1.0.0", Current, &[], "1.0.0"),
        // A stub without a date; with one it is the latest, though not recommended.
        ("1.", &["1.x-dev undated", "1.0.0"], "1.0.0", Current, &[], "1.0.0"),
        ("1.", &["1.x-dev undated"], "1.0.0", Unknown, &[], "-"),
        ("1.", &["1.x-dev"], "1.0.0", NotCurrent, &[], "1.x-dev"),
        // A release without a date is one all the same.
        ("1.", &["1.1.0 sec undated", "1.0.0"], "1.0.0", NotCurrent, &["1.1.0"], "1.1.0"),
    ]);
}

#[test]
fn an_undated_dev_release_is_not_passed_over_when_it_is_installed() {
    let feed = history("1.", &["1.x-dev undated unpublished"]);
    assert_judged(&judged(&feed, "1.x-dev", Some(PUBLISHED)), Revoked, &[], "1.x-dev", "installed");
    let feed = history("1.", &["1.x-dev undated"]);
    assert_judged(&judged(&feed, "1.x-dev", Some(PUBLISHED)), Current, &[], "1.x-dev", "nothing is newer than no date");
}

#[test]
fn higher_majors_are_no_updates_and_lower_ones_are_not_recommended() {
    assert_cases(&[
        ("1.0.,2.0.", &["2.0.1 sec", "2.0.0", "1.0.1", "1.0.0"], "1.0.0", NotCurrent, &[], "1.0.1"),
        ("1.0.,2.0.", &["2.0.1 sec", "2.0.0", "1.0.0"], "1.0.0", Current, &[], "1.0.0"),
        (
            "8.x-1.,2.0.",
            &["2.0.1 sec", "8.x-1.1 sec", "8.x-1.0 insecure"],
            "8.x-1.0",
            NotSecure,
            &["8.x-1.1"],
            "8.x-1.1",
        ),
        ("9.0.,10.0.", &["10.0.0", "9.0.1 sec", "9.0.0"], "9.0.0", NotCurrent, &["9.0.1"], "9.0.1"),
        // Of a lower major, but before the installed one in the feed.
        ("1.0.,2.0.", &["1.0.9 sec", "2.0.0"], "2.0.0", Current, &[], "2.0.0"),
        ("1.0.,2.0.", &["1.0.9 sec", "2.0.1", "2.0.0"], "2.0.0", NotCurrent, &["1.0.9"], "2.0.1"),
        // Not supported: the target is another major, and the list has what is on the way there.
        (
            "2.0.,3.0.",
            &["3.0.1 sec", "2.0.1 sec", "2.0.0", "1.0.1 sec", "1.0.0"],
            "1.0.0",
            NotSupported,
            &["2.0.1"],
            "2.0.1",
        ),
    ]);
}

#[test]
fn the_first_number_without_an_extra_is_recommended() {
    assert_cases(&[
        ("1.", &["1.2.0-beta1", "1.1.0-rc1", "1.0.1", "1.0.0"], "1.0.0", NotCurrent, &[], "1.0.1"),
        // Once the number is out, the first release with it in the feed is the one.
        ("1.", &["1.2.0-fix", "1.2.0", "1.0.0"], "1.0.0", NotCurrent, &[], "1.2.0-fix"),
        ("1.", &["1.2.0-fix", "1.2.0-rc1", "1.2.0", "1.0.0"], "1.0.0", NotCurrent, &[], "1.2.0-fix"),
        ("1.", &["1.2.0-fix", "1.1.0", "1.2.0", "1.0.0"], "1.0.0", NotCurrent, &[], "1.1.0"),
        ("8.x-1.", &["8.x-1.6-fix", "8.x-1.6", "8.x-1.5"], "8.x-1.5", NotCurrent, &[], "8.x-1.6-fix"),
        // Words that Drupal takes for false are part of the number, and no release all the same.
        ("1.", &["1.2.0-0", "1.2.0", "1.0.0"], "1.0.0", NotCurrent, &[], "1.2.0"),
        ("1.", &["1.2.0-", "1.2.0", "1.0.0"], "1.0.0", NotCurrent, &[], "1.2.0"),
        ("1.", &["1.2.0-0", "1.2.0-", "1.1.0", "1.0.0"], "1.0.0", NotCurrent, &[], "1.1.0"),
    ]);
}

#[test]
fn the_latest_is_recommended_where_the_last_release_looked_at_is_supported() {
    assert_cases(&[
        ("1.", &["1.0.0-beta2", "1.0.0-beta1"], "1.0.0-beta1", NotCurrent, &[], "1.0.0-beta2"),
        ("1.", &["1.0.0-beta2", "1.0.0-beta1 unsupported"], "1.0.0-beta1", NotSupported, &[], "-"),
        ("1.", &["1.0.0-beta2", "1.0.0-beta1 insecure"], "1.0.0-beta1", NotSecure, &[], "1.0.0-beta2"),
        ("1.", &["1.0.0-beta2", "0.9.0"], "1.0.0-alpha1", Unknown, &[], "-"),
        // What Drupal cannot parse is not looked at.
        ("1.", &["1.0.0-beta2", "dev-main"], "1.0.0-alpha1", NotCurrent, &[], "1.0.0-beta2"),
    ]);
}

#[test]
fn a_bad_release_with_nothing_newer_is_recommended_itself_unless_it_is_insecure() {
    assert_cases(&[
        // Drupal recommends these two, although they are insecure.
        ("1.", &["1.0.0 insecure"], "1.0.0", NotSecure, &[], "-"),
        ("1.", &["1.0.1 insecure", "1.0.0 insecure"], "1.0.0", NotSecure, &[], "-"),
        ("1.", &["1.0.0 unpublished"], "1.0.0", Revoked, &[], "1.0.0"),
        ("1.", &["1.0.0 unsupported"], "1.0.0", NotSupported, &[], "-"),
        // And what is listed stays listed.
        ("1.,2.", &["1.0.9 sec", "2.0.0 insecure"], "2.0.0", NotSecure, &["1.0.9"], "-"),
    ]);
}

#[test]
fn security_releases_of_other_branches_are_shown_unless_nothing_is_left_to_do() {
    assert_cases(&[
        ("8.1.,8.2.", &["8.2.0-rc2 sec", "8.1.2 sec", "8.1.1"], "8.1.2", Current, &[], "8.1.2"),
        ("8.1.,8.2.", &["8.2.0-rc2 sec", "8.1.2 sec", "8.1.1"], "8.1.1", NotCurrent, &["8.2.0-rc2", "8.1.2"], "8.1.2"),
        ("8.1.,8.2.", &["8.2.0-rc2 sec", "8.1.2 sec", "8.1.1"], "8.2.0-rc2", Current, &[], "8.2.0-rc2"),
    ]);
}

#[test]
fn dates_decide_only_for_what_has_them() {
    let feed = history("1.", &["1.2.0 sec undated", "1.1.0 sec @-5000", "1.0.x-dev @-9000", "1.0.0 @-9999"]);
    let found = judged(&feed, "1.0.x-dev", Some(PUBLISHED));
    assert_judged(&found, Current, &["1.2.0"], "1.2.0", "a release without a date may be newer");
    assert!(found.needs_security_update(Some("1.0.x-dev")));

    let mut feed = history("1.", &["1.2.0 sec", "1.0.0 @-9999"]);
    feed.releases[0].date = Some(0);
    assert_judged(&judged(&feed, "1.0.x-dev", Some(PUBLISHED)), Current, &["1.2.0"], "1.2.0", "0 is no date");
}

#[test]
fn the_newest_date_is_that_of_the_latest_or_of_the_first_dev_release() {
    for (releases, status) in [
        (["1.1.0 @50", "1.0.x-dev @99", "1.0.0"], Current),
        (["1.1.0 @50", "1.0.x-dev @100", "1.0.0"], NotCurrent),
        (["1.1.0 @100", "1.0.x-dev @50", "1.0.0"], NotCurrent),
        (["1.1.0 undated", "1.0.x-dev @100", "1.0.0"], NotCurrent),
        (["1.1.0 @99", "1.0.x-dev @50", "1.0.0 @5000"], Current),
        (["1.1.0 @99", "1.0.0+1-dev @98", "1.0.x-dev @5000"], Current),
        (["1.1.0 @99", "1.0.0-rc1+1-dev @5000", "1.0.x-dev @50"], Current),
    ] {
        let found = judged(&history("1.", &releases), "1.0.y-dev", Some(PUBLISHED));
        assert_judged(&found, status, &[], "1.1.0", &format!("{releases:?}"));
    }
}

#[test]
fn tens_of_thousands_of_releases_and_branches_are_walked_once() {
    let mut feed = history("", &[]);
    let branches: Vec<String> = (0..20_000).map(|n| format!("3.{n}.")).collect();
    feed.support.branches = Some(branches.join(","));
    feed.releases = (0..20_000).rev().map(|n| release(&format!("3.{n}.0-beta{n} sec"))).collect();
    let found = judged(&feed, "3.0.0-alpha1", None);
    assert_eq!((found.status, found.security_updates.len()), (NotCurrent, 20_000));
}

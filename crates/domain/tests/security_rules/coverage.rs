//! Until when a core gets security releases.

use module_monitor_domain::CoverageState::{Covered, Ended, Ending};
use module_monitor_domain::{
    CoreCoverage, CoreVersion, CoverageState, Feed, ProjectName, ReleaseHistory, core_coverage,
};
use time::Date;
use time::macros::date;

use crate::history::history;

const TODAY: Date = date!(2026 - 11 - 23);

fn core(branches: &str, releases: &[&str]) -> ReleaseHistory {
    ReleaseHistory { project: ProjectName::drupal(), ..history(branches, releases) }
}

fn coverage(history: &ReleaseHistory, installed: &str, today: Date) -> Option<(CoverageState, Option<String>)> {
    let installed = CoreVersion::parse(installed).expect(installed);
    core_coverage(&installed, Some(history), today).map(|CoreCoverage { state, until }| (state, until))
}

/// What Drupal says: with 8.2 out, with a candidate of 8.3, with 8.3 and 9.0, of the last minors of 9, and with 10.5.
#[test]
fn coverage_ends_when_the_second_minor_after_it_is_out() {
    const OLD: [&str; 4] = ["8.2.0", "8.2.0-beta2", "8.1.0", "8.0.0"];
    let with = |newer: &[&'static str]| core("-", &[newer, &OLD[..]].concat());
    let (plain, candidate, next_major) = (with(&[]), with(&["8.3.0-rc1"]), with(&["9.0.0", "8.3.0"]));
    let recent = core("10.4.,10.5.", &["10.5.0", "10.4.0"]);
    for (history, installed, state, until) in [
        (&candidate, "8.0.0", Ended, "8.2.0"),
        (&candidate, "8.1.0", Ending, "8.3.0"),
        (&plain, "8.1.0", Ending, "8.3.0"),
        (&candidate, "8.2.0", Covered, "8.4.0"),
        (&plain, "8.2.0", Covered, "8.4.0"),
        (&next_major, "8.0.0", Ended, "8.2.0"),
        (&next_major, "8.2.0", Ending, "8.4.0"),
        (&recent, "10.5.0", Covered, "10.7.0"),
        (&recent, "10.4.0", Ending, "10.6.0"),
    ] {
        assert_eq!(coverage(history, installed, TODAY), Some((state, Some(until.to_owned()))), "{installed}");
    }
    assert_eq!(coverage(&candidate, "8.2.0-beta2", TODAY), None, "not a full release");
    assert_eq!(coverage(&candidate, "8.1.0-dev", TODAY), None, "not a release");
    assert_eq!(coverage(&candidate, "8.2.7", TODAY), None, "not in the feed");
}

#[test]
fn some_minors_end_on_a_day() {
    let nine = core("9.4.,9.5.", &["9.5.0", "9.4.0"]);
    let eight = core("8.8.,8.9.", &["8.9.0", "8.8.0"]);
    let ten = core("10.6.,11.3.,11.4.", &["11.4.0", "10.6.0", "10.5.0"]);
    for (history, installed, today, state, until) in [
        (&nine, "9.4.0", date!(2022 - 12 - 13), Covered, "2023-06-21"),
        (&nine, "9.4.0", date!(2022 - 12 - 14), Ending, "2023-06-21"),
        (&nine, "9.4.0", date!(2023 - 06 - 20), Ending, "2023-06-21"),
        (&nine, "9.4.0", date!(2023 - 06 - 21), Ended, "2023-06-21"),
        (&nine, "9.4.0", date!(2023 - 06 - 22), Ended, "2023-06-21"),
        (&nine, "9.5.0", date!(2023 - 01 - 01), Covered, "2023-11"),
        (&nine, "9.5.0", date!(2023 - 05 - 15), Ending, "2023-11"),
        (&nine, "9.5.0", date!(2023 - 10 - 31), Ending, "2023-11"),
        (&nine, "9.5.0", date!(2023 - 11 - 01), Ended, "2023-11"),
        (&eight, "8.8.0", date!(2020 - 06 - 01), Covered, "2020-12-02"),
        (&eight, "8.8.0", date!(2020 - 06 - 02), Ending, "2020-12-02"),
        (&eight, "8.9.0", date!(2021 - 10 - 31), Covered, "2021-11"),
        (&eight, "8.9.0", date!(2021 - 11 - 01), Ended, "2021-11"),
        (&ten, "10.6.0", TODAY, Ending, "2026-12-09"),
    ] {
        assert_eq!(coverage(history, installed, today), Some((state, Some(until.to_owned()))), "{installed} {today}");
    }
}

#[test]
fn a_minor_that_the_feed_has_dropped_is_not_covered() {
    let feed = core("10.6.,11.3.,11.4.", &["11.4.0", "11.3.0", "11.2.0", "10.6.0", "10.5.0"]);
    assert_eq!(coverage(&feed, "10.5.0", TODAY), Some((Ended, None)), "no 10.7 will ever end it");
    assert_eq!(coverage(&feed, "11.2.0", TODAY), Some((Ended, Some("11.4.0".to_owned()))), "11.4 has");
    assert_eq!(coverage(&feed, "11.3.0", TODAY), Some((Ending, Some("11.5.0".to_owned()))));
}

#[test]
fn only_full_releases_that_can_be_had_count_as_minors() {
    let feed = core("8.1.,8.2.", &["llama", "8.3.0 unpublished", "8.3.0-rc1", "8.2.x-dev", "8.2.0", "8.1.0"]);
    assert_eq!(coverage(&feed, "8.1.0", TODAY), Some((Ending, Some("8.3.0".to_owned()))));
    let withdrawn = core("8.1.", &["8.1.0 unpublished"]);
    assert_eq!(coverage(&withdrawn, "8.1.0", TODAY), Some((Ended, Some("8.3.0".to_owned()))));
}

#[test]
fn drupal_7_needs_no_feed_to_have_ended() {
    let drupal_7 = CoreVersion::parse("7.103").unwrap();
    let on = |today| core_coverage(&drupal_7, None, today).map(|coverage| coverage.state);
    assert_eq!(on(date!(2025 - 01 - 04)), Some(Covered));
    assert_eq!(on(date!(2025 - 01 - 05)), Some(Ended));
    let drupal_10 = CoreVersion::parse("10.3.6").unwrap();
    assert_eq!(core_coverage(&drupal_10, None, TODAY), None, "nothing is known");
}

#[test]
fn no_version_is_too_large() {
    let version = format!("11.{}.0", u64::MAX);
    let feed = ReleaseHistory { feed: Feed::Current, ..core("-", &[&version]) };
    assert!(coverage(&feed, &version, Date::MAX).is_some());
}

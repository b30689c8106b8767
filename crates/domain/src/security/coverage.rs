//! Until when a Drupal core gets security releases.

use serde::Serialize;
use time::Date;

use super::release_version::ReleaseVersion;
use super::supported::Supported;
use crate::{CoreVersion, Feed, ReleaseHistory, ReleaseStatus, names};

/// A minor of Drupal core gets security releases until this many minors later one is out.
const COVERED_MINORS: u64 = 2;

/// Minors whose coverage ends on a day, as Drupal has them: (major, minor), the first day or month without coverage, and
/// the day from which it is about to end.
const FIXED_ENDS: [((u64, u64), &str, Option<&str>); 5] = [
    ((8, 8), "2020-12-02", Some("2020-06-02")),
    ((8, 9), "2021-11", None),
    ((9, 4), "2023-06-21", Some("2022-12-14")),
    ((9, 5), "2023-11", Some("2023-05-14")),
    ((10, 6), "2026-12-09", Some("2026-06-17")),
];

/// The first day without security releases of Drupal 7.
const DRUPAL_7_END: &str = "2025-01-05";

names! {
    /// Whether a Drupal core still gets security releases.
    pub enum CoverageState {
        /// It does.
        Covered = "covered",
        /// It does, but only until the next minor is out, or a day that is near.
        Ending = "ending",
        /// It does not any more.
        Ended = "ended",
    }
}

/// Until when a Drupal core gets security releases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CoreCoverage {
    /// Whether it still does.
    pub state: CoverageState,
    /// What ends or ended it: the release of a version (`8.4.0`), or a day or month (`2023-06-21`, `2023-11`). `None`
    /// where the feed has dropped the minor without either.
    pub until: Option<String>,
}

/// Tells until when the installed core gets security releases, by the release history of Drupal and the day it is (UTC).
///
/// `None` where that cannot be told: without a history, for a version that is not in it, and for anything that is not a
/// full release.
pub fn core_coverage(core: &CoreVersion, history: Option<&ReleaseHistory>, today: Date) -> Option<CoreCoverage> {
    if Feed::of(core) == Feed::Drupal7 {
        return Some(until_day(DRUPAL_7_END, None, today));
    }
    let history = history?;
    let installed = ReleaseVersion::parse(core.as_str(), Feed::Current)?;
    let minor = installed.minor?;
    if !history.releases.iter().any(|release| release.version == core.as_str()) {
        return None;
    }
    let fixed = FIXED_ENDS.iter().find(|(fixed, ..)| *fixed == (installed.major, minor));
    if let Some((_, end, warn)) = fixed {
        return Some(until_day(end, *warn, today));
    }
    if installed.extra.is_some() {
        return None;
    }
    let end = minor.saturating_add(COVERED_MINORS);
    let until = Some(format!("{}.{end}.0", installed.major));
    Some(match newest_minor(history, installed.major).map_or(0, |newest| end.saturating_sub(newest)) {
        0 => CoreCoverage { state: CoverageState::Ended, until },
        // The last minors of a major end when a later major says so: no minor follows that could end them.
        _ if Supported::of(&history.support, Feed::Current).rules_out(core.as_str(), &installed) => {
            CoreCoverage { state: CoverageState::Ended, until: None }
        }
        1 => CoreCoverage { state: CoverageState::Ending, until },
        _ => CoreCoverage { state: CoverageState::Covered, until },
    })
}

/// The minor of the newest full release of a major.
fn newest_minor(history: &ReleaseHistory, major: u64) -> Option<u64> {
    let published = history.releases.iter().filter(|release| release.status == ReleaseStatus::Published);
    published
        .filter_map(|release| ReleaseVersion::parse(&release.version, Feed::Current))
        .find(|version| version.major == major && version.extra.is_none())
        .and_then(|version| version.minor)
}

/// Days as text compare as days do, and a month comes before its days.
fn until_day(end: &str, warn: Option<&str>, today: Date) -> CoreCoverage {
    let today = today.to_string();
    let state = if end <= today.as_str() {
        CoverageState::Ended
    } else if warn.is_some_and(|warn| warn <= today.as_str()) {
        CoverageState::Ending
    } else {
        CoverageState::Covered
    };
    CoreCoverage { state, until: Some(end.to_owned()) }
}

//! Release histories written in one line each.

use module_monitor_domain::{
    Feed, Judgement, ProjectName, Release, ReleaseHistory, ReleaseStatus, Support, UpdateStatus, judge,
};

/// When the releases of a history were published unless they say otherwise.
pub(crate) const PUBLISHED: i64 = 1_700_000_000;

/// A project that no rule knows by name.
pub(crate) fn token() -> ProjectName {
    ProjectName::parse("token").expect("a project name")
}

/// A release written as its version and, behind it, what is special: `sec`, `insecure`, `unsupported`, `unpublished`,
/// `undated` or `@SECONDS` after [`PUBLISHED`].
pub(crate) fn release(line: &str) -> Release {
    let mut words = line.split(' ');
    let version = words.next().expect(line);
    let mut release = Release {
        version: version.to_owned(),
        status: ReleaseStatus::Published,
        date: Some(PUBLISHED),
        link: format!("https://example.com/{version}"),
        insecure: false,
        unsupported: false,
        security_update: false,
        covered: None,
        core_compatibility: None,
    };
    for word in words {
        match word {
            "sec" => release.security_update = true,
            "insecure" => release.insecure = true,
            "unsupported" => release.unsupported = true,
            "unpublished" => release.status = ReleaseStatus::Unpublished,
            "undated" => release.date = None,
            at => {
                release.date = Some(PUBLISHED + at.strip_prefix('@').and_then(|n| n.parse::<i64>().ok()).expect(line))
            }
        }
    }
    release
}

/// A history with these supported branches (`-` is a feed without them) and releases.
pub(crate) fn history(branches: &str, releases: &[&str]) -> ReleaseHistory {
    ReleaseHistory {
        support: Support { branches: (branches != "-").then(|| branches.to_owned()), ..Support::default() },
        releases: releases.iter().map(|line| release(line)).collect(),
        ..ReleaseHistory::empty(token(), Feed::Current)
    }
}

/// What the history of the installed version's project says of it.
pub(crate) fn judged(history: &ReleaseHistory, installed: &str, datestamp: Option<i64>) -> Judgement {
    judge(Some(history), &history.project, history.feed, Some(installed), datestamp)
}

/// One case: supported branches, releases, the installed version, and the status, newer security releases and
/// recommended version that are expected.
pub(crate) type Case =
    (&'static str, &'static [&'static str], &'static str, UpdateStatus, &'static [&'static str], &'static str);

/// Checks every case; `-` is no recommendation.
pub(crate) fn assert_cases(cases: &[Case]) {
    for (branches, releases, installed, status, security, recommended) in cases {
        assert_judged(
            &judged(&history(branches, releases), installed, None),
            *status,
            security,
            recommended,
            &format!("{installed} of {releases:?} in {branches}"),
        );
    }
}

/// Checks one judgement; `-` is no recommendation.
pub(crate) fn assert_judged(found: &Judgement, status: UpdateStatus, security: &[&str], recommended: &str, what: &str) {
    let listed: Vec<&str> = found.security_updates.iter().map(|release| release.version.as_str()).collect();
    let expected = (status, security, recommended);
    assert_eq!((found.status, listed.as_slice(), found.recommended.as_deref().unwrap_or("-")), expected, "{what}");
}

//! What holds for every release history and every installed version.

use UpdateStatus::{NotSecure, NotSupported, Revoked};
use module_monitor_domain::{
    CoreVersion, DrupalVersion, Feed, Judgement, ProjectName, ProjectStatus, Release, ReleaseHistory, ReleaseStatus,
    Support, UpdateStatus, core_coverage, judge,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use time::macros::date;

use crate::history::{PUBLISHED, judged, release, token};

/// Versions as drupal.org has them, close together, so that they meet.
fn version() -> impl Strategy<Value = String> {
    let extra = select(vec!["", "", "", "-beta1", "-rc1", "-rc2", "-dev", "-beta1+3-dev"]);
    let numbers = prop_oneof![
        (1..3u8, 0..3u8).prop_map(|(major, minor)| format!("8.x-{major}.{minor}")),
        (1..3u8, 0..2u8, 0..3u8).prop_map(|(major, minor, patch)| format!("{major}.{minor}.{patch}")),
    ];
    prop_oneof![
        12 => (numbers, extra).prop_map(|(numbers, extra)| numbers + extra),
        2 => select(vec!["8.x-1.x-dev", "1.x-dev", "1.1.x-dev", "dev-main", "7.x-1.0", "1.0.0-", "1.0.0-0"]).prop_map(str::to_owned),
        1 => ".{0,12}",
    ]
}

fn any_release() -> impl Strategy<Value = Release> {
    let date = option::weighted(0.9, prop_oneof![PUBLISHED..PUBLISHED + 1000, any::<i64>(), Just(0)]);
    let rarely = || prop::bool::weighted(0.15);
    (version(), date, rarely(), rarely(), rarely(), rarely()).prop_map(
        |(version, date, unpublished, insecure, unsupported, security_update)| {
            let status = if unpublished { ReleaseStatus::Unpublished } else { ReleaseStatus::Published };
            Release {
                version: version.clone(),
                date,
                status,
                insecure,
                unsupported,
                security_update,
                ..release("1.0.0")
            }
        },
    )
}

fn support() -> impl Strategy<Value = Support> {
    let branch = select(vec!["8.x-1.", "8.x-2.", "1.0.", "1.1.", "1.", "2.", "2.0.", "7.x-1.", "", "main"]);
    let branches = option::weighted(0.95, vec(branch, 1..4).prop_map(|branches| branches.join(",")));
    let numbers = || option::of(select(vec!["1", "2", "1,2", "", "x"]).prop_map(str::to_owned));
    (branches, numbers(), numbers(), numbers()).prop_map(|(branches, majors, recommended_major, default_major)| {
        Support { branches, majors, recommended_major, default_major }
    })
}

fn history() -> impl Strategy<Value = ReleaseHistory> {
    let feed = select(vec![Feed::Current, Feed::Current, Feed::Current, Feed::Drupal7]);
    let project = select(vec![token(), ProjectName::drupal()]);
    (feed, project, support(), vec(any_release(), 0..12)).prop_map(|(feed, project, support, mut releases)| {
        let mut seen = std::collections::HashSet::new();
        releases.retain(|release| seen.insert(release.version.clone()));
        ReleaseHistory { support, releases, ..ReleaseHistory::empty(project, feed) }
    })
}

/// A history, a version that is mostly one of its releases, and when that was packaged.
fn case() -> impl Strategy<Value = (ReleaseHistory, String, Option<i64>)> {
    let datestamp = option::of(prop_oneof![PUBLISHED - 200..PUBLISHED + 1200, any::<i64>()]);
    (history(), any::<Index>(), version(), prop::bool::weighted(0.8), datestamp).prop_map(
        |(history, index, other, own, datestamp)| {
            let installed = match history.releases.as_slice() {
                releases @ [_, ..] if own => index.get(releases).version.clone(),
                _ => other,
            };
            (history, installed, datestamp)
        },
    )
}

fn find<'a>(history: &'a ReleaseHistory, version: &str) -> Option<&'a Release> {
    history.releases.iter().find(|release| release.version == version)
}

fn names(judgement: &Judgement) -> Vec<&str> {
    judgement.security_updates.iter().map(|update| update.version.as_str()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn judging_any_text_ends(
        texts in vec(".{0,60}", 0..6),
        branches in option::of(".{0,20}"),
        installed in option::of(".{0,60}"),
        datestamp in any::<Option<i64>>(),
        malformed in 0..2u32,
        feed in select(vec![Feed::Current, Feed::Drupal7]),
    ) {
        let releases = texts.iter().map(|text| Release { version: text.clone(), ..release("1.0.0 sec") }).collect();
        let support = Support { majors: branches.clone(), branches, ..Support::default() };
        let history = ReleaseHistory { support, releases, malformed, ..ReleaseHistory::empty(token(), feed) };
        let judge = || judge(Some(&history), &history.project, feed, installed.as_deref(), datestamp);
        prop_assert_eq!(judge(), judge());
        if let Some(core) = installed.as_deref().and_then(|text| CoreVersion::parse(text).ok()) {
            core_coverage(&core, Some(&history), date!(2026 - 11 - 23));
        }
    }

    #[test]
    fn what_is_listed_can_be_installed((history, installed, datestamp) in case()) {
        let found = judged(&history, &installed, datestamp);
        let position = |version: &str| history.releases.iter().position(|release| release.version == version);
        let end = position(&installed).unwrap_or(history.releases.len());
        for name in names(&found) {
            let release = find(&history, name).expect("a security release of the feed");
            prop_assert!(release.security_update && release.status == ReleaseStatus::Published);
            prop_assert!(!release.insecure && !release.unsupported);
            prop_assert!(position(name).is_some_and(|place| place < end), "before the installed release");
        }
    }

    #[test]
    fn what_is_recommended_can_be_installed_or_is((history, installed, datestamp) in case()) {
        let found = judged(&history, &installed, datestamp);
        if let Some(recommended) = found.recommended.filter(|version| *version != installed) {
            let release = find(&history, &recommended).expect("a release of the feed");
            prop_assert!(release.status == ReleaseStatus::Published && !release.insecure && !release.unsupported);
        }
    }

    #[test]
    fn what_is_recommended_is_neither_insecure_nor_older((history, installed, datestamp) in case()) {
        let Some(recommended) = judged(&history, &installed, datestamp).recommended else { return Ok(()) };
        prop_assert!(find(&history, &recommended).is_none_or(|release| !release.insecure));
        // Of the releases of a dev branch the dates decide.
        if let (Ok(to), Ok(from)) = (DrupalVersion::parse(&recommended), DrupalVersion::parse(&installed)) {
            prop_assert!(to.sort_key() >= from.sort_key() || installed.ends_with("x-dev"), "{installed} to {recommended}");
        }
    }

    #[test]
    fn only_its_own_term_or_the_project_makes_a_release_insecure((history, installed, datestamp) in case()) {
        let found = judged(&history, &installed, datestamp);
        let readable = found.status != UpdateStatus::Unknown;
        let own = find(&history, &installed).is_some_and(|release| release.insecure);
        prop_assert!(found.status != NotSecure || own);
        let end_of_life = history.feed == Feed::Drupal7 && history.project == ProjectName::drupal();
        prop_assert!(!own || !readable || found.status == NotSecure || end_of_life, "{:?}", found.status);
    }

    #[test]
    fn the_project_decides_alone((history, installed, datestamp) in case()) {
        for (status, expected) in [
            (ProjectStatus::Insecure, NotSecure),
            (ProjectStatus::Unpublished, Revoked),
            (ProjectStatus::Revoked, Revoked),
            (ProjectStatus::Unsupported, NotSupported),
        ] {
            let found = judged(&ReleaseHistory { status, ..history.clone() }, &installed, datestamp);
            prop_assert_eq!(found, Judgement { status: expected, security_updates: Vec::new(), recommended: None, core_compatibility: None });
        }
    }

    #[test]
    fn a_newer_release_never_makes_a_secure_one_insecure(
        (history, installed, datestamp) in case(),
        newer in any_release(),
    ) {
        if find(&history, &newer.version).is_some() || newer.version == installed {
            return Ok(());
        }
        let before = judged(&history, &installed, datestamp);
        let mut after = history.clone();
        let security_update = newer.security_update;
        after.releases.insert(0, newer);
        let after = judged(&after, &installed, datestamp);
        prop_assert_eq!(after.status == NotSecure, before.status == NotSecure);
        if !security_update && before.status != UpdateStatus::Current {
            prop_assert_eq!(names(&after), names(&before), "and lists nothing that is no security release");
        }
    }

    #[test]
    fn what_follows_the_installed_release_does_not_count((history, installed, datestamp) in case(), older in any_release()) {
        if find(&history, &installed).is_none() || find(&history, &older.version).is_some() {
            return Ok(());
        }
        let before = judged(&history, &installed, datestamp);
        let mut after = history.clone();
        after.releases.push(older);
        prop_assert_eq!(judged(&after, &installed, datestamp), before);
    }
}

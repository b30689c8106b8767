//! What Drupal's own tests expect of its Update module, asked of ours: real release histories, read and judged.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use module_monitor_domain::CoverageState::{Covered, Ended, Ending};
use module_monitor_domain::{
    CoreVersion, Feed, Judgement, ProjectName, ReleaseHistory, UpdateStatus, core_coverage, judge,
};
use module_monitor_ingestion::{FeedError, parse_history};
use time::macros::date;

/// The text of a file with a history or a table.
fn fixture(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/release-history").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of a table, each with its cells by the names in the first line.
fn rows(table: &str) -> Vec<BTreeMap<String, String>> {
    let text = fixture(table);
    let mut lines = text.lines().map(|line| line.split('\t').map(str::to_owned));
    let names: Vec<String> = lines.next().expect("a first line").collect();
    lines.map(|cells| names.iter().cloned().zip(cells).collect()).collect()
}

/// The history in a file.
fn history(file: &str) -> ReleaseHistory {
    match parse_history(fixture(file).as_bytes(), Feed::Current) {
        Err(FeedError::NoHistory(project)) => {
            ReleaseHistory::empty(ProjectName::parse(&project).expect("a project"), Feed::Current)
        }
        read => read.unwrap_or_else(|error| panic!("{file}: {error}")),
    }
}

#[test]
fn every_status_that_drupal_expects_is_ours() {
    let rows = rows("expected_status.tsv");
    let wrong: Vec<String> = rows.iter().filter_map(difference).collect();
    assert!(wrong.is_empty(), "{} of {} rows differ:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    assert_eq!(rows.len(), 111);
}

/// What is wrong with our judgement of one row.
fn difference(row: &BTreeMap<String, String>) -> Option<String> {
    let history = history(&row["fixture_file"]);
    let project = ProjectName::parse(&row["project"]).expect("a project");
    let installed = match row["installed_version"].as_str() {
        "(empty)" => Some(""),
        "(missing)" => None,
        version => Some(version),
    };
    let datestamp = row["installed_datestamp"].parse().ok();
    let found = judge(Some(&history), &project, Feed::Current, installed, datestamp);
    let expected = UpdateStatus::from_name(&row["expected_status"].to_lowercase()).expect("a status");
    let agrees = found.status == expected
        && list_agrees(&found, &row["expected_security_releases"])
        && recommendation_agrees(&found, &row["expected_recommended"]);
    (!agrees).then(|| format!("{row:?}\n  {found:?}"))
}

/// In a table `(none)` is nothing, and a blank is not said.
fn list_agrees(found: &Judgement, expected: &str) -> bool {
    let mut listed: Vec<&str> = found.security_updates.iter().map(|update| update.version.as_str()).collect();
    listed.sort_unstable();
    match expected {
        "" => true,
        "(none)" => listed.is_empty(),
        versions => {
            let mut versions: Vec<&str> = versions.split(',').collect();
            versions.sort_unstable();
            listed == versions
        }
    }
}

fn recommendation_agrees(found: &Judgement, expected: &str) -> bool {
    match expected {
        "" => true,
        "(none)" => found.recommended.is_none(),
        version => found.recommended.as_deref() == Some(version),
    }
}

/// The live history of Drupal, abridged: the newest release of each supported branch is secure, whatever the others fix.
#[test]
fn the_newest_release_of_a_supported_branch_is_secure() {
    let history = history("real.drupal-abridged.xml");
    let judged = |installed| judge(Some(&history), &ProjectName::drupal(), Feed::Current, Some(installed), None);
    for (installed, status, needed) in [
        ("11.4.7", UpdateStatus::Current, false),
        ("11.4.6", UpdateStatus::NotSecure, true),
        ("11.3.17", UpdateStatus::NotCurrent, false),
        ("11.3.16", UpdateStatus::NotSecure, true),
        ("12.0.0-alpha1", UpdateStatus::Current, false),
        // 10 is where it should go, but of its releases the abridged history has none.
        ("9.5.11", UpdateStatus::NotSupported, false),
    ] {
        let found = judged(installed);
        let needs = found.needs_security_update(Some(installed));
        assert_eq!((found.status, needs), (status, needed), "{installed}: {found:?}");
    }
}

#[test]
fn every_end_of_coverage_that_drupal_expects_is_ours() {
    let rows = rows("core_security_coverage.tsv");
    for row in &rows {
        let history = history(&row["fixture_file"]);
        let installed = CoreVersion::parse(&row["installed_version"]).expect("a core version");
        let today = match row["today"].as_str() {
            "" => date!(2026 - 11 - 23),
            day => parse_day(day),
        };
        let found = core_coverage(&installed, Some(&history), today);
        let severity = found.as_ref().map_or("none", |coverage| match coverage.state {
            Covered => "info",
            Ending => "warning",
            Ended => "error",
        });
        assert_eq!(severity, row["severity"], "{row:?}: {found:?}");
        // A blank is not said.
        if !row["until"].is_empty() {
            assert_eq!(found.and_then(|coverage| coverage.until).as_ref(), Some(&row["until"]), "{row:?}");
        }
    }
    assert_eq!(rows.len(), 19);
}

fn parse_day(day: &str) -> time::Date {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    time::Date::parse(day, format).expect("a day")
}

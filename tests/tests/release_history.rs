//! What Drupal's own tests expect of its Update module, asked of ours: real release histories, read and judged.
//!
//! The histories are not ours to keep and are read from the data beside the workspace. Where that is missing these
//! tests have nothing to say; the rules have histories of their own in `crates/domain/tests/security_rules`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use module_monitor_domain::CoverageState::{Covered, Ended, Ending};
use module_monitor_domain::{
    CoreVersion, Feed, Judgement, ProjectName, ReleaseHistory, UpdateStatus, core_coverage, judge,
};
use module_monitor_ingestion::{FeedError, parse_history};
use time::macros::date;

/// The folder with the histories and tables, or `None` and a line that says so.
#[expect(clippy::print_stderr, reason = "a skipped test says why")]
fn data() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/release-history");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("not run: there is no folder shared/data/release-history beside the workspace");
    None
}

/// The rows of a table, each with its cells by the names in the first line.
fn rows(table: &Path) -> Vec<BTreeMap<String, String>> {
    let text = fs::read_to_string(table).expect("a table");
    let mut lines = text.lines().map(|line| line.split('\t').map(str::to_owned));
    let names: Vec<String> = lines.next().expect("a first line").collect();
    lines.map(|cells| names.iter().cloned().zip(cells).collect()).collect()
}

/// The history in a file; `None` where there is no file.
fn history(folder: &Path, file: &str) -> Option<ReleaseHistory> {
    let document = fs::read(folder.join(file)).ok()?;
    Some(match parse_history(document.as_slice(), Feed::Current) {
        Err(FeedError::NoHistory(project)) => {
            ReleaseHistory::empty(ProjectName::parse(&project).expect("a project"), Feed::Current)
        }
        read => read.unwrap_or_else(|error| panic!("{file}: {error}")),
    })
}

#[test]
fn every_status_that_drupal_expects_is_ours() {
    let Some(folder) = data() else { return };
    let rows = rows(&folder.join("expected_status.tsv"));
    let wrong: Vec<String> = rows.iter().filter_map(|row| difference(&folder, row)).collect();
    assert!(wrong.is_empty(), "{} of {} rows differ:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    assert!(rows.len() > 100, "the table has {} rows", rows.len());
}

/// What is wrong with our judgement of one row.
fn difference(folder: &Path, row: &BTreeMap<String, String>) -> Option<String> {
    let history = history(folder, &row["fixture_file"]).expect("the history of the row");
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
    let Some(folder) = data() else { return };
    let history = history(&folder, "real.drupal-abridged.xml").expect("the history of Drupal");
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
    let Some(folder) = data() else { return };
    let rows = rows(&folder.join("core_security_coverage.tsv"));
    for row in &rows {
        let file = row["fixture_file"].as_str();
        let history = history(&folder, file).unwrap_or_else(|| stand_in(file));
        let installed = CoreVersion::parse(&row["installed_version"]).expect("a core version");
        let today = match row["mock_date"].as_str() {
            "" => date!(2026 - 11 - 23),
            day => parse_day(day),
        };
        let found = core_coverage(&installed, Some(&history), today);
        let severity = found.as_ref().map_or("none", |coverage| match coverage.state {
            Covered => "info",
            Ending => "warning",
            Ended => "error",
        });
        assert_eq!(severity, row["expected_severity"], "{row:?}: {found:?}");
        if let Some(until) = row["expected_value"].strip_prefix("Covered until ") {
            let until = until.replace("-Jun", "-06").replace("-Nov", "-11");
            assert_eq!(found.and_then(|coverage| coverage.until), Some(until), "{row:?}");
        }
    }
    assert!(rows.len() >= 19, "the table has {} rows", rows.len());
}

fn parse_day(day: &str) -> time::Date {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    time::Date::parse(day, format).expect("a day")
}

/// The histories that this table names are not among the data. Their names tell what is newest in them.
fn stand_in(file: &str) -> ReleaseHistory {
    let versions: &[&str] = match file {
        "drupal.sec.8.2.0_8.3.0-rc1.xml" => &["8.3.0-rc1", "8.2.0", "8.2.0-beta2", "8.1.0", "8.0.0"],
        "drupal.sec.8.2.0_9.0.0.xml" => &["9.0.0", "8.3.0", "8.2.0", "8.1.0", "8.0.0"],
        "drupal.sec.8.2.0.xml" => &["8.2.0", "8.2.0-beta2", "8.1.0", "8.0.0"],
        "drupal.sec.9.5.0.xml" => &["9.5.0", "9.4.0"],
        "drupal.sec.10.5.0.xml" => &["10.5.0", "10.4.0"],
        other => panic!("nothing is known of {other}"),
    };
    let releases = versions.iter().map(|version| {
        format!(
            "<release><version>{version}</version><status>published</status>\
             <release_link>https://example.com/{version}</release_link><date>1700000000</date></release>"
        )
    });
    let document = format!(
        "<project><title>Drupal</title><short_name>drupal</short_name><releases>{}</releases></project>",
        releases.collect::<String>()
    );
    parse_history(document.as_bytes(), Feed::Current).expect("a history")
}

//! What one site may add to what is judged for all, and what it has asked for sooner.

use std::sync::Arc;

use module_monitor_domain::{CoverageClass, ReportedModule, UnknownReason};
use module_monitor_storage::Storage;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::module;
use time::{Duration, OffsetDateTime};

use super::support::{FETCHED, differences, history, import, recount, secure, store, submodule};
use crate::support::Reporter;

on_both_backends!(
    a_site_names_twenty_new_versions_of_a_project_in_a_day,
    what_was_postponed_is_judged_without_another_report,
    a_release_newer_than_everything_stored_has_its_project_asked_for,
    what_is_due_together_comes_by_how_many_sites_use_it,
);

/// So many modules of the project `a`, each a dev release packaged at a second of its own.
fn packaged(count: i64, from: i64) -> Vec<ReportedModule> {
    let dev = |n: i64| {
        let datestamp = Some(1_760_000_000 + from + n);
        ReportedModule { datestamp, ..submodule(&format!("m_{n:03}"), "1.0.x-dev", "a") }
    };
    (0..count).map(dev).collect()
}

async fn reason(site: &Reporter, name: &str) -> Option<(CoverageClass, Option<UnknownReason>)> {
    let module = site.module(name).await;
    module.class.map(|class| (class, module.unknown_reason))
}

fn not_fetched() -> Option<(CoverageClass, Option<UnknownReason>)> {
    Some((CoverageClass::Unknown, Some(UnknownReason::NotFetched)))
}

async fn a_site_names_twenty_new_versions_of_a_project_in_a_day(database: TestDatabase) {
    let storage = database.open().await;
    import(&storage, secure("a"), FETCHED).await;
    let (mut hostile, mut other) = (Reporter::new(&storage, "Hostile").await, Reporter::new(&storage, "Other").await);
    for round in 0..3 {
        let outcome = hostile.full(packaged(100, round * 1000)).await;
        let later = if round == 0 { 80 } else { 100 };
        assert!(outcome.warnings[0].starts_with(&format!("{later} versions are judged later")), "{outcome:?}");
    }
    let mut raw = database.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM assessments WHERE project = 'a'").await, 20);
    assert_eq!(reason(&hostile, "m_099").await, not_fetched());
    // What one site has used up, another one has not.
    let outcome = other.full(packaged(20, 2000)).await;
    assert!(!outcome.warnings.iter().any(|warning| warning.contains("later")), "{outcome:?}");
    assert_ne!(reason(&other, "m_019").await, not_fetched());
    assert_eq!(differences(&storage).await, []);
}

async fn what_was_postponed_is_judged_without_another_report(database: TestDatabase) {
    let storage = database.open().await;
    import(&storage, secure("a"), FETCHED).await;
    let mut site = Reporter::new(&storage, "Many").await;
    site.full(packaged(30, 0)).await;
    let left = async |at: OffsetDateTime| {
        storage.request_postponed(at).await.unwrap();
        recount(&storage, at).await;
        assert_eq!(differences(&storage).await, []);
        site.site().await.security.unknown_reasons().into_iter().find(|(r, _)| *r == UnknownReason::NotFetched)
    };
    let reported = site.at;
    let core = 1;
    assert_eq!(left(reported + Duration::hours(23)).await, Some((UnknownReason::NotFetched, 10 + core)));
    assert_eq!(left(reported + Duration::hours(25)).await, Some((UnknownReason::NotFetched, core)));
    assert_eq!(storage.request_postponed(reported + Duration::hours(26)).await.unwrap(), 0, "nothing is left");
}

async fn due(storage: &Arc<dyn Storage>, at: OffsetDateTime) -> Vec<String> {
    let due = storage.due_projects(at, 100).await.unwrap();
    due.into_iter().map(|feed| feed.project.to_string()).filter(|name| name != "drupal").collect()
}

async fn a_release_newer_than_everything_stored_has_its_project_asked_for(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Ahead").await;
    // Asked for at 10, the next time a day later.
    for name in ["old", "known", "ahead"] {
        store(&storage, history(name, "1.0.", &["1.0.5", "1.0.0"]), FETCHED).await;
    }
    site.full(vec![module("ahead", "1.0.6")]).await;
    assert_eq!(
        due(&storage, site.at).await,
        Vec::<String>::new(),
        "what was asked for three hours ago is not asked again"
    );
    site.at = FETCHED + Duration::hours(7);
    site.full(vec![module("old", "1.0.1"), module("known", "1.0.5"), module("ahead", "1.0.7")]).await;
    assert_eq!(due(&storage, site.at).await, ["ahead"]);
}

async fn what_is_due_together_comes_by_how_many_sites_use_it(database: TestDatabase) {
    let storage = database.open().await;
    for name in ["a", "b", "c"] {
        store(&storage, secure(name), FETCHED).await;
    }
    for (n, names) in [["c", "b"], ["c", "b"], ["c", "a"]].iter().enumerate() {
        let mut site = Reporter::new(&storage, &format!("Site {n}")).await;
        site.full(names.iter().map(|name| module(name, "1.0.0")).collect()).await;
    }
    let then = FETCHED + Duration::DAY;
    assert_eq!(due(&storage, then).await, ["a", "b", "c"], "nothing has been counted");
    assert_eq!(storage.count_usage().await.unwrap(), 4, "Drupal itself is used, too");
    assert_eq!(due(&storage, then).await, ["c", "b", "a"]);
    assert_eq!(storage.count_usage().await.unwrap(), 0, "nothing has changed");
}

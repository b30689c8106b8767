//! Sites that move: to another core, to another feed, from before there were assessments.

use module_monitor_domain::{Feed, ProjectName, ReleaseHistory, ReportedModule, Support, UpdateStatus};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::module;
use module_monitor_tests::watch::{watch_rows, written_rows};

use super::support::{FETCHED, core, differences, figures, history, import, insecure, status, told};
use crate::support::Reporter;

on_both_backends!(
    a_site_that_leaves_drupal_7_is_judged_by_the_other_feed,
    a_core_update_moves_all_core_modules_at_once,
    a_development_core_is_judged_by_its_date,
    drupal_7_is_out_of_support_whatever_is_fetched,
    sites_from_before_get_their_assessments_with_the_next_report,
    a_partial_report_judges_what_it_names,
);

fn drupal7(name: &str, releases: &[&str]) -> ReleaseHistory {
    let support =
        Support { majors: Some("1".to_owned()), recommended_major: Some("1".to_owned()), ..Support::default() };
    ReleaseHistory { feed: Feed::Drupal7, support, ..history(name, "", releases) }
}

async fn a_site_that_leaves_drupal_7_is_judged_by_the_other_feed(database: TestDatabase) {
    let storage = database.open().await;
    import(&storage, drupal7("a", &["1.0.1 security", "1.0.0 insecure"]), FETCHED).await;
    import(&storage, history("a", "1.0.", &["1.0.0"]), FETCHED).await;
    let mut site = Reporter::new(&storage, "Mover").await;
    let reported = || vec![module("a", "1.0.0"), core("system", "10.3.6")];
    site.on_core("10.3.6", reported()).await;
    assert_eq!(status(&site, "a").await, Some(UpdateStatus::Current));
    site.on_core("7.103", reported()).await;
    assert_ne!(status(&site, "a").await, Some(UpdateStatus::Current), "another feed, although its row is the same");
    assert_eq!(differences(&storage).await, []);
    site.on_core("10.3.6", reported()).await;
    assert_eq!(status(&site, "a").await, Some(UpdateStatus::Current), "and back");
    assert_eq!(differences(&storage).await, []);
}

async fn a_core_update_moves_all_core_modules_at_once(database: TestDatabase) {
    let storage = database.open().await;
    import(&storage, history("drupal", "10.3.,10.4.", &["10.4.0", "10.3.7 security", "10.3.6 insecure"]), FETCHED)
        .await;
    let mut site = Reporter::new(&storage, "Core").await;
    // As info files of a git checkout have it: the rows say nothing of the version.
    let unsaid = |name: &&str| {
        let mut module = ReportedModule { version: None, ..core(name, "10.3.6") };
        module.site_details.reported_version = Some("VERSION".to_owned());
        module
    };
    let modules: Vec<_> = ["block", "node", "system", "user", "views"].iter().map(unsaid).collect();
    let outcome = site.on_core("10.3.6", modules.clone()).await;
    assert_eq!(told(&site, &outcome).await, (5, 1, 0));
    let mut raw = database.raw().await;
    watch_rows(&mut raw).await;
    let outcome = site.on_core("10.3.7", modules).await;
    assert_eq!(told(&site, &outcome).await, (0, 0, 0));
    let written = written_rows(&mut raw).await;
    assert!(!written.iter().any(|row| row.ends_with(" site_modules")), "{written:?}");
    assert_eq!(status(&site, "node").await, Some(UpdateStatus::NotCurrent));
    assert_eq!(differences(&storage).await, []);
}

async fn a_development_core_is_judged_by_its_date(database: TestDatabase) {
    let storage = database.open().await;
    let releases = ["10.4.x-dev", "10.4.0"];
    import(&storage, history("drupal", "10.4.", &releases), FETCHED).await;
    let mut site = Reporter::new(&storage, "Dev").await;
    site.on_core("10.4.0-dev", vec![core("system", "10.4.0-dev")]).await;
    assert_eq!(status(&site, "system").await, Some(UpdateStatus::NotChecked));
    let mut dated = core("system", "10.4.0-dev");
    dated.datestamp = Some(1_790_000_000);
    site.on_core("10.4.0-dev", vec![dated]).await;
    assert_eq!(status(&site, "system").await, Some(UpdateStatus::Current));
}

async fn drupal_7_is_out_of_support_whatever_is_fetched(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Seven").await;
    let outcome = site.on_core("7.103", vec![core("system", "7.103")]).await;
    assert_eq!(told(&site, &outcome).await, (0, 0, 0), "known without a feed");
    assert_eq!(status(&site, "system").await, Some(UpdateStatus::NotSupported));
    import(
        &storage,
        ReleaseHistory { feed: Feed::Drupal7, ..ReleaseHistory::empty(ProjectName::drupal(), Feed::Drupal7) },
        FETCHED,
    )
    .await;
    assert_eq!(status(&site, "system").await, Some(UpdateStatus::NotSupported));
}

async fn sites_from_before_get_their_assessments_with_the_next_report(database: TestDatabase) {
    let storage = database.open().await;
    import(&storage, insecure("a"), FETCHED).await;
    let mut site = Reporter::new(&storage, "Before").await;
    site.full(vec![module("a", "1.0.0"), module("b", "1.0.0")]).await;
    let mut raw = database.raw().await;
    // As the migration finds and leaves them.
    raw.execute("UPDATE site_modules SET assessment_id = NULL").await;
    raw.execute("UPDATE sites SET core_assessment_id = NULL, fingerprint = NULL").await;
    raw.execute("UPDATE sites SET security_updates_found = 0, security_projects = 0, security_unknown = 2").await;
    assert_eq!(status(&site, "a").await, Some(UpdateStatus::NotFetched));
    let outcome = site.full(vec![module("a", "1.0.0"), module("b", "1.0.0")]).await;
    assert_eq!(told(&site, &outcome).await, (1, 1, 2));
    assert_eq!(outcome.counts.updated, 0);
    assert_eq!(status(&site, "a").await, Some(UpdateStatus::NotSecure));
}

async fn a_partial_report_judges_what_it_names(database: TestDatabase) {
    let storage = database.open().await;
    import(&storage, insecure("a"), FETCHED).await;
    import(&storage, insecure("b"), FETCHED).await;
    let mut site = Reporter::new(&storage, "Partial").await;
    site.full(vec![module("a", "1.0.1"), module("b", "1.0.0")]).await;
    site.partial(vec![module("a", "1.0.0")]).await;
    assert_eq!(figures(site.site().await.security), (2, 2, 1));
    let outcome = site.partial(vec![module("b", "1.0.1")]).await;
    assert_eq!(told(&site, &outcome).await, (1, 1, 1));
}

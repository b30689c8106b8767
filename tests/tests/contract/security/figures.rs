//! What the figures and statuses say after syncs and imports.

use module_monitor_domain::{ProjectStatus, ReleaseHistory, UpdateStatus};
use module_monitor_storage::{InventoryFilter, Storage};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{module, modules};
use std::sync::Arc;
use time::Duration;

use super::support::{
    FETCHED, core, differences, figures, history, import, insecure, recount, secure, status, store, submodule, told,
};
use crate::support::{Reporter, custom, disabled, without_version};

on_both_backends!(
    what_was_never_fetched_is_unknown_and_not_zero,
    what_was_imported_before_the_first_sync_is_known_at_once,
    an_import_after_the_last_sync_changes_the_next_unchanged_answer,
    the_same_history_again_changes_nothing,
    a_release_that_is_taken_back_is_no_longer_insecure,
    a_crash_between_an_import_and_its_recount_is_made_up_for,
    submodules_count_each_and_their_project_once,
    disabled_modules_do_not_count,
    custom_code_is_judged_only_by_the_project_it_sends,
    modules_without_a_version_are_unknown,
    modules_that_are_removed_no_longer_count,
    an_insecure_project_makes_every_version_insecure,
    the_inventory_shows_and_filters_every_status,
);

async fn import_all(storage: &Arc<dyn Storage>, histories: Vec<ReleaseHistory>) {
    for history in histories {
        import(storage, history, FETCHED).await;
    }
}

async fn what_was_never_fetched_is_unknown_and_not_zero(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Unknown").await;
    let outcome = site.full(modules("m", 20, "1.0.0")).await;
    assert_eq!(told(&site, &outcome).await, (0, 0, 21));
    assert_eq!(outcome.security.data_as_of, None);
    assert_eq!(status(&site, "m_0000").await, Some(UpdateStatus::NotFetched));
    let outcome = site.full(modules("m", 20, "1.0.0")).await;
    assert_eq!(told(&site, &outcome).await, (0, 0, 21), "unchanged");
    assert_eq!(differences(&site.storage).await, []);
}

async fn what_was_imported_before_the_first_sync_is_known_at_once(database: TestDatabase) {
    let storage = database.open().await;
    import_all(&storage, vec![insecure("a"), secure("b")]).await;
    let mut site = Reporter::new(&storage, "Known").await;
    let outcome = site.full(vec![module("a", "1.0.0"), module("b", "1.0.0"), module("c", "1.0.0")]).await;
    assert_eq!(told(&site, &outcome).await, (1, 1, 2));
    assert_eq!(outcome.security.data_as_of, Some(FETCHED));
    let a = site.module("a").await.judgement.unwrap();
    assert_eq!((a.status, a.recommended.as_deref()), (UpdateStatus::NotSecure, Some("1.0.1")));
    let listed: Vec<_> = a.security_updates.iter().map(|release| release.version.as_str()).collect();
    assert_eq!(listed, ["1.0.1"]);
    assert_eq!(status(&site, "b").await, Some(UpdateStatus::Current));
    let outcome = site.full(vec![module("a", "1.0.1"), module("b", "1.0.0"), module("c", "1.0.0")]).await;
    assert_eq!(told(&site, &outcome).await, (0, 0, 2), "updated");
}

async fn an_import_after_the_last_sync_changes_the_next_unchanged_answer(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Late").await;
    site.full(vec![module("a", "1.0.0"), module("b", "1.0.0")]).await;
    import(&storage, secure("a"), FETCHED).await;
    assert_eq!(figures(site.site().await.security), (0, 0, 2));
    let stored = import(&storage, insecure("a"), FETCHED + Duration::HOUR).await;
    assert_eq!((stored.releases, stored.changed, stored.assessments), (2, true, 1));
    let security = site.site().await.security;
    assert_eq!(figures(security), (1, 1, 2));
    assert_eq!(security.data_as_of, Some(FETCHED + Duration::HOUR));
    let outcome = site.full(vec![module("a", "1.0.0"), module("b", "1.0.0")]).await;
    assert_eq!(told(&site, &outcome).await, (1, 1, 2));
}

async fn the_same_history_again_changes_nothing(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Again").await;
    site.full(vec![module("a", "1.0.0")]).await;
    import(&storage, insecure("a"), FETCHED).await;
    let later = FETCHED + Duration::DAY;
    let stored = store(&storage, insecure("a"), later).await;
    assert_eq!((stored.releases, stored.changed, stored.assessments), (2, false, 0));
    assert_eq!(recount(&storage, later).await, 0);
    assert_eq!(site.site().await.security.data_as_of, Some(later), "but the data is known to be good");
}

async fn a_release_that_is_taken_back_is_no_longer_insecure(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Back").await;
    import(&storage, insecure("a"), FETCHED).await;
    site.full(vec![module("a", "1.0.0")]).await;
    import(&storage, history("a", "1.0.", &["1.0.1", "1.0.0"]), FETCHED).await;
    assert_eq!(figures(site.site().await.security), (0, 0, 1));
    assert_eq!(status(&site, "a").await, Some(UpdateStatus::NotCurrent));
}

async fn a_crash_between_an_import_and_its_recount_is_made_up_for(database: TestDatabase) {
    let storage = database.open().await;
    let mut sites = Vec::new();
    for n in 0..8 {
        let mut site = Reporter::new(&storage, &format!("Site {n}")).await;
        site.full(vec![module("a", "1.0.0"), submodule("a_sub", "1.0.0", "a")]).await;
        sites.push(site);
    }
    store(&storage, insecure("a"), FETCHED).await;
    assert_eq!(storage.count_step(FETCHED, 3).await.unwrap(), 3, "the program ends in the middle");
    assert_eq!(differences(&storage).await.len(), 5);
    let restarted = database.open().await;
    assert!(restarted.pending_recounts().await.unwrap() > 0);
    assert_eq!(recount(&restarted, FETCHED).await, 5, "it goes on where it stopped");
    assert_eq!(differences(&restarted).await, []);
    for site in &sites {
        assert_eq!(figures(site.site().await.security), (2, 1, 1));
    }
    assert_eq!(restarted.pending_recounts().await.unwrap(), 0);
}

async fn submodules_count_each_and_their_project_once(database: TestDatabase) {
    let storage = database.open().await;
    import_all(&storage, vec![insecure("a"), insecure("b")]).await;
    let mut site = Reporter::new(&storage, "Submodules").await;
    let reported = vec![module("a", "1.0.0"), submodule("a_ui", "1.0.0", "a"), module("b", "1.0.0")];
    let outcome = site.full(reported).await;
    assert_eq!(told(&site, &outcome).await, (3, 2, 1));
}

async fn disabled_modules_do_not_count(database: TestDatabase) {
    let storage = database.open().await;
    import_all(&storage, vec![insecure("a")]).await;
    let mut site = Reporter::new(&storage, "Disabled").await;
    let outcome = site.full(vec![disabled(module("a", "1.0.0")), disabled(module("unknown", "1.0.0"))]).await;
    assert_eq!(told(&site, &outcome).await, (0, 0, 1));
    assert_eq!(status(&site, "a").await, Some(UpdateStatus::NotSecure), "but it is what it is");
    let outcome = site.full(vec![module("a", "1.0.0"), module("unknown", "1.0.0")]).await;
    assert_eq!(told(&site, &outcome).await, (1, 1, 2));
}

async fn custom_code_is_judged_only_by_the_project_it_sends(database: TestDatabase) {
    let storage = database.open().await;
    import_all(&storage, vec![insecure("a")]).await;
    let mut site = Reporter::new(&storage, "Custom").await;
    let mut fork = custom("my_a", "1.0.0");
    fork.project = Some(super::support::project("a"));
    let mut other = custom("my_b", "1.0.0");
    other.project = Some(super::support::project("b"));
    let outcome = site.full(vec![custom("a", "1.0.0"), fork, other]).await;
    assert_eq!(
        told(&site, &outcome).await,
        (1, 1, 3),
        "a project that was not fetched is unknown, and so is what is called like one"
    );
    assert_eq!(status(&site, "a").await, None, "its name judges nothing");
    assert_eq!(status(&site, "my_a").await, Some(UpdateStatus::NotSecure));
    assert_eq!(status(&site, "my_b").await, Some(UpdateStatus::NotFetched));
}

async fn modules_without_a_version_are_unknown(database: TestDatabase) {
    let storage = database.open().await;
    import_all(&storage, vec![insecure("a")]).await;
    let mut site = Reporter::new(&storage, "Without").await;
    let outcome = site.full(vec![without_version("a"), module("Odd", "1.0.0")]).await;
    assert_eq!(told(&site, &outcome).await, (0, 0, 3), "a name that cannot be a project is unknown, too");
    assert_eq!(status(&site, "a").await, Some(UpdateStatus::Unknown));
    assert_eq!(status(&site, "Odd").await, Some(UpdateStatus::Unknown));
}

async fn modules_that_are_removed_no_longer_count(database: TestDatabase) {
    let storage = database.open().await;
    import_all(&storage, vec![insecure("a"), secure("b")]).await;
    let mut site = Reporter::new(&storage, "Removed").await;
    site.full(vec![module("a", "1.0.0"), module("b", "1.0.0")]).await;
    let outcome = site.full(vec![module("b", "1.0.0")]).await;
    assert_eq!(told(&site, &outcome).await, (0, 0, 1));
    let outcome = site.full(vec![module("a", "1.0.0"), module("b", "1.0.0")]).await;
    assert_eq!(told(&site, &outcome).await, (1, 1, 1), "restored");
}

async fn an_insecure_project_makes_every_version_insecure(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Project").await;
    let outcome = site.full(vec![module("a", "1.0.0"), without_version("a_sub")]).await;
    assert_eq!(told(&site, &outcome).await, (0, 0, 3));
    for name in ["a", "a_sub"] {
        let bad = ReleaseHistory { status: ProjectStatus::Insecure, ..secure(name) };
        import(&storage, bad, FETCHED).await;
    }
    assert_eq!(figures(site.site().await.security), (2, 2, 1));
    assert_eq!(differences(&storage).await, []);
}

async fn the_inventory_shows_and_filters_every_status(database: TestDatabase) {
    let storage = database.open().await;
    let named = |status, name| ReleaseHistory { status, ..secure(name) };
    import_all(
        &storage,
        vec![
            insecure("not_secure"),
            named(ProjectStatus::Revoked, "revoked"),
            history("not_supported", "2.0.", &["2.0.0", "1.0.0"]),
            history("not_current", "1.0.", &["1.0.1", "1.0.0"]),
            secure("current"),
            history("not_checked", "1.x-,1.0.", &["1.x-dev", "1.0.0"]),
            secure("unknown"),
            history("drupal", "10.3.", &["10.3.6"]),
        ],
    )
    .await;
    let mut site = Reporter::new(&storage, "Statuses").await;
    let mut reported: Vec<_> = ["not_secure", "revoked", "not_supported", "not_current", "current", "not_fetched"]
        .iter()
        .map(|name| module(name, "1.0.0"))
        .collect();
    reported.extend([module("not_checked", "1.x-dev"), without_version("unknown")]);
    reported.extend([core("system", "10.3.6"), custom("own", "1.0.0")]);
    site.full(reported).await;
    for status in [
        UpdateStatus::NotSecure,
        UpdateStatus::Revoked,
        UpdateStatus::NotSupported,
        UpdateStatus::NotCurrent,
        UpdateStatus::Current,
        UpdateStatus::NotChecked,
        UpdateStatus::Unknown,
        UpdateStatus::NotFetched,
    ] {
        let filter = InventoryFilter { update_status: Some(status), ..InventoryFilter::default() };
        let names: Vec<_> = site.list(filter).await.iter().map(|m| m.machine_name.to_string()).collect();
        let expected = if status == UpdateStatus::Current { vec!["current", "system"] } else { vec![status.as_str()] };
        assert_eq!(names, expected);
        assert_eq!(super::support::status(&site, status.as_str()).await, Some(status));
    }
    assert_eq!(status(&site, "own").await, None);
}

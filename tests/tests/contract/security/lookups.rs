//! Whose projects are looked up, and when.

use std::collections::BTreeSet;
use std::sync::Arc;

use module_monitor_domain::{Feed, ProjectName, ReportedModule, UpdateStatus};
use module_monitor_storage::{Check, CheckOutcome, ProjectFeed, Storage};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{module, modules};
use time::{Duration, OffsetDateTime};

use super::support::{FETCHED, core, differences, import, insecure, project, status, store, submodule};
use crate::support::{Reporter, custom};

on_both_backends!(
    a_site_has_fifty_new_projects_looked_up_in_a_day,
    two_thousand_new_names_an_hour_wait_for_their_turn,
    what_another_site_needs_does_not_wait_behind_a_hostile_one,
    enabled_contrib_comes_before_the_rest,
    custom_names_are_never_looked_up,
    no_site_decides_what_another_is_told,
);

async fn due(storage: &Arc<dyn Storage>, at: OffsetDateTime) -> Vec<String> {
    let due = storage.due_projects(at, 10_000).await.unwrap();
    due.into_iter().map(|feed: ProjectFeed| feed.project.to_string()).collect()
}

/// Asks for everything that is due, in vain, and says how many that were.
async fn look_up(storage: &Arc<dyn Storage>, at: OffsetDateTime) -> usize {
    let due = storage.due_projects(at, 10_000).await.unwrap();
    for feed in &due {
        let check = Check {
            project: feed.project.clone(),
            feed: feed.feed,
            at,
            next_check_at: at + Duration::days(7),
            outcome: CheckOutcome::NoHistory,
        };
        storage.note_check(check).await.unwrap();
    }
    due.len()
}

async fn a_site_has_fifty_new_projects_looked_up_in_a_day(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Many").await;
    site.full(modules("m", 120, "1.0.0")).await;
    let start = site.at;
    assert_eq!(look_up(&storage, start).await, 50);
    assert_eq!(look_up(&storage, start + Duration::hours(23)).await, 0);
    assert_eq!(look_up(&storage, start + Duration::hours(25)).await, 50);
    assert_eq!(look_up(&storage, start + Duration::hours(50)).await, 21, "the rest, and Drupal itself made 121");
    // What waited because nobody looked anything up for long is not made up for in one go.
    let mut late = Reporter::new(&storage, "Late").await;
    late.full(modules("late", 300, "1.0.0")).await;
    let after_the_pause = start + Duration::days(6);
    assert_eq!(look_up(&storage, after_the_pause).await, 50);
    assert_eq!(look_up(&storage, after_the_pause + Duration::hours(1)).await, 0);
}

async fn two_thousand_new_names_an_hour_wait_for_their_turn(database: TestDatabase) {
    let storage = database.open().await;
    let mut hostile = Reporter::new(&storage, "Hostile").await;
    let mut honest = Reporter::new(&storage, "Honest").await;
    hostile.full(modules("first", 2_000, "1.0.0")).await;
    hostile.full(modules("second", 2_000, "1.0.0")).await;
    honest.full(modules("honest", 10, "1.0.0")).await;
    let due = due(&storage, hostile.at).await;
    assert_eq!(due.iter().filter(|name| name.starts_with("honest")).count(), 10);
    assert_eq!(due.len(), 60);
    // 4,001 names at 50 a day.
    let after_a_month = storage.due_projects(hostile.at + Duration::days(30), 10_000).await.unwrap();
    assert_eq!(after_a_month.len(), 60, "also when nothing was looked up meanwhile");
    let mut raw = database.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM projects").await, 4_011);
    assert_eq!(differences(&storage).await, []);
}

async fn what_another_site_needs_does_not_wait_behind_a_hostile_one(database: TestDatabase) {
    let storage = database.open().await;
    let mut hostile = Reporter::new(&storage, "Hostile").await;
    let mut names = modules("m", 500, "1.0.0");
    names.push(module("z_popular", "1.0.0"));
    hostile.full(names).await;
    assert!(!due(&storage, hostile.at).await.contains(&"z_popular".to_owned()));
    let mut honest = Reporter::new(&storage, "Honest").await;
    honest.full(vec![module("z_popular", "1.0.0")]).await;
    assert!(due(&storage, honest.at).await.contains(&"z_popular".to_owned()));
    let mut again = Reporter::new(&storage, "Hostile, too").await;
    again.full(modules("x", 60, "1.0.0").into_iter().chain([module("z_popular", "1.0.0")]).collect()).await;
    assert!(due(&storage, honest.at).await.contains(&"z_popular".to_owned()), "nobody can put it off");
}

async fn enabled_contrib_comes_before_the_rest(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Ranks").await;
    let mut reported: Vec<ReportedModule> =
        modules("a_off", 60, "1.0.0").into_iter().map(|module| ReportedModule { enabled: false, ..module }).collect();
    reported.extend((0..60).map(|n| ReportedModule {
        project: Some(project(&format!("b_custom_{n}"))),
        ..custom(&format!("b_custom_{n}"), "1.0.0")
    }));
    reported.extend(modules("on", 20, "1.0.0"));
    reported.push(core("system", "10.3.6"));
    site.full(reported).await;
    let due = due(&storage, site.at).await;
    assert_eq!(due.iter().filter(|name| name.starts_with("on_")).count(), 20);
    assert!(due.contains(&"drupal".to_owned()));
    assert_eq!(due.iter().filter(|name| name.starts_with("a_off")).count(), 29);
    assert_eq!(due.len(), 50);
}

async fn custom_names_are_never_looked_up(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Custom").await;
    site.full(vec![custom("secret_client_name", "1.0.0"), module("Not_A_Project", "1.0.0")]).await;
    assert_eq!(due(&storage, site.at).await, ["drupal"]);
    assert!(storage.project_feeds(&project("secret_client_name")).await.unwrap().is_empty());
}

async fn no_site_decides_what_another_is_told(database: TestDatabase) {
    let storage = database.open().await;
    import(&storage, insecure("a"), FETCHED).await;
    let mut honest = Reporter::new(&storage, "Honest").await;
    let reported = || vec![module("a", "1.0.0"), submodule("a_sub", "1.0.0", "a"), module("b", "1.0.0")];
    honest.full(reported()).await;
    let before = honest.site().await.security;
    let mut hostile = Reporter::new(&storage, "Hostile").await;
    store(&storage, super::support::secure("clean"), FETCHED).await;
    hostile
        .full(vec![
            submodule("a", "1.0.0", "clean"),
            submodule("a_sub", "1.0.0", "clean"),
            submodule("b", "1.0.0", "clean"),
            submodule("c", "1.0.0", "a"),
        ])
        .await;
    honest.full(reported()).await;
    honest.partial(vec![module("a", "1.0.0"), module("new", "1.0.0")]).await;
    let after = honest.site().await.security;
    assert_eq!(
        (after.updates_found, after.projects, after.unknown),
        (before.updates_found, before.projects, before.unknown + 1)
    );
    assert_eq!(status(&honest, "a").await, Some(UpdateStatus::NotSecure));
    assert_eq!(status(&hostile, "a").await, Some(UpdateStatus::Current), "it fools only itself");
    let names: BTreeSet<String> = due(&storage, honest.at + Duration::days(9)).await.into_iter().collect();
    assert!(names.iter().all(|name| ProjectName::parse(name).is_ok()));
    assert_eq!(storage.project_feeds(&project("a")).await.unwrap()[0].feed, Feed::Current);
}

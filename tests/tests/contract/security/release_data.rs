//! What is stored of a project, how old it is, and who asks next.

use std::sync::Arc;

use module_monitor_domain::{Feed, ReleaseHistory, Support, UpdateStatus};
use module_monitor_storage::{Check, CheckOutcome, Fetched, Page, ProjectFeed, Storage, Validators};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::module;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::support::{FETCHED, core, figures, history, import, insecure, project, recount, secure, status};
use crate::support::Reporter;

on_both_backends!(
    a_history_comes_back_as_it_was_stored,
    releases_are_paged_in_the_order_of_the_feed,
    a_failed_check_erases_nothing,
    no_history_is_unknown_and_erases_nothing,
    the_age_is_that_of_the_oldest_project,
    known_versions_get_their_release_dates,
    a_refresh_can_be_asked_for,
    a_lease_has_one_holder,
);

fn check(name: &str, at: OffsetDateTime, outcome: CheckOutcome) -> Check {
    Check { project: project(name), feed: Feed::Current, at, next_check_at: at + Duration::HOUR, outcome }
}

async fn feed(storage: &Arc<dyn Storage>, name: &str) -> ProjectFeed {
    storage.project_feeds(&project(name)).await.unwrap().pop().expect("a known project")
}

async fn a_history_comes_back_as_it_was_stored(database: TestDatabase) {
    let storage = database.open().await;
    let mut full = history("a", "1.0.,2.0.", &["2.0.0-beta1 security unsupported", "1.0.0 insecure"]);
    full.malformed = 3;
    full.releases[0].date = None;
    full.releases[0].covered = None;
    full.releases[1].core_compatibility = None;
    full.releases[1].date = Some(i64::MAX);
    let old = ReleaseHistory {
        feed: Feed::Drupal7,
        title: None,
        support: Support {
            branches: None,
            majors: Some("1,2".to_owned()),
            recommended_major: Some("2".to_owned()),
            default_major: Some("1".to_owned()),
        },
        ..secure("a")
    };
    assert_eq!(storage.find_history(&project("a"), Feed::Current).await.unwrap(), None);
    let validators = Validators { etag: Some("\"x\"".to_owned()), last_modified: Some("then".to_owned()) };
    let fetched = Fetched { at: FETCHED, next_check_at: FETCHED + Duration::DAY, validators: validators.clone() };
    storage.store_history(Arc::new(full.clone()), fetched).await.unwrap();
    import(&storage, old.clone(), FETCHED).await;
    assert_eq!(storage.find_history(&project("a"), Feed::Current).await.unwrap(), Some(full.clone()));
    assert_eq!(storage.find_history(&project("a"), Feed::Drupal7).await.unwrap(), Some(old));
    let feeds = storage.project_feeds(&project("a")).await.unwrap();
    let current = feeds.iter().find(|feed| feed.feed == Feed::Current).unwrap();
    assert_eq!((&current.validators, &current.support), (&validators, &full.support));
    assert_eq!((current.fetched_at, current.checked_at, current.is_stale()), (Some(FETCHED), Some(FETCHED), false));
    let fewer = history("a", "1.0.", &["1.0.0"]);
    import(&storage, fewer.clone(), FETCHED).await;
    assert_eq!(storage.find_history(&project("a"), Feed::Current).await.unwrap(), Some(fewer), "replaced");
}

async fn releases_are_paged_in_the_order_of_the_feed(database: TestDatabase) {
    let storage = database.open().await;
    import(&storage, history("a", "", &["1.0.0", "3.0.0", "2.0.0", "2.0.0-rc1"]), FETCHED).await;
    let page = async |limit, after| {
        let page = storage.project_releases(&project("a"), Feed::Current, Page { limit, after }).await.unwrap();
        let last = page.last().map(|(position, _)| *position);
        (page.into_iter().map(|(_, release)| release.version).collect::<Vec<_>>(), last)
    };
    let (first, after) = page(3, None).await;
    assert_eq!(first, ["1.0.0", "3.0.0", "2.0.0"]);
    assert_eq!(page(3, after).await.0, ["2.0.0-rc1"]);
}

async fn a_failed_check_erases_nothing(database: TestDatabase) {
    let storage = database.open().await;
    import(&storage, insecure("a"), FETCHED).await;
    let mut site = Reporter::new(&storage, "Outage").await;
    site.full(vec![module("a", "1.0.0")]).await;
    let later = FETCHED + Duration::DAY;
    for n in 0..2 {
        let failed = CheckOutcome::Failed(format!("no answer {n}"));
        storage.note_check(check("a", later + Duration::hours(n), failed)).await.unwrap();
    }
    let a = feed(&storage, "a").await;
    assert_eq!((a.failures, a.last_error.as_deref(), a.is_stale()), (2, Some("no answer 1"), true));
    assert_eq!((a.checked_at, a.next_check_at), (Some(FETCHED), later + Duration::hours(2)));
    assert_eq!(figures(site.site().await.security), (1, 1, 1));
    storage.note_check(check("a", later + Duration::hours(3), CheckOutcome::NotModified)).await.unwrap();
    let a = feed(&storage, "a").await;
    assert_eq!((a.failures, a.checked_at, a.is_stale()), (0, Some(later + Duration::hours(3)), false));
    assert_eq!(a.fetched_at, Some(FETCHED), "what is stored is as old as it was");
    storage.note_check(check("new", later, CheckOutcome::Failed("no answer".to_owned()))).await.unwrap();
    assert_eq!((feed(&storage, "new").await.fetched_at, feed(&storage, "new").await.checked_at), (None, None));
}

async fn no_history_is_unknown_and_erases_nothing(database: TestDatabase) {
    let storage = database.open().await;
    import(&storage, insecure("a"), FETCHED).await;
    let mut site = Reporter::new(&storage, "None").await;
    site.full(vec![module("a", "1.0.0"), module("b", "1.0.0")]).await;
    for name in ["a", "b"] {
        storage.note_check(check(name, site.at, CheckOutcome::NoHistory)).await.unwrap();
    }
    assert_eq!(status(&site, "a").await, Some(UpdateStatus::NotSecure));
    assert!(feed(&storage, "a").await.is_stale());
    assert_eq!(status(&site, "b").await, Some(UpdateStatus::Unknown));
    assert_eq!(recount(&storage, site.at).await, 1, "unknown for another reason");
    let outcome = site.full(vec![module("b", "2.0.0")]).await;
    assert_eq!(figures(outcome.security), (0, 0, 2));
    assert_eq!(status(&site, "b").await, Some(UpdateStatus::Unknown), "also another version");
    import(&storage, history("b", "2.0.", &["2.0.0"]), site.at).await;
    assert_eq!(status(&site, "b").await, Some(UpdateStatus::Current));
    assert_eq!(figures(site.site().await.security), (0, 0, 1));
}

async fn the_age_is_that_of_the_oldest_project(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Age").await;
    let as_of = async |site: &mut Reporter| site.full(vec![module("a", "1.0.0")]).await.security.data_as_of;
    assert_eq!(as_of(&mut site).await, None);
    let later = FETCHED + Duration::HOUR;
    import(&storage, secure("a"), later).await;
    assert_eq!(as_of(&mut site).await, Some(later));
    import(&storage, secure("b"), FETCHED).await;
    assert_eq!(as_of(&mut site).await, Some(FETCHED));
    storage.note_check(check("b", later + Duration::HOUR, CheckOutcome::NotModified)).await.unwrap();
    assert_eq!(as_of(&mut site).await, Some(later), "an unchanged sync tells it");
    storage.note_check(check("c", FETCHED, CheckOutcome::NoHistory)).await.unwrap();
    let figures = storage.release_figures().await.unwrap();
    assert_eq!(figures.data_as_of, Some(later), "what was never fetched has no age");
    assert_eq!((figures.projects, figures.never_fetched), (4, 2), "a, b, c and Drupal");
}

async fn known_versions_get_their_release_dates(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Dates").await;
    site.full(vec![module("a", "1.0.0"), module("b", "1.0.0"), core("system", "10.3.6")]).await;
    import(&storage, insecure("a"), FETCHED).await;
    import(&storage, history("drupal", "10.3.", &["10.3.6"]), FETCHED).await;
    site.full(vec![module("a", "1.0.1"), module("b", "1.0.0"), core("system", "10.3.6")]).await;
    let mut raw = database.raw().await;
    let dated = "SELECT m.machine_name || ' ' || v.version FROM module_versions v JOIN modules m ON m.id = v.module_id \
                 WHERE v.released_at IS NOT NULL ORDER BY 1";
    assert_eq!(raw.texts(dated).await, ["a 1.0.0", "a 1.0.1", "system 10.3.6"]);
}

async fn a_refresh_can_be_asked_for(database: TestDatabase) {
    let storage = database.open().await;
    import(&storage, secure("a"), FETCHED).await;
    let soon = FETCHED + Duration::MINUTE;
    assert!(!storage.request_refresh(&project("nobody"), soon, "admin").await.unwrap());
    assert!(storage.request_refresh(&project("a"), soon, "admin").await.unwrap());
    assert_eq!(feed(&storage, "a").await.next_check_at, soon);
    assert!(storage.request_refresh(&project("a"), soon + Duration::MINUTE, "admin").await.unwrap());
    assert_eq!(feed(&storage, "a").await.next_check_at, soon, "due is due");
    let due = storage.due_projects(soon, 10).await.unwrap();
    assert_eq!(due.len(), 1);
    let event = storage.admin_events(Page { limit: 1, after: None }).await.unwrap().items.remove(0);
    assert_eq!((event.action.as_str(), event.target.as_str()), ("project.refresh_requested", "a"));
}

async fn a_lease_has_one_holder(database: TestDatabase) {
    let storage = database.open().await;
    let (one, two) = (Uuid::new_v4(), Uuid::new_v4());
    let take = async |holder, now: OffsetDateTime| {
        storage.try_lease("refresh", holder, now, now + Duration::MINUTE).await.unwrap()
    };
    assert!(take(one, FETCHED).await);
    assert!(!take(two, FETCHED + Duration::seconds(30)).await);
    assert!(take(one, FETCHED + Duration::seconds(30)).await, "renewed");
    assert!(!take(two, FETCHED + Duration::seconds(80)).await);
    assert!(take(two, FETCHED + Duration::seconds(90)).await, "run out");
    storage.end_lease("refresh", one).await.unwrap();
    assert!(!take(one, FETCHED + Duration::seconds(91)).await, "only its holder gives it back");
    storage.end_lease("refresh", two).await.unwrap();
    assert!(take(one, FETCHED + Duration::seconds(91)).await);
}

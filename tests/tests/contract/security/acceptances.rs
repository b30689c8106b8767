//! Risks that are accepted for a while.

use module_monitor_storage::{NewAcceptance, Page, SecurityFilter, StorageError};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{NOBODY, module};
use time::Duration;
use uuid::Uuid;

use super::support::{
    FETCHED, differences, figures, history, import, insecure, listed, range, recount, risk, submodule, updates,
};
use crate::support::Reporter;

on_both_backends!(
    an_accepted_risk_leaves_the_figures_and_stays_visible,
    an_acceptance_ends_by_itself,
    an_acceptance_may_be_for_one_site,
    an_acceptance_may_be_for_some_versions,
    versions_of_drupal_7_are_not_those_of_the_others,
    acceptances_are_listed_and_written_down,
);

async fn an_accepted_risk_leaves_the_figures_and_stays_visible(database: TestDatabase) {
    let storage = database.open().await;
    for name in ["a", "b"] {
        import(&storage, insecure(name), FETCHED).await;
    }
    let mut site = Reporter::new(&storage, "Accepted").await;
    site.full(vec![module("a", "1.0.0"), submodule("a_sub", "1.0.0", "a"), module("b", "1.0.0")]).await;
    assert_eq!(figures(site.site().await.security), (3, 2, 1));
    let accepted = risk("a", site.at, site.at + Duration::DAY);
    storage.create_acceptance(accepted.clone(), "admin").await.unwrap();
    recount(&storage, site.at).await;
    assert_eq!(figures(site.site().await.security), (1, 1, 1));
    assert_eq!(listed(&site).await, ["a 1.0.0 a,a_sub accepted", "b 1.0.0 b"]);
    let a = updates(&storage, SecurityFilter::default()).await.remove(0);
    assert_eq!(a.insecure_since, Some(site.at), "the finding stays open");
    let shown = a.accepted.unwrap();
    assert_eq!((shown.id, shown.until, shown.reason), (accepted.id, accepted.until, accepted.reason));
    let outcome = site.full(vec![module("a", "1.0.0"), submodule("a_sub", "1.0.0", "a"), module("c", "1.0.0")]).await;
    assert_eq!(figures(outcome.security), (0, 0, 2), "a sync that changes something counts alike");
    assert!(storage.withdraw_acceptance(accepted.id, site.at, "admin").await.unwrap());
    recount(&storage, site.at).await;
    assert_eq!(figures(site.site().await.security), (2, 1, 2));
    assert!(!storage.withdraw_acceptance(accepted.id, site.at, "admin").await.unwrap(), "it has ended");
    assert!(!storage.withdraw_acceptance(Uuid::new_v4(), site.at, "admin").await.unwrap());
    assert_eq!(differences(&storage).await, []);
}

async fn an_acceptance_ends_by_itself(database: TestDatabase) {
    let storage = database.open().await;
    import(&storage, insecure("a"), FETCHED).await;
    let mut site = Reporter::new(&storage, "Until").await;
    let mut other = Reporter::new(&storage, "Other").await;
    site.full(vec![module("a", "1.0.0")]).await;
    other.full(vec![module("a", "1.0.0")]).await;
    let until = site.at + Duration::HOUR;
    storage.create_acceptance(risk("a", site.at, until), "admin").await.unwrap();
    let for_site = NewAcceptance { id: Uuid::new_v4(), site_id: Some(other.id), ..risk("a", site.at, until) };
    storage.create_acceptance(NewAcceptance { until: until + Duration::HOUR, ..for_site }, "admin").await.unwrap();
    recount(&storage, site.at).await;
    let just_before = until - Duration::microseconds(1);
    assert_eq!(storage.end_due_acceptances(just_before).await.unwrap(), 0);
    assert_eq!(figures(site.site().await.security), (0, 0, 1));
    assert_eq!(storage.end_due_acceptances(until).await.unwrap(), 1);
    recount(&storage, until).await;
    assert_eq!(figures(site.site().await.security), (1, 1, 1), "no sync in between");
    assert_eq!(figures(other.site().await.security), (0, 0, 1), "its own still stands");
    assert_eq!(storage.end_due_acceptances(until + Duration::DAY).await.unwrap(), 1);
    assert_eq!(figures(other.site().await.security), (1, 1, 1));
    assert_eq!(recount(&storage, until).await, 0, "that of one site is recounted at once");
    assert_eq!(differences(&storage).await, []);
}

async fn an_acceptance_may_be_for_one_site(database: TestDatabase) {
    let storage = database.open().await;
    import(&storage, insecure("a"), FETCHED).await;
    let mut one = Reporter::new(&storage, "One").await;
    let mut two = Reporter::new(&storage, "Two").await;
    one.full(vec![module("a", "1.0.0")]).await;
    two.full(vec![module("a", "1.0.0")]).await;
    let only = NewAcceptance { site_id: Some(one.id), ..risk("a", one.at, one.at + Duration::DAY) };
    storage.create_acceptance(only.clone(), "admin").await.unwrap();
    assert_eq!(figures(one.site().await.security), (0, 0, 1));
    assert_eq!(figures(two.site().await.security), (1, 1, 1));
    assert!(storage.withdraw_acceptance(only.id, one.at, "admin").await.unwrap());
    assert_eq!(figures(one.site().await.security), (1, 1, 1));
    let nowhere = NewAcceptance { id: Uuid::new_v4(), site_id: Some(NOBODY), ..only };
    let error = storage.create_acceptance(nowhere, "admin").await.unwrap_err();
    assert!(matches!(error, StorageError::MissingReference(_)), "{error:?}");
    assert_eq!(differences(&storage).await, []);
}

async fn an_acceptance_may_be_for_some_versions(database: TestDatabase) {
    let storage = database.open().await;
    let versions = ["1.4.0", "1.3.0", "1.2.0", "1.1.0", "1.0.0"].map(|version| format!("{version} insecure"));
    let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
    import(&storage, history("a", "1.", &versions), FETCHED).await;
    let mut site = Reporter::new(&storage, "Versions").await;
    let of = |n: usize| submodule(&format!("m_{n}"), &format!("1.{n}.0"), "a");
    site.full((0..5).map(of).collect()).await;
    assert_eq!(figures(site.site().await.security), (5, 1, 1));
    for (from, to, left) in [
        (Some("1.1.0"), Some("8.x-1.3"), 2),
        (Some("1.3.0"), None, 3),
        (None, Some("1.0.0"), 4),
        (Some("1.5.0"), None, 5),
        (None, None, 0),
    ] {
        let some = NewAcceptance {
            id: Uuid::new_v4(),
            versions: range(from, to),
            ..risk("a", site.at, site.at + Duration::DAY)
        };
        storage.create_acceptance(some.clone(), "admin").await.unwrap();
        recount(&storage, site.at).await;
        assert_eq!(figures(site.site().await.security).0, left, "{from:?} to {to:?}");
        let row = updates(&storage, SecurityFilter::default()).await.remove(0);
        assert_eq!(row.accepted.is_some(), left == 0, "accepted only where all of it is");
        assert!(storage.withdraw_acceptance(some.id, site.at, "admin").await.unwrap());
    }
    recount(&storage, site.at).await;
    assert_eq!(differences(&storage).await, []);
}

async fn versions_of_drupal_7_are_not_those_of_the_others(database: TestDatabase) {
    let storage = database.open().await;
    let mut old = history("a", "", &["7.x-1.6 security", "7.x-1.5 insecure"]);
    old.feed = module_monitor_domain::Feed::Drupal7;
    old.support = module_monitor_domain::Support { majors: Some("1".to_owned()), ..Default::default() };
    import(&storage, old, FETCHED).await;
    import(&storage, history("a", "8.x-1.", &["8.x-1.6 security", "8.x-1.5 insecure"]), FETCHED).await;
    let mut on_7 = Reporter::new(&storage, "Seven").await;
    let mut on_10 = Reporter::new(&storage, "Ten").await;
    on_7.on_core("7.103", vec![module("a", "7.x-1.5")]).await;
    on_10.full(vec![module("a", "8.x-1.5")]).await;
    for (bound, left) in [("7.x-1.5", (0, 1)), ("8.x-1.5", (1, 0)), ("1.5.0", (1, 0))] {
        let accepted = NewAcceptance {
            id: Uuid::new_v4(),
            versions: range(Some(bound), Some(bound)),
            ..risk("a", on_7.at, on_7.at + Duration::DAY)
        };
        storage.create_acceptance(accepted.clone(), "admin").await.unwrap();
        recount(&storage, on_7.at).await;
        let found = (on_7.site().await.security.updates_found, on_10.site().await.security.updates_found);
        assert_eq!(found, left, "{bound}");
        storage.withdraw_acceptance(accepted.id, on_7.at, "admin").await.unwrap();
    }
}

async fn acceptances_are_listed_and_written_down(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Listed").await;
    site.full(vec![module("a", "1.0.0")]).await;
    let mut made = Vec::new();
    for n in 0..5 {
        let at = site.at + Duration::seconds(n);
        let one = NewAcceptance { versions: range(None, Some("2.0.0")), ..risk("a", at, at + Duration::DAY) };
        storage.create_acceptance(one.clone(), "key one").await.unwrap();
        made.push(one.id);
    }
    made.reverse();
    let first = storage.list_acceptances(false, Page { limit: 3, after: None }).await.unwrap();
    let rest = storage.list_acceptances(false, Page { limit: 3, after: Some(first[2].id) }).await.unwrap();
    let ids: Vec<_> = first.iter().chain(rest.iter()).map(|acceptance| acceptance.id).collect();
    assert_eq!(ids, made, "newest first");
    assert_eq!((first[0].to.as_deref(), first[0].created_by.as_str()), (Some("2.0.0"), "key one"));
    storage.withdraw_acceptance(made[0], site.at, "key two").await.unwrap();
    storage.end_due_acceptances(site.at + Duration::DAY).await.unwrap();
    let all = async |ended| storage.list_acceptances(ended, Page { limit: 9, after: None }).await.unwrap();
    assert_eq!(all(false).await.len(), 3);
    let ended: Vec<_> = all(true).await.into_iter().map(|acceptance| acceptance.ended_reason).collect();
    assert_eq!(ended, [Some("withdrawn".to_owned()), None, None, None, Some("expired".to_owned())]);
    let events = storage.admin_events(Page { limit: 3, after: None }).await.unwrap();
    let told: Vec<_> = events.iter().map(|event| (event.action.as_str(), event.actor.as_str())).collect();
    assert_eq!(
        told,
        [
            ("acceptance.expired", "module-monitor"),
            ("acceptance.withdrawn", "key two"),
            ("acceptance.created", "key one")
        ]
    );
}

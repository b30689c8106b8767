//! What is refused, and what is applied with a warning.

use module_monitor_domain::{Refusal, Scope, SiteIdentity};
use module_monitor_storage::SyncResult;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{NOBODY, command, modules, now, report};
use time::Duration;

use crate::support::{Reporter, changes};

on_both_backends!(
    an_unknown_site_is_refused,
    an_inactive_site_is_refused_until_it_is_active_again,
    an_older_report_is_refused_and_one_as_old_is_applied,
    an_older_report_is_refused_even_when_nothing_changed,
    another_identity_is_applied_noted_and_marked,
    a_strict_site_refuses_another_identity,
    what_an_unchanged_report_does_not_say_of_its_identity_stays,
    mass_removal_is_marked_until_the_next_full_report,
);

fn identity(environment: &str) -> SiteIdentity {
    SiteIdentity { environment: Some(environment.to_owned()), url: None }
}

async fn an_unknown_site_is_refused(database: TestDatabase) {
    let storage = database.open().await;
    let mut raw = database.raw().await;
    let before = raw.row_counts().await;
    for scope in [Scope::Full, Scope::Partial] {
        let at = now();
        let sync = command(NOBODY, at, report(scope, at, modules("m", 3, "1.0.0")));
        assert_eq!(storage.apply_sync(sync).await.unwrap(), SyncResult::Refused(Refusal::UnknownSite));
    }
    assert_eq!(raw.row_counts().await, before);
}

async fn an_inactive_site_is_refused_until_it_is_active_again(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Inactive").await;
    let mut raw = database.raw().await;
    site.full(modules("m", 3, "1.0.0")).await;
    site.set(&mut raw, "active = false").await;
    let before = (raw.row_counts().await, site.site().await);
    assert!(!before.1.active);
    for report_of in [modules("m", 3, "1.0.0"), modules("m", 5, "2.0.0")] {
        let result = site.result(|at| report(Scope::Full, at, report_of)).await;
        assert_eq!(result, SyncResult::Refused(Refusal::InactiveSite));
    }
    assert_eq!((raw.row_counts().await, site.site().await), before);
    site.set(&mut raw, "active = true").await;
    assert_eq!(changes(&site.full(modules("m", 5, "2.0.0")).await), (2, 3, 0));
}

async fn an_older_report_is_refused_and_one_as_old_is_applied(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Order").await;
    site.full(modules("m", 3, "1.0.0")).await;
    let made = site.at - Duration::seconds(5);
    let step = Duration::MICROSECOND;
    let mut raw = database.raw().await;
    let before = raw.row_counts().await;
    for scope in [Scope::Full, Scope::Partial] {
        let older = site.result(|_| report(scope, made - step, modules("m", 4, "2.0.0"))).await;
        assert_eq!(older, SyncResult::Refused(Refusal::Stale { last_applied: made }));
    }
    assert_eq!(raw.row_counts().await, before);
    let equal = site.send(|_| report(Scope::Full, made, modules("m", 4, "2.0.0"))).await;
    assert_eq!(changes(&equal), (1, 3, 0));
    let equal_again = site.send(|_| report(Scope::Full, made, modules("m", 3, "2.0.0"))).await;
    assert_eq!(changes(&equal_again), (0, 0, 1), "in the order of acceptance");
    let newer = site.send(|_| report(Scope::Full, made + step, modules("m", 3, "2.0.0"))).await;
    assert_eq!(changes(&newer), (0, 0, 0));
    let old = site.result(|_| report(Scope::Full, made, modules("m", 3, "2.0.0"))).await;
    assert_eq!(old, SyncResult::Refused(Refusal::Stale { last_applied: made + step }), "unchanged reports count too");
}

async fn an_older_report_is_refused_even_when_nothing_changed(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Order").await;
    site.full(modules("m", 3, "1.0.0")).await;
    let (made, before) = (site.at - Duration::seconds(5), site.site().await);
    let stale = site.result(|_| report(Scope::Full, made - Duration::SECOND, modules("m", 3, "1.0.0"))).await;
    assert_eq!(stale, SyncResult::Refused(Refusal::Stale { last_applied: made }));
    assert_eq!(site.site().await, before);
}

async fn another_identity_is_applied_noted_and_marked(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Cloned").await;
    let mut raw = database.raw().await;
    let applied = |result| match result {
        SyncResult::Applied(outcome) => outcome,
        other => panic!("{other:?}"),
    };
    site.as_identity("prod", modules("m", 3, "1.0.0")).await;
    assert!(!site.site().await.conflict);
    // The same modules: the fast path must not hide the change of identity.
    let copy = applied(site.as_identity("stage", modules("m", 3, "1.0.0")).await);
    assert_eq!((changes(&copy), copy.warnings.len()), ((0, 0, 0), 1));
    assert!(site.site().await.conflict);
    assert_eq!(raw.texts("SELECT kind FROM site_events").await, ["identity_changed"]);
    let id = raw.id(copy.sync_id.0);
    let detail = raw.texts(&format!("SELECT detail FROM site_events WHERE sync_id = {id}")).await;
    assert!(detail[0].contains("prod") && detail[0].contains("stage"), "{detail:?}");
    // From now on it is the one; the mark stays.
    let same = applied(site.as_identity("stage", modules("m", 3, "1.0.0")).await);
    assert!(same.warnings.is_empty());
    let back = applied(site.as_identity("prod", modules("m", 2, "1.0.0")).await);
    assert_eq!((changes(&back), back.warnings.len()), ((0, 0, 1), 1));
    assert_eq!(raw.number("SELECT count(*) FROM site_events").await, 2);
    assert!(site.site().await.conflict);
}

async fn a_strict_site_refuses_another_identity(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Strict").await;
    let mut raw = database.raw().await;
    site.set(&mut raw, "strict_identity = true").await;
    site.as_identity("prod", modules("m", 3, "1.0.0")).await;
    let before = (raw.row_counts().await, site.site().await);
    for report_of in [modules("m", 3, "1.0.0"), modules("m", 2, "2.0.0")] {
        let refused = site.as_identity("stage", report_of).await;
        let (expected, reported) = (identity("prod"), identity("stage"));
        assert_eq!(refused, SyncResult::Refused(Refusal::IdentityConflict { expected, reported }));
    }
    assert_eq!((raw.row_counts().await, site.site().await), before);
    assert!(matches!(site.as_identity("prod", modules("m", 2, "2.0.0")).await, SyncResult::Applied(_)));
}

async fn what_an_unchanged_report_does_not_say_of_its_identity_stays(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Silent").await;
    site.as_identity("prod", modules("m", 3, "1.0.0")).await;
    let silent = site.full(modules("m", 3, "1.0.0")).await;
    assert!(silent.warnings.is_empty());
    let other = site.as_identity("stage", modules("m", 3, "1.0.0")).await;
    assert!(matches!(other, SyncResult::Applied(outcome) if outcome.warnings.len() == 1), "prod is still known");
}

async fn mass_removal_is_marked_until_the_next_full_report(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Emptied").await;
    site.full(modules("m", 40, "1.0.0")).await;
    let half = site.full(modules("m", 20, "1.0.0")).await;
    assert_eq!((changes(&half), half.warnings.len()), ((0, 0, 20), 0), "half is not more than half");
    assert!(!site.site().await.mass_removal);
    let most = site.full(modules("m", 9, "1.0.0")).await;
    assert_eq!(most.warnings, ["This report removed 11 of 20 modules"]);
    assert!(site.site().await.mass_removal);
    site.partial(modules("m", 9, "1.0.0")).await;
    assert!(site.site().await.mass_removal, "a partial report says nothing of it");
    site.full(modules("m", 9, "1.0.0")).await;
    assert!(!site.site().await.mass_removal, "an unchanged full report clears it");
    site.full(modules("m", 30, "1.0.0")).await;
    site.full(modules("m", 1, "1.0.0")).await;
    assert!(site.site().await.mass_removal);
    site.full(modules("m", 2, "1.0.0")).await;
    assert!(!site.site().await.mass_removal, "a changed full report clears it");
}

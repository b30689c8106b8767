//! Which reports leave a fingerprint, and which may use it.

use module_monitor_domain::{EventKind, Scope, SiteInfo};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{module, modules, report_of};

use crate::support::{Reporter, changes, disabled};

on_both_backends!(
    rejected_modules_are_left_as_they_are,
    a_lenient_report_that_changes_something_clears_the_fingerprint,
    a_lenient_report_with_rejections_clears_the_fingerprint_and_leaves_none,
    a_partial_report_keeps_the_fingerprint_only_while_nothing_changes,
    a_partial_report_on_another_drupal_clears_the_fingerprint,
    a_full_report_after_a_lenient_one_repairs_what_was_left,
    a_lost_fingerprint_costs_a_comparison_and_changes_nothing,
);

async fn rejected_modules_are_left_as_they_are(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Lenient").await;
    site.full(vec![module("a", "1.0.0"), module("b", "1.0.0"), module("c", "1.0.0"), module("d", "1.0.0")]).await;
    // `a` is there twice: once good, once rejected.
    let outcome = site
        .lenient(vec![module("a", "2.0.0"), module("c", "2.0.0")], &[Some("a"), Some("b"), Some("never_seen")])
        .await;
    assert_eq!((outcome.counts.processed, changes(&outcome)), (1, (0, 1, 1)));
    assert_eq!(outcome.rejected.len(), 3);
    assert_eq!(site.present().await, ["a 1.0.0", "b 1.0.0", "c 2.0.0", "never_seen -"], "what is there is seen");
    assert_eq!(site.removed().await, ["d 1.0.0"]);
    assert_eq!(site.history("a").await.len(), 1);
    let incomplete = site.lenient(vec![module("c", "2.0.0")], &[Some("b"), None]).await;
    assert_eq!(changes(&incomplete), (0, 0, 0));
    assert_eq!(site.present().await, ["a 1.0.0", "b 1.0.0", "c 2.0.0", "never_seen -"]);
}

async fn a_lenient_report_that_changes_something_clears_the_fingerprint(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Lenient").await;
    let mut raw = database.raw().await;
    let all = || vec![module("a", "1.0.0"), module("b", "1.0.0"), module("c", "1.0.0")];
    for rejected in [[Some("a"), Some("b")], [Some("a"), None]] {
        site.full(all()).await;
        assert!(site.has_fingerprint(&mut raw).await);
        site.lenient(vec![disabled(module("c", "1.0.0"))], &rejected).await;
        assert!(!site.has_fingerprint(&mut raw).await, "{rejected:?}");
        let repaired = site.full(all()).await;
        assert_eq!(changes(&repaired), (0, 0, 0));
        assert!(site.module("c").await.state.enabled, "the same full report is not skipped");
    }
}

async fn a_lenient_report_with_rejections_clears_the_fingerprint_and_leaves_none(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Lenient").await;
    let mut raw = database.raw().await;
    // With nothing stored yet, a lenient report leaves no fingerprint, not even one of what it accepted.
    site.lenient(vec![module("c", "1.0.0")], &[Some("a"), Some("b")]).await;
    assert!(!site.has_fingerprint(&mut raw).await);
    let full = vec![module("a", "1.0.0"), module("c", "1.0.0")];
    assert_eq!(changes(&site.full(full.clone()).await), (1, 0, 0));
    site.lenient(vec![module("c", "1.0.0")], &[Some("a"), Some("b")]).await;
    assert!(!site.has_fingerprint(&mut raw).await, "what was rejected is not known any more");
    assert_eq!(changes(&site.full(full).await), (0, 0, 0));
    // What the lenient report accepted, sent in full, is another state.
    assert_eq!(changes(&site.full(vec![module("c", "1.0.0")]).await), (0, 0, 1));
}

async fn a_partial_report_keeps_the_fingerprint_only_while_nothing_changes(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Partial").await;
    let mut raw = database.raw().await;
    site.partial(modules("m", 2, "1.0.0")).await;
    assert!(!site.has_fingerprint(&mut raw).await, "a partial report leaves none");
    site.full(modules("m", 2, "1.0.0")).await;
    site.partial(modules("m", 2, "1.0.0")).await;
    assert!(site.has_fingerprint(&mut raw).await);
    site.partial(vec![disabled(module("m_0001", "1.0.0"))]).await;
    assert!(!site.has_fingerprint(&mut raw).await);
    site.partial(vec![module("m_0001", "1.0.0")]).await;
    assert!(!site.has_fingerprint(&mut raw).await, "what is gone does not come back by itself");
}

async fn a_partial_report_on_another_drupal_clears_the_fingerprint(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Partial").await;
    let mut raw = database.raw().await;
    site.on_core("10.3.6", modules("m", 2, "1.0.0")).await;
    let info = SiteInfo { json: "{}".to_owned(), ..SiteInfo::default() };
    let partial = site.send(|at| report_of(Scope::Partial, at, "10.4.0", info, modules("m", 1, "1.0.0"))).await;
    assert_eq!(changes(&partial), (0, 0, 0));
    assert!(!site.has_fingerprint(&mut raw).await);
    site.on_core("10.3.6", modules("m", 2, "1.0.0")).await;
    assert_eq!(site.site().await.drupal_version.as_deref(), Some("10.3.6"), "not skipped");
}

async fn a_full_report_after_a_lenient_one_repairs_what_was_left(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Lenient").await;
    site.full(modules("m", 3, "1.0.0")).await;
    site.lenient(modules("m", 1, "2.0.0"), &[Some("m_0001")]).await;
    assert_eq!(site.present().await, ["m_0000 2.0.0", "m_0001 1.0.0"]);
    let full = site.full(modules("m", 3, "2.0.0")).await;
    assert_eq!(changes(&full), (1, 1, 0));
    assert_eq!(site.present().await, ["m_0000 2.0.0", "m_0001 2.0.0", "m_0002 2.0.0"]);
    let kinds: Vec<_> = site.history("m_0002").await.into_iter().map(|e| e.0).skip(1).collect();
    assert_eq!(kinds, [EventKind::Removed, EventKind::Restored, EventKind::VersionChanged]);
}

async fn a_lost_fingerprint_costs_a_comparison_and_changes_nothing(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Upgraded").await;
    let mut raw = database.raw().await;
    site.full(modules("m", 3, "1.0.0")).await;
    site.set(&mut raw, "fingerprint = NULL").await;
    assert_eq!(changes(&site.full(modules("m", 3, "1.0.0")).await), (0, 0, 0));
    assert!(site.has_fingerprint(&mut raw).await);
    assert_eq!(site.history("m_0000").await.len(), 1);
}

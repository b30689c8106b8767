//! When a module was first and last seen.

use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{module, modules};
use time::OffsetDateTime;

use crate::support::{Reporter, as_listed, disabled};

on_both_backends!(
    a_present_module_is_seen_with_every_full_report,
    a_partial_report_sees_what_it_names,
    a_lenient_report_sees_what_it_rejected_by_name,
    an_incomplete_report_sees_only_what_it_names,
    a_removal_writes_it_down_and_it_stays,
    a_removal_after_a_partial_report_keeps_the_later_time,
    a_restored_module_is_seen_anew_and_keeps_when_it_was_first_seen,
);

async fn last_seen(site: &Reporter, name: &str) -> OffsetDateTime {
    let one = site.module(name).await;
    let listed = site.list(Default::default()).await.into_iter().find(|m| m.machine_name == one.machine_name);
    let last_seen = one.last_seen;
    assert!(listed.is_none_or(|listed| listed == as_listed(one)), "the list says the same as the single view");
    last_seen
}

async fn a_present_module_is_seen_with_every_full_report(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Full").await;
    site.full(modules("m", 2, "1.0.0")).await;
    let first = site.at;
    assert_eq!(last_seen(&site, "m_0000").await, first);
    site.full(modules("m", 2, "1.0.0")).await;
    assert_eq!(last_seen(&site, "m_0000").await, site.at, "unchanged");
    site.full(vec![module("m_0000", "1.0.0"), module("m_0001", "2.0.0")]).await;
    assert_eq!(last_seen(&site, "m_0000").await, site.at, "another one changed");
    let row = site.module("m_0000").await;
    assert_eq!((row.first_seen, row.last_updated), (first, first));
}

async fn a_partial_report_sees_what_it_names(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Partial").await;
    site.full(modules("m", 3, "1.0.0")).await;
    let full = site.at;
    site.partial(vec![module("m_0000", "1.0.0"), module("m_0001", "2.0.0")]).await;
    assert_eq!(last_seen(&site, "m_0000").await, site.at, "named, unchanged");
    assert_eq!(last_seen(&site, "m_0001").await, site.at, "named, changed");
    assert_eq!(last_seen(&site, "m_0002").await, full, "not named");
    assert_eq!(site.module("m_0000").await.last_updated, full, "seeing is not changing");
}

async fn a_lenient_report_sees_what_it_rejected_by_name(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Lenient").await;
    site.full(modules("m", 3, "1.0.0")).await;
    site.lenient(modules("m", 1, "1.0.0"), &[Some("m_0001")]).await;
    assert_eq!(last_seen(&site, "m_0000").await, site.at);
    assert_eq!(last_seen(&site, "m_0001").await, site.at, "rejected, but there");
    assert_eq!(site.removed().await, ["m_0002 1.0.0"]);
    assert_eq!(site.site().await.last_full_sync_at, Some(site.at));
}

async fn an_incomplete_report_sees_only_what_it_names(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Incomplete").await;
    site.full(modules("m", 4, "1.0.0")).await;
    let full = site.at;
    let outcome = site
        .lenient(vec![module("m_0000", "1.0.0"), disabled(module("m_0001", "1.0.0"))], &[Some("m_0002"), None])
        .await;
    assert_eq!((outcome.counts.removed, outcome.warnings.len()), (0, 1));
    for named in ["m_0000", "m_0001", "m_0002"] {
        assert_eq!(last_seen(&site, named).await, site.at, "{named}");
    }
    assert_eq!(last_seen(&site, "m_0003").await, full);
    let row = site.site().await;
    assert_eq!((row.last_sync_at, row.last_full_sync_at), (Some(site.at), Some(full)));
}

async fn a_removal_writes_it_down_and_it_stays(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Removal").await;
    site.full(modules("m", 2, "1.0.0")).await;
    site.full(modules("m", 2, "1.0.0")).await;
    let seen = site.at;
    site.full(modules("m", 1, "1.0.0")).await;
    let removed_at = site.at;
    for _ in 0..2 {
        let gone = site.module("m_0001").await;
        assert_eq!((gone.last_seen, gone.removed_at, gone.last_updated), (seen, Some(removed_at), removed_at));
        site.full(modules("m", 1, "1.0.0")).await;
        site.partial(vec![module("x", "1.0.0")]).await;
        site.lenient(modules("m", 1, "1.0.0"), &[Some("x")]).await;
    }
}

async fn a_removal_after_a_partial_report_keeps_the_later_time(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Removal").await;
    site.full(modules("m", 3, "1.0.0")).await;
    let full = site.at;
    site.partial(vec![module("m_0001", "1.0.0")]).await;
    let partial = site.at;
    site.full(modules("m", 1, "1.0.0")).await;
    assert_eq!(last_seen(&site, "m_0001").await, partial);
    assert_eq!(last_seen(&site, "m_0002").await, full);
    // A module that no full report has ever named.
    site.partial(vec![module("late", "1.0.0")]).await;
    let late = site.at;
    site.full(modules("m", 1, "1.0.0")).await;
    assert_eq!(last_seen(&site, "late").await, late);
}

async fn a_restored_module_is_seen_anew_and_keeps_when_it_was_first_seen(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Restored").await;
    site.full(modules("m", 2, "1.0.0")).await;
    let first = site.at;
    site.full(modules("m", 1, "1.0.0")).await;
    site.partial(vec![module("m_0001", "1.0.0")]).await;
    let restored = site.module("m_0001").await;
    assert_eq!((restored.first_seen, restored.last_seen, restored.removed_at), (first, site.at, None));
    site.full(modules("m", 2, "1.0.0")).await;
    assert_eq!(last_seen(&site, "m_0001").await, site.at, "derived again");
}

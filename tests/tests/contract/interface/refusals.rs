//! Whether a site's reports arrive: refused attempts in a row.

use module_monitor_domain::{Reporting, SiteId};
use module_monitor_ingestion::uuid_at;
use module_monitor_storage::Rejections;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::modules;
use time::{Duration, OffsetDateTime};

use crate::support::Reporter;

on_both_backends!(
    three_refusals_in_a_row_are_a_failure_until_a_report_is_applied,
    refusals_that_are_written_late_count_only_where_they_came_later,
    the_newest_reason_of_a_batch_is_told,
);

fn refused(site: SiteId, reason: &str, count: i64, first_at: OffsetDateTime, last_at: OffsetDateTime) -> Rejections {
    Rejections {
        id: uuid_at(first_at),
        site_id: site,
        key_id: "k".to_owned(),
        reason: reason.to_owned(),
        count,
        first_at,
        last_at,
        client_address: None,
        body_bytes: None,
    }
}

async fn refuse(site: &Reporter, reason: &str, count: i64, after: Duration) {
    let at = site.at + after;
    site.storage.record_rejections(vec![refused(site.id, reason, count, at, at)]).await.unwrap();
}

async fn standing(site: &Reporter) -> (Reporting, Option<String>) {
    let site = site.site().await;
    (site.reporting, site.last_refusal)
}

fn because(reason: &str) -> Option<String> {
    Some(reason.to_owned())
}

async fn three_refusals_in_a_row_are_a_failure_until_a_report_is_applied(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Site").await;
    assert_eq!(standing(&site).await, (Reporting::Never, None));
    refuse(&site, "malformed-json", 2, Duration::SECOND).await;
    assert_eq!(standing(&site).await, (Reporting::Never, because("malformed-json")));
    refuse(&site, "validation-failed", 1, Duration::seconds(2)).await;
    assert_eq!(standing(&site).await, (Reporting::Failing, because("validation-failed")), "also before the first");

    // An unchanged report is another statement than a changed one.
    for round in ["changed", "unchanged"] {
        site.full(modules("m", 3, "1.0.0")).await;
        assert_eq!(standing(&site).await, (Reporting::Ok, None), "{round}");
        for n in 1..=3 {
            assert_eq!(standing(&site).await.0, Reporting::Ok, "{round}");
            refuse(&site, "stale-sync", 1, Duration::seconds(n)).await;
        }
        assert_eq!(standing(&site).await, (Reporting::Failing, because("stale-sync")), "{round}");
    }
}

async fn refusals_that_are_written_late_count_only_where_they_came_later(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Site").await;
    site.full(modules("m", 3, "1.0.0")).await;
    refuse(&site, "stale-sync", 50, -Duration::SECOND).await;
    assert_eq!(standing(&site).await, (Reporting::Ok, None), "the report was applied after them");
    let (before, after) = (site.at - Duration::SECOND, site.at + Duration::SECOND);
    site.storage.record_rejections(vec![refused(site.id, "rate-limited", 50, before, after)]).await.unwrap();
    assert_eq!(standing(&site).await, (Reporting::Ok, because("rate-limited")), "only the last is known to be later");
    refuse(&site, "rate-limited", 2, Duration::seconds(2)).await;
    assert_eq!(standing(&site).await.0, Reporting::Failing);
}

async fn the_newest_reason_of_a_batch_is_told(database: TestDatabase) {
    let storage = database.open().await;
    let (site, other) = (Reporter::new(&storage, "Site").await, Reporter::new(&storage, "Other").await);
    let gone = Reporter::new(&storage, "Gone").await;
    assert!(storage.remove_site(gone.id, gone.at, "ann").await.unwrap());
    let at = |n| site.at + Duration::seconds(n);
    storage
        .record_rejections(vec![
            refused(site.id, "first", 1, at(1), at(1)),
            refused(site.id, "last", 1, at(3), at(3)),
            refused(site.id, "middle", 1, at(2), at(2)),
            refused(other.id, "other", 1, at(2), at(2)),
            refused(gone.id, "gone", 9, at(2), at(2)),
        ])
        .await
        .unwrap();
    assert_eq!(standing(&site).await, (Reporting::Failing, because("last")));
    assert_eq!(standing(&other).await, (Reporting::Never, because("other")));
    // Any number of them is counted without an overflow.
    for _ in 0..3 {
        refuse(&site, "many", i64::from(i32::MAX), Duration::seconds(9)).await;
    }
    assert_eq!(standing(&site).await, (Reporting::Failing, because("many")));
}

//! A report that is sent again under the same idempotency key is applied once.

use std::sync::Arc;

use futures::future::join_all;
use module_monitor_domain::{Refusal, Scope, SyncOutcome};
use module_monitor_storage::{IdempotencyKey, SyncCommand, SyncResult};
use module_monitor_tests::backends::{TestDatabase, patient};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{command, modules, report};
use time::Duration;

use crate::support::Reporter;

on_both_backends!(
    a_repetition_is_answered_with_what_the_first_one_did,
    an_unchanged_report_is_repeated_too,
    another_body_under_the_same_key_is_refused,
    a_key_is_one_sites_own,
    a_key_is_new_again_after_a_day,
    only_applied_syncs_leave_a_key,
    a_key_with_strange_characters_is_told_from_others,
    of_many_at_once_one_is_applied,
);

const KEYS: &str = "SELECT count(*) FROM idempotency_keys";
const SYNCS: &str = "SELECT count(*) FROM syncs";

/// The sync under `key`, of the body that `body` stands for.
fn keyed(sync: Arc<SyncCommand>, key: &str, body: u8) -> Arc<SyncCommand> {
    let idempotency = Some(IdempotencyKey { key: key.to_owned(), body_hash: [body; 32] });
    Arc::new(SyncCommand { idempotency, ..Arc::unwrap_or_clone(sync) })
}

/// The same report, received `later`, as another sync.
fn again(sync: &SyncCommand, later: Duration) -> Arc<SyncCommand> {
    let fresh = command(sync.site_id, sync.received_at + later, sync.report.clone());
    Arc::new(SyncCommand { idempotency: sync.idempotency.clone(), ..Arc::unwrap_or_clone(fresh) })
}

async fn send(site: &Reporter, sync: &Arc<SyncCommand>) -> SyncResult {
    site.storage.apply_sync(Arc::clone(sync)).await.unwrap()
}

async fn applied(site: &Reporter, sync: &Arc<SyncCommand>) -> SyncOutcome {
    match send(site, sync).await {
        SyncResult::Applied(outcome) => outcome,
        other => panic!("not applied: {other:?}"),
    }
}

async fn a_repetition_is_answered_with_what_the_first_one_did(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Site").await;
    let first = keyed(site.next(|at| report(Scope::Full, at, modules("m", 3, "1.0.0"))), "cron-1", 1);
    let outcome = applied(&site, &first).await;
    assert_eq!(outcome.counts.new, 3);
    let mut raw = database.raw().await;
    let before = raw.row_counts().await;
    let replayed = send(&site, &again(&first, Duration::seconds(1))).await;
    assert_eq!(replayed, SyncResult::Replayed(outcome.clone()));
    assert_eq!(raw.row_counts().await, before);

    // By now a newer report has been applied: the repetition is stale, and answered all the same.
    site.full(modules("m", 2, "2.0.0")).await;
    let before = raw.row_counts().await;
    assert_eq!(send(&site, &again(&first, Duration::hours(2))).await, SyncResult::Replayed(outcome));
    assert_eq!(raw.row_counts().await, before);
    assert_eq!(site.present().await, ["m_0000 2.0.0", "m_0001 2.0.0"]);
}

async fn an_unchanged_report_is_repeated_too(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Site").await;
    site.full(modules("m", 3, "1.0.0")).await;
    let unchanged = keyed(site.next(|at| report(Scope::Full, at, modules("m", 3, "1.0.0"))), "cron-2", 1);
    let outcome = applied(&site, &unchanged).await;
    assert_eq!((outcome.counts.processed, outcome.counts.new), (3, 0));
    assert_eq!(send(&site, &again(&unchanged, Duration::MINUTE)).await, SyncResult::Replayed(outcome));
    assert_eq!(database.raw().await.number(SYNCS).await, 2);
}

async fn another_body_under_the_same_key_is_refused(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Site").await;
    let first = keyed(site.next(|at| report(Scope::Full, at, modules("m", 3, "1.0.0"))), "cron", 1);
    applied(&site, &first).await;
    let mut raw = database.raw().await;
    let before = raw.row_counts().await;
    let newer = keyed(site.next(|at| report(Scope::Full, at, modules("m", 4, "1.0.0"))), "cron", 2);
    let same_report = keyed(again(&first, Duration::MINUTE), "cron", 2);
    for other in [newer, same_report] {
        assert_eq!(send(&site, &other).await, SyncResult::Refused(Refusal::IdempotencyKeyReused));
    }
    assert_eq!(raw.row_counts().await, before);
    assert_eq!(site.present().await.len(), 3);
}

async fn a_key_is_one_sites_own(database: TestDatabase) {
    let storage = database.open().await;
    let (mut one, mut other) = (Reporter::new(&storage, "One").await, Reporter::new(&storage, "Other").await);
    let first = keyed(one.next(|at| report(Scope::Full, at, modules("m", 3, "1.0.0"))), "shared", 1);
    let second = keyed(other.next(|at| report(Scope::Full, at, modules("n", 2, "1.0.0"))), "shared", 2);
    let outcomes = (applied(&one, &first).await, applied(&other, &second).await);
    assert_eq!(send(&one, &again(&first, Duration::MINUTE)).await, SyncResult::Replayed(outcomes.0));
    assert_eq!(send(&other, &again(&second, Duration::MINUTE)).await, SyncResult::Replayed(outcomes.1));
}

async fn a_key_is_new_again_after_a_day(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Site").await;
    let first = keyed(site.next(|at| report(Scope::Full, at, modules("m", 3, "1.0.0"))), "daily", 1);
    let outcome = applied(&site, &first).await;
    let last_moment = again(&first, Duration::DAY - Duration::MICROSECOND);
    assert_eq!(send(&site, &last_moment).await, SyncResult::Replayed(outcome));

    let next_day = keyed(again(&first, Duration::DAY), "daily", 2);
    let second = applied(&site, &next_day).await;
    assert_eq!(second.sync_id, next_day.sync_id);
    let late = again(&next_day, Duration::hours(23));
    assert_eq!(send(&site, &late).await, SyncResult::Replayed(second), "the key stands for the later sync now");
    assert_eq!(database.raw().await.number(KEYS).await, 1);
}

async fn only_applied_syncs_leave_a_key(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Site").await;
    let mut raw = database.raw().await;
    let old = keyed(site.next(|at| report(Scope::Full, at, modules("m", 1, "1.0.0"))), "refused", 1);
    site.full(modules("m", 3, "1.0.0")).await;
    assert!(matches!(send(&site, &old).await, SyncResult::Refused(Refusal::Stale { .. })));
    site.set(&mut raw, "active = false").await;
    let inactive = keyed(site.next(|at| report(Scope::Full, at, modules("m", 3, "1.0.0"))), "refused", 2);
    assert_eq!(send(&site, &inactive).await, SyncResult::Refused(Refusal::InactiveSite));
    assert_eq!(raw.number(KEYS).await, 0);
    site.set(&mut raw, "active = true").await;
    let third = keyed(site.next(|at| report(Scope::Full, at, modules("m", 4, "1.0.0"))), "refused", 3);
    assert_eq!(applied(&site, &third).await.counts.new, 1);
    assert_eq!(raw.number(KEYS).await, 1);
}

async fn a_key_with_strange_characters_is_told_from_others(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Site").await;
    let longest = "~".repeat(255);
    let keys = ["a", "A", "a ", " a", "'; DROP TABLE syncs; --", "%", "_", "\\", "{\"a\":1}", &longest];
    for key in keys {
        let sync = keyed(site.next(|at| report(Scope::Full, at, modules("m", 1, "1.0.0"))), key, 1);
        let outcome = applied(&site, &sync).await;
        assert_eq!(send(&site, &again(&sync, Duration::SECOND)).await, SyncResult::Replayed(outcome), "{key}");
    }
    assert_eq!(usize::try_from(database.raw().await.number(KEYS).await), Ok(keys.len()));
}

async fn of_many_at_once_one_is_applied(database: TestDatabase) {
    let mut site = Reporter::new(&database.open_with(patient(10)).await, "Site").await;
    for round in 0..5 {
        let key = format!("round {round}");
        let sync = keyed(site.next(|at| report(Scope::Full, at, modules("m", 20 + round, "1.0.0"))), &key, 1);
        let copies: Vec<_> = (0..10).map(|n| again(&sync, Duration::milliseconds(n))).collect();
        let results = join_all(copies.iter().map(|copy| send(&site, copy))).await;
        let applied = results.iter().filter_map(|result| match result {
            SyncResult::Applied(outcome) => Some(outcome),
            _ => None,
        });
        let outcomes: Vec<_> = applied.collect();
        let [outcome] = outcomes[..] else { panic!("{} of ten were applied", outcomes.len()) };
        let replayed = SyncResult::Replayed(outcome.clone());
        assert_eq!(results.iter().filter(|result| **result == replayed).count(), 9, "{results:#?}");
    }
    assert_eq!(database.raw().await.number(SYNCS).await, 5);
}

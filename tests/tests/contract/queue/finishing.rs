//! A job is applied once, by the worker that holds its lease.

use std::sync::Arc;

use futures::future::join;
use module_monitor_domain::{Refusal, Scope, SiteIdentity, SiteInfo};
use module_monitor_storage::{Claim, Departure, JobState, SyncCommand, SyncResult, Via};
use module_monitor_tests::backends::{TestDatabase, patient};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::report_of;
use time::Duration;

use super::support::{Jobs, LEASE, because, claim, complete, content, give_up, nothing_to_take, retry, run, take};

on_both_backends!(
    a_job_ends_with_its_sync,
    an_unchanged_job_ends_too,
    a_worker_that_has_lost_its_lease_applies_nothing,
    of_two_workers_that_race_one_applies,
    a_job_that_has_left_its_worker_cannot_be_applied_by_it,
    a_job_that_is_handed_back_has_lost_no_attempt,
    a_refused_job_has_failed,
    jobs_of_a_deleted_site_have_failed,
    a_sync_that_fails_leaves_its_job_running,
);

async fn a_job_ends_with_its_sync(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let now = jobs.at(3700);
    let sync = jobs.queued(jobs.full_at(1)).await;
    let outcome = complete(&jobs, &sync, now).await;
    assert_eq!((outcome.sync_id, outcome.counts.new), (sync.sync_id, 2));
    let job = jobs.job(&sync).await;
    assert_eq!((job.state, job.reason, job.attempts), (JobState::Succeeded, None, 1));
    assert_eq!((job.finished_at, job.worker), (Some(now), None));
    let storage = &*jobs.site.storage;
    assert_eq!(storage.job_payload(sync.sync_id).await.unwrap(), None);
    let applied = storage.find_sync(sync.sync_id).await.unwrap().expect("the sync");
    assert_eq!((applied.outcome, applied.received_at), (outcome, sync.received_at));
    assert_eq!(storage.queue_figures(now, now).await.unwrap(), module_monitor_storage::QueueFigures::default());
}

async fn an_unchanged_job_ends_too(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    jobs.direct(jobs.full_at(1)).await;
    let same = module_monitor_tests::reports::report(Scope::Full, jobs.at(2), content("1.0.1"));
    let sync = jobs.queued(same).await;
    let outcome = complete(&jobs, &sync, jobs.at(3700)).await;
    assert_eq!((outcome.counts.processed, outcome.counts.new), (2, 0));
    assert_eq!(jobs.job(&sync).await.state, JobState::Succeeded);
    let mut raw = database.raw().await;
    assert_eq!(raw.changes().await, 2);
    let pending = jobs.pending();
    assert_eq!(raw.number(&pending).await, 0);
}

async fn a_worker_that_has_lost_its_lease_applies_nothing(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let now = jobs.at(3600);
    let sync = jobs.queued(jobs.full_at(1)).await;
    let paused = take(storage, "paused", now).await;
    let other = take(storage, "other", now + LEASE).await;
    let mut raw = database.raw().await;
    let before = raw.row_counts().await;
    assert_eq!(run(storage, &paused, &sync, now + LEASE).await, SyncResult::LeaseLost);
    assert_eq!(raw.row_counts().await, before);
    assert_eq!(storage.leave(paused.lease, give_up("late"), now).await.unwrap(), None);
    assert_eq!(raw.row_counts().await, before, "no error is written in another's name either");
    assert!(matches!(run(storage, &other, &sync, now + LEASE).await, SyncResult::Applied(_)));
    let before = raw.row_counts().await;
    for late in [&paused, &other] {
        assert_eq!(run(storage, late, &sync, now + LEASE).await, SyncResult::LeaseLost, "it is done");
    }
    assert_eq!(raw.row_counts().await, before);
    assert_eq!(jobs.site.history("m_0000").await.len(), 1);
}

async fn of_two_workers_that_race_one_applies(database: TestDatabase) {
    let storage = database.open_with(patient(4)).await;
    for round in 0..20 {
        let jobs = Jobs::new(&storage, &format!("Site {round}")).await;
        let now = jobs.at(3600);
        let sync = jobs.queued(jobs.full_at(1)).await;
        let first = take(&*storage, "w1", now).await;
        let late = async {
            match claim(&*storage, "w2", now + LEASE).await {
                Claim::Job(second) => Some(run(&*storage, &second, &sync, now + LEASE).await),
                _ => None,
            }
        };
        let (one, other) = join(run(&*storage, &first, &sync, now), late).await;
        let applied = [Some(one), other].into_iter().flatten().filter(|r| matches!(r, SyncResult::Applied(_))).count();
        assert_eq!(applied, 1);
        assert_eq!(jobs.site.history("m_0000").await.len(), 1);
    }
}

async fn a_job_that_has_left_its_worker_cannot_be_applied_by_it(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let mut now = jobs.at(3600);
    let sync = jobs.queued(jobs.full_at(1)).await;
    for departure in [retry("once", now), Departure::HandBack, give_up("for good")] {
        let running = take(storage, "w", now).await;
        assert!(storage.leave(running.lease, departure, now).await.unwrap().is_some());
        assert_eq!(run(storage, &running, &sync, now).await, SyncResult::LeaseLost);
        now += Duration::SECOND;
    }
    assert!(jobs.site.present().await.is_empty());
    assert_eq!(jobs.state(&sync).await, (JobState::Dead, because("unreadable")));
    nothing_to_take(storage, now + LEASE).await;
}

async fn a_job_that_is_handed_back_has_lost_no_attempt(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let now = jobs.at(3600);
    let sync = jobs.queued(jobs.full_at(1)).await;
    for _ in 0..10 {
        let running = take(storage, "restarted", now).await;
        assert_eq!((running.attempts, running.reclaimed), (1, false));
        let left = storage.leave(running.lease, Departure::HandBack, now).await.unwrap();
        assert_eq!(left, Some(JobState::Queued));
    }
    let job = jobs.job(&sync).await;
    assert_eq!((job.attempts, job.due_at, job.last_error), (0, now, None));
    complete(&jobs, &sync, now).await;
}

async fn a_refused_job_has_failed(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let now = jobs.at(3600);
    let mut raw = database.raw().await;
    let from = |second, environment: &str| {
        let identity = SiteIdentity { environment: Some(environment.to_owned()), url: None };
        report_of(
            Scope::Partial,
            jobs.at(second),
            "10.3.6",
            SiteInfo { json: "{}".to_owned(), identity },
            content("1.0.0"),
        )
    };
    let original = jobs.queued(from(1, "prod")).await;
    let copy = jobs.queued(from(2, "dev")).await;
    let stale = jobs.queued(from(3, "prod")).await;
    jobs.site.set(&mut raw, "strict_identity = true").await;
    complete(&jobs, &original, now).await;
    let running = take(storage, "w", now).await;
    let refused = run(storage, &running, &copy, now).await;
    assert!(matches!(refused, SyncResult::Refused(Refusal::IdentityConflict { .. })), "{refused:?}");
    assert_eq!(jobs.state(&copy).await, (JobState::Failed, because("identity-conflict")));

    let moment = raw_moment(&raw, jobs.at(4));
    jobs.site.set(&mut raw, &format!("last_sync_timestamp = {moment}")).await;
    let running = take(storage, "w", now).await;
    assert!(matches!(run(storage, &running, &stale, now).await, SyncResult::Refused(Refusal::Stale { .. })));
    assert_eq!(jobs.state(&stale).await, (JobState::Failed, because("stale-sync")));
    assert_eq!(storage.find_sync(stale.sync_id).await.unwrap(), None);
    let pending = jobs.pending();
    assert_eq!(raw.number(&pending).await, 0);
}

/// A moment as it is written in SQL.
fn raw_moment(raw: &module_monitor_tests::raw::RawConnection, at: time::OffsetDateTime) -> String {
    use module_monitor_tests::backends::Backend;
    match raw.backend() {
        Backend::Sqlite => (at.unix_timestamp_nanos() / 1_000).to_string(),
        Backend::Postgres => format!("to_timestamp({})", at.unix_timestamp()),
    }
}

async fn jobs_of_a_deleted_site_have_failed(database: TestDatabase) {
    let storage = database.open().await;
    let (jobs, other) = (Jobs::new(&storage, "Site").await, Jobs::new(&storage, "Other").await);
    let now = jobs.at(3600);
    let dead = jobs.queued(jobs.partial_at(1)).await;
    let lease = take(&*storage, "w", now).await.lease;
    storage.leave(lease, give_up("no"), now).await.unwrap();
    let first = jobs.queued(jobs.partial_at(2)).await;
    let second = jobs.queued(jobs.partial_at(3)).await;
    let bystander = other.queued(other.full_at(1)).await;
    let running = take(&*storage, "w", now).await;
    assert!(storage.remove_site(jobs.site.id, now, "admin").await.unwrap());
    for sync in [&dead, &first, &second] {
        assert_eq!(jobs.state(sync).await, (JobState::Failed, because("site-deleted")));
        assert_eq!(storage.job_payload(sync.sync_id).await.unwrap(), None);
    }
    assert_eq!(run(&*storage, &running, &first, now).await, SyncResult::Refused(Refusal::UnknownSite));
    complete(&other, &bystander, now).await;
    nothing_to_take(&*storage, now + LEASE).await;
}

async fn a_sync_that_fails_leaves_its_job_running(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let now = jobs.at(3600);
    let sync = jobs.queued(jobs.full_at(1)).await;
    let running = take(storage, "w", now).await;
    // The audit row comes last: a sync of this id is there already.
    let mut elsewhere = crate::support::Reporter::new(&jobs.site.storage, "Elsewhere").await;
    let taken = elsewhere.full(content("9.0.0")).await.sync_id;
    let lease = running.lease;
    let clash =
        SyncCommand { sync_id: taken, via: Via::Queue { lease, now }, ..Arc::unwrap_or_clone(Arc::clone(&sync)) };
    storage.apply_sync(Arc::new(clash)).await.unwrap_err();
    assert_eq!(jobs.job(&sync).await.state, JobState::Running, "the end of the job was rolled back with the sync");
    assert!(matches!(run(storage, &running, &sync, now).await, SyncResult::Applied(_)));
}

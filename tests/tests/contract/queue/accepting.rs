//! What gets into the queue, and what it keeps others from.

use std::sync::Arc;

use futures::future::join_all;
use module_monitor_domain::{Refusal, Scope, SyncId};
use module_monitor_storage::{
    Enqueued, IdempotencyKey, JobState, NewJob, Page, QueueBounds, SyncCommand, SyncRecord, SyncResult, Via,
};
use module_monitor_tests::backends::{TestDatabase, patient};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{NOBODY, command, modules, report};
use time::Duration;
use uuid::Uuid;

use super::support::{Jobs, ROOMY, because, complete, content, give_up, nothing_to_take, run, take};
use crate::support::Reporter;

on_both_backends!(
    what_is_accepted_is_kept_as_it_was_sent,
    a_sync_is_accepted_once_however_often_it_is_offered,
    a_site_with_jobs_sends_everything_through_the_queue,
    a_report_that_changes_something_may_have_to_queue,
    nothing_is_superseded_at_the_door,
    what_would_be_stale_in_its_turn_is_refused_at_the_door,
    what_is_older_than_a_running_full_report_is_accepted,
    sites_that_may_not_report_queue_nothing,
    the_queue_is_bounded,
    an_idempotency_key_stands_for_a_job_too,
    of_many_at_once_under_one_key_one_is_queued,
    the_audit_log_shows_what_waits_and_what_failed,
);

async fn what_is_accepted_is_kept_as_it_was_sent(database: TestDatabase) {
    let storage = database.open().await;
    let jobs = Jobs::new(&storage, "Site").await;
    let mut sync = Arc::unwrap_or_clone(jobs.sync(jobs.partial_at(3)));
    sync.origin.key_id = Some("key".to_owned());
    sync.origin.client_address = Some("192.0.2.7".to_owned());
    sync.origin.body_bytes = Some(70);
    let sync = Arc::new(sync);
    let payload: Vec<u8> = (0..=255).cycle().take(5_000).collect();
    let job = NewJob { sync: Arc::clone(&sync), lenient: true, payload: payload.clone(), bounds: ROOMY };
    assert_eq!(storage.enqueue(job).await.unwrap(), Enqueued::Accepted(JobState::Queued));

    let job = jobs.job(&sync).await;
    assert_eq!((job.id, job.site_id, &job.origin), (sync.sync_id, sync.site_id, &sync.origin));
    assert_eq!((job.scope, job.sync_timestamp), (Scope::Partial, jobs.at(3)));
    assert_eq!((job.received_at, job.payload_bytes), (sync.received_at, 5_000));
    assert_eq!((job.state, job.reason, job.attempts, job.retried), (JobState::Queued, None, 0, false));
    assert_eq!((job.worker, job.finished_at, job.last_error), (None, None, None));
    assert_eq!(storage.job_payload(sync.sync_id).await.unwrap().as_ref(), Some(&payload));

    let claimed = take(&*storage, "w", sync.received_at).await;
    assert_eq!((claimed.lease.id, claimed.lease.site_id), (sync.sync_id, sync.site_id));
    assert_eq!((claimed.origin, claimed.lenient, claimed.received_at), (sync.origin.clone(), true, sync.received_at));
    assert_eq!((claimed.payload, claimed.attempts, claimed.reclaimed), (payload, 1, false));
    assert_eq!(storage.find_job(SyncId(Uuid::nil())).await.unwrap(), None);
}

async fn a_sync_is_accepted_once_however_often_it_is_offered(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let sync = jobs.queued(jobs.full_at(1)).await;
    let mut raw = database.raw().await;
    let before = raw.row_counts().await;
    assert_eq!(jobs.offer(&sync, ROOMY).await, Enqueued::Accepted(JobState::Queued));
    assert_eq!(raw.row_counts().await, before);
    complete(&jobs, &sync, sync.received_at).await;
    assert_eq!(jobs.offer(&sync, ROOMY).await, Enqueued::Accepted(JobState::Succeeded), "its answer was lost");
    assert_eq!(jobs.site.present().await.len(), 2);
}

async fn a_site_with_jobs_sends_everything_through_the_queue(database: TestDatabase) {
    let storage = database.open().await;
    let (jobs, mut other) = (Jobs::new(&storage, "Site").await, Reporter::new(&storage, "Other").await);
    assert!(matches!(jobs.direct(jobs.full_at(1)).await, SyncResult::Applied(_)));
    let sync = jobs.queued(jobs.partial_at(2)).await;
    let mut raw = database.raw().await;
    let before = raw.row_counts().await;
    // Unchanged, changed, partial: the first would otherwise take the short way.
    for report in [report(Scope::Full, jobs.at(3), content("1.0.1")), jobs.full_at(3), jobs.partial_at(3)] {
        assert_eq!(jobs.direct(report).await, SyncResult::MustQueue);
    }
    let running = take(&*storage, "w", sync.received_at).await;
    assert_eq!(jobs.direct(jobs.full_at(3)).await, SyncResult::MustQueue);
    assert_eq!(raw.row_counts().await, before);
    other.full(content("1.0.0")).await;

    assert!(matches!(run(&*storage, &running, &sync, sync.received_at).await, SyncResult::Applied(_)));
    let pending = jobs.pending();
    assert_eq!(raw.number(&pending).await, 0);
    let unchanged = jobs.direct(report(Scope::Full, jobs.at(4), content("1.0.1"))).await;
    assert!(matches!(unchanged, SyncResult::Applied(_)));
}

async fn a_report_that_changes_something_may_have_to_queue(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &jobs.site.storage;
    let if_unchanged = |report| {
        let sync = SyncCommand { via: Via::DirectIfUnchanged, ..Arc::unwrap_or_clone(jobs.sync(report)) };
        async { storage.apply_sync(Arc::new(sync)).await.unwrap() }
    };
    let mut raw = database.raw().await;
    let before = raw.row_counts().await;
    assert_eq!(if_unchanged(jobs.full_at(1)).await, SyncResult::MustQueue);
    assert_eq!(raw.row_counts().await, before);
    jobs.direct(jobs.full_at(1)).await;
    let same = report(Scope::Full, jobs.at(2), content("1.0.1"));
    assert!(matches!(if_unchanged(same).await, SyncResult::Applied(_)));
    assert!(matches!(if_unchanged(jobs.full_at(1)).await, SyncResult::Refused(Refusal::Stale { .. })));
    assert_eq!(if_unchanged(jobs.partial_at(3)).await, SyncResult::MustQueue, "partial reports are always compared");
    let other_core = report(Scope::Full, jobs.at(3), modules("m", 3, "1.0.1"));
    assert_eq!(if_unchanged(other_core).await, SyncResult::MustQueue);
}

async fn nothing_is_superseded_at_the_door(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let older = [jobs.partial_at(5), jobs.full_at(6), jobs.lenient_at(7), jobs.full_at(9)];
    let mut accepted = Vec::new();
    for report in older {
        accepted.push(jobs.queued(report).await);
    }
    // Also what is older than a full report that waits: that one may still be refused, or die.
    accepted.push(jobs.queued(jobs.partial_at(8)).await);
    for sync in &accepted {
        assert_eq!(jobs.job(sync).await.state, JobState::Queued);
        let payload = jobs.site.storage.job_payload(sync.sync_id).await.unwrap();
        assert!(payload.is_some(), "it is kept until its own job has ended");
    }
    let pending = jobs.pending();
    assert_eq!(database.raw().await.number(&pending).await, 5);
}

async fn what_would_be_stale_in_its_turn_is_refused_at_the_door(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let now = jobs.at(3600);
    jobs.direct(jobs.full_at(10)).await;
    let mut raw = database.raw().await;
    let before = raw.row_counts().await;
    let stale = |second| Enqueued::Refused(Refusal::Stale { last_applied: jobs.at(second) });
    assert_eq!(jobs.offer(&jobs.sync(jobs.partial_at(9)), ROOMY).await, stale(10));
    assert_eq!(raw.row_counts().await, before);
    let ahead = jobs.queued(jobs.partial_at(20)).await;
    jobs.queued(jobs.partial_at(15)).await;
    let first = take(&*jobs.site.storage, "w", now).await;
    assert_ne!(first.lease.id, ahead.sync_id, "its turn is later, although it came first");
    assert_eq!(
        jobs.offer(&jobs.sync(jobs.partial_at(14)), ROOMY).await,
        stale(15),
        "one that runs cannot be overtaken"
    );
    jobs.queued(jobs.partial_at(15)).await;
}

async fn what_is_older_than_a_running_full_report_is_accepted(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let now = jobs.at(3600);
    for (second, dies) in [(10, true), (20, false)] {
        let full = jobs.queued(jobs.full_at(second)).await;
        let running = take(storage, "w", now).await;
        let older = jobs.queued(jobs.partial_at(second - 1)).await;
        if dies {
            storage.leave(running.lease, give_up("it cannot be read"), now).await.unwrap();
            complete(&jobs, &older, now).await;
        } else {
            assert!(matches!(run(storage, &running, &full, now).await, SyncResult::Applied(_)));
            assert_eq!(jobs.state(&older).await, (JobState::Superseded, because("newer-full-report")));
        }
        nothing_to_take(storage, now).await;
    }
}

async fn sites_that_may_not_report_queue_nothing(database: TestDatabase) {
    let storage = database.open().await;
    let jobs = Jobs::new(&storage, "Site").await;
    let mut raw = database.raw().await;
    jobs.site.set(&mut raw, "active = false").await;
    let inactive = jobs.offer(&jobs.sync(jobs.full_at(1)), ROOMY).await;
    assert_eq!(inactive, Enqueued::Refused(Refusal::InactiveSite));
    let nowhere = command(NOBODY, jobs.at(3600), jobs.full_at(1));
    assert_eq!(jobs.offer(&nowhere, ROOMY).await, Enqueued::Refused(Refusal::UnknownSite));
    assert_eq!(raw.number("SELECT count(*) FROM jobs").await, 0);
}

async fn the_queue_is_bounded(database: TestDatabase) {
    let storage = database.open().await;
    let (one, two) = (Jobs::new(&storage, "One").await, Jobs::new(&storage, "Two").await);
    let first = one.queued(one.partial_at(1)).await;
    one.queued(one.partial_at(2)).await;
    let mut raw = database.raw().await;
    let before = raw.row_counts().await;
    let sync = two.sync(two.full_at(1));
    // A payload has seven bytes.
    let fits = QueueBounds { jobs: 3, bytes: 21 };
    for tight in [QueueBounds { jobs: 2, ..fits }, QueueBounds { bytes: 20, ..fits }] {
        assert_eq!(two.offer(&sync, tight).await, Enqueued::Full);
    }
    assert_eq!(raw.row_counts().await, before);
    let running = take(&*storage, "w", one.at(3600)).await;
    assert_eq!(two.offer(&sync, QueueBounds { jobs: 2, ..fits }).await, Enqueued::Full, "what runs counts, too");
    run(&*storage, &running, &first, one.at(3600)).await;
    assert_eq!(two.offer(&sync, QueueBounds { jobs: 2, ..fits }).await, Enqueued::Accepted(JobState::Queued));
    assert_eq!(two.offer(&sync, QueueBounds { jobs: 0, bytes: 0 }).await, Enqueued::Accepted(JobState::Queued));
}

/// The sync under an idempotency key, of the body that `body` stands for.
fn keyed(sync: &SyncCommand, body: u8) -> Arc<SyncCommand> {
    let key = IdempotencyKey { key: "cron".to_owned(), body_hash: [body; 32] };
    Arc::new(SyncCommand { idempotency: Some(key), ..sync.clone() })
}

async fn an_idempotency_key_stands_for_a_job_too(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let first = keyed(&jobs.sync(jobs.full_at(1)), 1);
    assert_eq!(jobs.offer(&first, ROOMY).await, Enqueued::Accepted(JobState::Queued));
    let again = keyed(&jobs.sync(jobs.full_at(1)), 1);
    let other = keyed(&jobs.sync(jobs.full_at(2)), 2);
    let Enqueued::Waiting(job) = jobs.offer(&again, ROOMY).await else { panic!("not the same") };
    assert_eq!((job.id, job.state), (first.sync_id, JobState::Queued));
    let SyncResult::Waiting(job) = storage.apply_sync(Arc::clone(&again)).await.unwrap() else {
        panic!("not the same")
    };
    assert_eq!(job.id, first.sync_id);
    let reused = Refusal::IdempotencyKeyReused;
    assert_eq!(jobs.offer(&other, ROOMY).await, Enqueued::Refused(reused.clone()));
    assert_eq!(storage.apply_sync(Arc::clone(&other)).await.unwrap(), SyncResult::Refused(reused));

    let outcome = complete(&jobs, &first, first.received_at).await;
    assert_eq!(jobs.offer(&again, ROOMY).await, Enqueued::Replayed(outcome.clone()));
    assert_eq!(
        storage.apply_sync(again).await.unwrap(),
        SyncResult::Replayed(outcome),
        "the key was stored with the job"
    );
    assert_eq!(database.raw().await.number("SELECT count(*) FROM jobs").await, 1);
}

async fn of_many_at_once_under_one_key_one_is_queued(database: TestDatabase) {
    let jobs = Jobs::new(&database.open_with(patient(10)).await, "Site").await;
    let copies: Vec<_> = (0..10).map(|_| keyed(&jobs.sync(jobs.full_at(1)), 1)).collect();
    let results = join_all(copies.iter().map(|copy| jobs.offer(copy, ROOMY))).await;
    let accepted = results.iter().filter(|result| matches!(result, Enqueued::Accepted(JobState::Queued))).count();
    let waiting = results.iter().filter(|result| matches!(result, Enqueued::Waiting(_))).count();
    assert_eq!((accepted, waiting), (1, 9), "{results:#?}");
    let mut raw = database.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM jobs").await, 1);
    let pending = jobs.pending();
    assert_eq!(raw.number(&pending).await, 1);
}

async fn the_audit_log_shows_what_waits_and_what_failed(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let mut expected = Vec::new();
    for n in 0..4 {
        // Later ones have greater ids.
        let at = jobs.at(3600 + n);
        let sync = SyncCommand {
            sync_id: SyncId(module_monitor_ingestion::uuid_at(at)),
            received_at: at,
            ..Arc::unwrap_or_clone(jobs.sync(jobs.partial_at(n)))
        };
        let sync = Arc::new(sync);
        assert_eq!(jobs.offer(&sync, ROOMY).await, Enqueued::Accepted(JobState::Queued));
        expected.push(sync);
    }
    let now = jobs.at(4000);
    complete(&jobs, &expected[0], now).await;
    let running = take(storage, "w", now).await;
    storage.leave(running.lease, super::support::give_up("no"), now + Duration::SECOND).await.unwrap();
    let page = Page { limit: 3, after: None };
    let records = storage.site_syncs(jobs.site.id, page).await.unwrap();
    let shown: Vec<_> = records
        .iter()
        .map(|record| match record {
            SyncRecord::Queued(job) => (job.id, job.state),
            SyncRecord::Applied(sync) => (sync.outcome.sync_id, JobState::Succeeded),
            SyncRecord::Rejected(_) => panic!("nothing was rejected"),
        })
        .collect();
    let ids: Vec<_> = expected.iter().rev().map(|sync| sync.sync_id).collect();
    assert_eq!(shown, [(ids[0], JobState::Queued), (ids[1], JobState::Queued), (ids[2], JobState::Dead)]);
    let rest = Page { limit: 3, after: records.last().map(SyncRecord::id) };
    let rest = storage.site_syncs(jobs.site.id, rest).await.unwrap();
    assert!(matches!(&rest[..], [SyncRecord::Applied(sync)] if sync.outcome.sync_id == ids[3]), "{rest:#?}");
}

//! What becomes of jobs that could not be applied, and of the queue's own records.

use module_monitor_domain::SyncId;
use module_monitor_storage::{Cutoff, JobState, Page, Storage, SyncCommand, SyncResult};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::support::{keep_from, prune_all};

use super::support::{Jobs, LEASE, because, complete, give_up, nothing_to_take, retry, run, take};

on_both_backends!(
    a_dead_letter_keeps_everything,
    a_dead_letter_is_retried,
    a_dead_letter_that_has_been_overtaken_is_superseded,
    one_that_is_overtaken_after_its_retry_is_superseded,
    a_dead_letter_is_discarded,
    only_dead_letters_are_retried_or_discarded,
    figures_tell_how_the_queue_is_doing,
    workers_show_that_they_live,
    old_jobs_are_removed_and_waiting_ones_are_not,
    dead_letters_are_removed_after_a_time_of_their_own,
);

/// A job that has failed for good.
async fn dead(jobs: &Jobs, second: i64, now: OffsetDateTime) -> std::sync::Arc<SyncCommand> {
    let sync = jobs.queued(jobs.partial_at(second)).await;
    let lease = take(&*jobs.site.storage, "w", now).await.lease;
    let left = jobs.site.storage.leave(lease, give_up("it cannot be read"), now).await.unwrap();
    assert_eq!(left, Some(JobState::Dead));
    sync
}

async fn letters(storage: &dyn Storage) -> Vec<SyncId> {
    let all = Page { limit: 100, after: None };
    storage.dead_letters(all).await.unwrap().into_iter().map(|job| job.id).collect()
}

async fn a_dead_letter_keeps_everything(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let now = jobs.at(3600);
    let sync = jobs.queued(jobs.partial_at(1)).await;
    let first = take(storage, "w1", now).await;
    storage.leave(first.lease, retry("busy", now), now).await.unwrap();
    take(storage, "w2", now).await;
    let third = take(storage, "w3", now + LEASE).await;
    storage.leave(third.lease, give_up("it cannot be read"), now + LEASE).await.unwrap();
    let job = jobs.job(&sync).await;
    assert_eq!((job.state, job.reason.clone(), job.attempts), (JobState::Dead, because("unreadable"), 3));
    assert_eq!((job.finished_at, job.last_error.as_deref()), (Some(now + LEASE), Some("it cannot be read")));
    assert_eq!(storage.job_payload(sync.sync_id).await.unwrap().as_deref(), Some(&b"payload"[..]));
    let errors = storage.job_errors(sync.sync_id).await.unwrap();
    let told: Vec<_> = errors.iter().map(|e| (e.attempt, e.worker.as_deref().unwrap(), e.lost)).collect();
    assert_eq!(told, [(1, "w1", false), (2, "w2", true), (3, "w3", false)]);
    assert_eq!(errors[0].message, "busy");

    let (one, two) = (dead(&jobs, 2, now + LEASE).await, dead(&jobs, 3, now + LEASE).await);
    let mut expected = [sync.sync_id, one.sync_id, two.sync_id];
    expected.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(letters(storage).await, expected);
    let page = storage.dead_letters(Page { limit: 1, after: Some(expected[0].0) }).await.unwrap();
    assert_eq!(page.iter().map(|job| job.id).collect::<Vec<_>>(), expected[1..2]);
}

async fn a_dead_letter_is_retried(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let now = jobs.at(3600);
    let sync = dead(&jobs, 1, now).await;
    assert!(matches!(jobs.direct(jobs.full_at(1)).await, SyncResult::Applied(_)), "as new as the dead letter");
    let retried = storage.retry_dead_letter(sync.sync_id, now, "key 7").await.unwrap();
    assert_eq!(retried, Some(JobState::Queued));
    let job = jobs.job(&sync).await;
    assert_eq!((job.state, job.attempts, job.retried, job.reason), (JobState::Queued, 0, true, None));
    assert_eq!(jobs.direct(jobs.full_at(2)).await, SyncResult::MustQueue, "it has its place in the queue again");
    complete(&jobs, &sync, now).await;
    assert!(letters(storage).await.is_empty());
    let events = storage.admin_events(Page { limit: 1, after: None }).await.unwrap();
    let event = &events[0];
    assert_eq!((event.actor.as_str(), event.action.as_str(), event.at), ("key 7", "job.retried", now));
    assert_eq!((event.site_id, event.target.clone()), (Some(jobs.site.id), sync.sync_id.to_string()));
}

async fn a_dead_letter_that_has_been_overtaken_is_superseded(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let now = jobs.at(3600);
    let (first, second) = (dead(&jobs, 1, now).await, dead(&jobs, 5, now).await);
    jobs.direct(jobs.partial_at(2)).await;
    let retried = storage.retry_dead_letter(first.sync_id, now, "a").await.unwrap();
    assert_eq!(retried, Some(JobState::Superseded));
    assert_eq!(jobs.state(&first).await, (JobState::Superseded, because("newer-report-applied")));
    assert_eq!(storage.job_payload(first.sync_id).await.unwrap(), None);
    // A full report that waits may still be refused, or die.
    let waiting = jobs.queued(jobs.full_at(6)).await;
    let retried = storage.retry_dead_letter(second.sync_id, now, "a").await.unwrap();
    assert_eq!(retried, Some(JobState::Queued));
    complete(&jobs, &waiting, now).await;
    assert_eq!(jobs.state(&second).await, (JobState::Superseded, because("newer-full-report")));
    nothing_to_take(storage, now).await;
}

async fn one_that_is_overtaken_after_its_retry_is_superseded(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let now = jobs.at(3600);
    let sync = dead(&jobs, 1, now).await;
    let newer = jobs.queued(jobs.partial_at(2)).await;
    let running = take(storage, "w", now).await;
    assert_eq!(storage.retry_dead_letter(sync.sync_id, now, "a").await.unwrap(), Some(JobState::Queued));
    nothing_to_take(storage, now).await;
    assert!(matches!(run(storage, &running, &newer, now).await, SyncResult::Applied(_)));
    let late = take(storage, "w", now).await;
    assert!(matches!(run(storage, &late, &sync, now).await, SyncResult::Refused(_)));
    assert_eq!(jobs.state(&sync).await, (JobState::Superseded, because("newer-report-applied")));
}

async fn a_dead_letter_is_discarded(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let now = jobs.at(3600);
    let sync = dead(&jobs, 1, now).await;
    assert!(storage.discard_dead_letter(sync.sync_id, now, "key 7").await.unwrap());
    assert_eq!(jobs.state(&sync).await, (JobState::Failed, because("discarded")));
    assert_eq!(storage.job_payload(sync.sync_id).await.unwrap(), None);
    assert!(letters(storage).await.is_empty());
    let events = storage.admin_events(Page { limit: 1, after: None }).await.unwrap();
    assert_eq!((events[0].action.as_str(), events[0].target.clone()), ("job.discarded", sync.sync_id.to_string()));
}

async fn only_dead_letters_are_retried_or_discarded(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let now = jobs.at(3600);
    let queued = jobs.queued(jobs.partial_at(3)).await;
    let done = jobs.queued(jobs.partial_at(1)).await;
    complete(&jobs, &done, now).await;
    let mut raw = database.raw().await;
    let before = raw.row_counts().await;
    for id in [queued.sync_id, done.sync_id, SyncId(Uuid::new_v4())] {
        assert_eq!(storage.retry_dead_letter(id, now, "a").await.unwrap(), None);
        assert!(!storage.discard_dead_letter(id, now, "a").await.unwrap());
    }
    assert_eq!(raw.row_counts().await, before);
}

async fn figures_tell_how_the_queue_is_doing(database: TestDatabase) {
    let storage = database.open().await;
    let (one, two) = (Jobs::new(&storage, "One").await, Jobs::new(&storage, "Two").await);
    let (received, now) = (one.at(3600), one.at(3601));
    dead(&one, 1, now).await;
    let failed = take_after(&one, 2, now).await;
    storage.leave(failed, retry("busy", now + Duration::MINUTE), now).await.unwrap();
    one.queued(one.partial_at(3)).await;
    take_after(&two, 1, now).await;
    let figures = storage.queue_figures(now, now).await.unwrap();
    assert_eq!((figures.queued, figures.waiting, figures.running, figures.dead), (2, 1, 1, 1));
    assert_eq!((figures.bytes, figures.oldest), (21, Some(received)));
    assert_eq!((figures.failures, figures.reclaims, figures.workers), (2, 0, 0));
    let later = storage.queue_figures(now + Duration::HOUR, now).await.unwrap();
    assert_eq!((later.queued, later.waiting), (2, 0), "due again");
}

/// Queues a partial report and takes it.
async fn take_after(jobs: &Jobs, second: i64, now: OffsetDateTime) -> module_monitor_storage::JobLease {
    jobs.queued(jobs.partial_at(second)).await;
    take(&*jobs.site.storage, "w", now).await.lease
}

async fn workers_show_that_they_live(database: TestDatabase) {
    let storage = database.open().await;
    let start = Jobs::new(&storage, "Clock").await.epoch;
    let later = start + Duration::MINUTE;
    assert_eq!(storage.live_workers(start).await.unwrap(), 0);
    for worker in ["a", "b", "c"] {
        storage.worker_seen(worker, later).await.unwrap();
    }
    storage.worker_seen("a", later + Duration::MINUTE).await.unwrap();
    assert_eq!(storage.live_workers(start).await.unwrap(), 3);
    assert_eq!(storage.live_workers(later).await.unwrap(), 1);
    storage.worker_gone("c", start).await.unwrap();
    assert_eq!(storage.live_workers(start).await.unwrap(), 2);
    storage.worker_gone("nobody", later + Duration::SECOND).await.unwrap();
    assert_eq!(storage.live_workers(start).await.unwrap(), 1, "old ones are forgotten by others");
}

async fn old_jobs_are_removed_and_waiting_ones_are_not(database: TestDatabase) {
    let storage = database.open().await;
    let (jobs, other) = (Jobs::new(&storage, "Site").await, Jobs::new(&storage, "Other").await);
    let now = jobs.at(3600);
    let letter = dead(&jobs, 1, now).await;
    let done = jobs.queued(jobs.partial_at(2)).await;
    complete(&jobs, &done, now).await;
    let waiting = jobs.queued(jobs.partial_at(3)).await;
    let running = other.queued(other.full_at(1)).await;
    let mut claimed = take(&*storage, "w", now).await;
    if claimed.lease.id != running.sync_id {
        claimed = take(&*storage, "w", now).await;
    }
    assert!(storage.renew(claimed.lease, now).await.unwrap());
    assert_eq!(prune_all(&*storage, keep_from(now, now)).await, [], "everything is as new as that");
    let later = Cutoff { audit: now + Duration::DAY, ..keep_from(now, now) };
    let removed = prune_all(&*storage, later).await;
    assert_eq!(removed, [("syncs", 1), ("jobs", 1)]);
    assert_eq!(storage.find_job(done.sync_id).await.unwrap(), None);
    assert_eq!(letters(&*storage).await, [letter.sync_id], "somebody has to decide");
    for sync in [&waiting, &running] {
        assert!(storage.find_job(sync.sync_id).await.unwrap().is_some());
    }
}

async fn dead_letters_are_removed_after_a_time_of_their_own(database: TestDatabase) {
    let storage = database.open().await;
    let jobs = Jobs::new(&storage, "Site").await;
    let now = jobs.at(3600);
    let mut dead_ones = Vec::new();
    for n in 0..3 {
        dead_ones.push(dead(&jobs, n, now + Duration::minutes(n)).await.sync_id);
    }
    let waiting = jobs.queued(jobs.partial_at(9)).await;
    let figures = storage.queue_figures(now, now).await.unwrap();
    assert_eq!((figures.dead, figures.oldest_dead), (3, Some(now)));
    assert_eq!(storage.expire_dead_letters(now, 10).await.unwrap(), [], "none is older than that");
    let before = now + Duration::minutes(2);
    let [first] = &storage.expire_dead_letters(before, 1).await.unwrap()[..] else { panic!("one at a time") };
    assert_eq!((first.id, first.site_id, first.died_at), (dead_ones[0], jobs.site.id, Some(now)));
    assert_eq!(first.reason, because("unreadable"));
    assert_eq!(storage.expire_dead_letters(before, 10).await.unwrap().len(), 1);
    assert_eq!(letters(&*storage).await, dead_ones[2..]);
    assert!(storage.find_job(waiting.sync_id).await.unwrap().is_some());
    assert_eq!(database.raw().await.number("SELECT count(*) FROM job_errors").await, 1, "theirs went with them");
}

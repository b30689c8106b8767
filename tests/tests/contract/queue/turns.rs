//! Whose turn it is.

use futures::future::join_all;
use module_monitor_domain::Scope;
use module_monitor_storage::{Claim, JobState, SiteBounds, StorageOptions, SyncResult};
use module_monitor_tests::backends::{Backend, TestDatabase, patient};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{modules, report};
use time::Duration;

use super::support::{Jobs, LEASE, because, claim, complete, nothing_to_take, retry, run, take};

on_both_backends!(
    jobs_of_a_site_have_their_turns_by_time_stamp_then_acceptance,
    sites_have_their_turns_by_acceptance,
    one_job_of_a_site_runs_at_a_time,
    a_job_that_waits_for_its_next_attempt_keeps_its_turn,
    a_site_that_is_not_active_is_passed_over,
    a_site_that_has_changed_too_much_waits_in_the_queue,
    a_lease_that_has_ended_is_taken_over,
    a_lease_that_is_renewed_is_not,
    a_job_that_loses_its_workers_is_dead_after_its_attempts,
    many_workers_take_every_job_once,
);

async fn jobs_of_a_site_have_their_turns_by_time_stamp_then_acceptance(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let third = jobs.queued(jobs.partial_at(30)).await;
    let first = jobs.queued(jobs.partial_at(10)).await;
    let fourth = jobs.queued(jobs.partial_at(30)).await;
    let second = jobs.queued(jobs.partial_at(20)).await;
    for sync in [&first, &second, &third, &fourth] {
        complete(&jobs, sync, first.received_at).await;
    }
    nothing_to_take(&*jobs.site.storage, first.received_at).await;
    let versions: Vec<_> = jobs.site.history("p_0000").await.into_iter().map(|(_, _, to)| to.unwrap()).collect();
    assert_eq!(versions, ["1.0.10", "1.0.20", "1.0.30"]);
}

async fn sites_have_their_turns_by_acceptance(database: TestDatabase) {
    let storage = database.open().await;
    let mut expected = Vec::new();
    for n in 0..5 {
        let mut jobs = Jobs::new(&storage, &format!("Site {n}")).await;
        // Received one after the other, reports made in the opposite order.
        jobs.epoch += Duration::seconds(n);
        expected.push(jobs.queued(jobs.full_at(100 - 10 * n)).await.sync_id);
    }
    let now = Jobs::new(&storage, "Clock").await.at(4000);
    let mut taken = Vec::new();
    for _ in 0..5 {
        taken.push(take(&*storage, "w", now).await.lease.id);
    }
    assert_eq!(taken, expected);
    nothing_to_take(&*storage, now).await;
}

async fn one_job_of_a_site_runs_at_a_time(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let now = jobs.at(3600);
    let first = jobs.queued(jobs.partial_at(1)).await;
    let second = jobs.queued(jobs.partial_at(2)).await;
    let running = take(storage, "w1", now).await;
    assert_eq!(running.lease.id, first.sync_id);
    nothing_to_take(storage, now).await;
    assert_eq!(jobs.job(&first).await.worker.as_deref(), Some("w1"));
    assert!(matches!(run(storage, &running, &first, now).await, SyncResult::Applied(_)));
    complete(&jobs, &second, now).await;
}

async fn a_job_that_waits_for_its_next_attempt_keeps_its_turn(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let now = jobs.at(3600);
    let first = jobs.queued(jobs.partial_at(1)).await;
    let second = jobs.queued(jobs.partial_at(2)).await;
    let running = take(storage, "w", now).await;
    let due_at = now + Duration::MINUTE;
    let left = storage.leave(running.lease, retry("the database is gone", due_at), now).await.unwrap();
    assert_eq!(left, Some(JobState::Queued));
    nothing_to_take(storage, due_at - Duration::MICROSECOND).await;
    let job = jobs.job(&first).await;
    assert_eq!((job.attempts, job.due_at, job.worker), (1, due_at, None));
    assert_eq!(job.last_error.as_deref(), Some("the database is gone"));
    complete(&jobs, &first, due_at).await;
    assert_eq!(jobs.job(&first).await.attempts, 2);
    complete(&jobs, &second, due_at).await;
}

async fn a_site_that_is_not_active_is_passed_over(database: TestDatabase) {
    let storage = database.open().await;
    let (held, other) = (Jobs::new(&storage, "Held").await, Jobs::new(&storage, "Other").await);
    let now = held.at(3600);
    let waiting = held.queued(held.full_at(1)).await;
    let second = other.queued(other.full_at(1)).await;
    let mut raw = database.raw().await;
    held.site.set(&mut raw, "active = false").await;
    complete(&other, &second, now).await;
    nothing_to_take(&*storage, now).await;
    assert_eq!(held.job(&waiting).await.state, JobState::Queued);

    // One that runs while its site is deactivated is held as well, and the attempt does not count.
    held.site.set(&mut raw, "active = true").await;
    let running = take(&*storage, "w", now).await;
    held.site.set(&mut raw, "active = false").await;
    assert!(matches!(run(&*storage, &running, &waiting, now).await, SyncResult::Refused(_)));
    let job = held.job(&waiting).await;
    assert_eq!((job.state, job.attempts), (JobState::Queued, 0));
    nothing_to_take(&*storage, now).await;
    held.site.set(&mut raw, "active = true").await;
    complete(&held, &waiting, now).await;
}

async fn a_site_that_has_changed_too_much_waits_in_the_queue(database: TestDatabase) {
    let site_bounds = SiteBounds { changes_a_minute: 10, ..SiteBounds::default() };
    let storage = database.open_with(StorageOptions { site_bounds, ..patient(2) }).await;
    let (jobs, other) = (Jobs::new(&storage, "Busy").await, Jobs::new(&storage, "Other").await);
    let full = |second, version| report(Scope::Full, jobs.at(second), modules("m", 12, version));
    let is_applied = |result: &SyncResult| matches!(result, SyncResult::Applied(_));
    assert!(is_applied(&jobs.direct(full(1, "1.0.0")).await), "twelve changes take 72 seconds, of which 60 are free");
    assert!(is_applied(&jobs.direct(full(2, "1.0.0")).await), "what is unchanged does not wait");
    assert!(is_applied(&other.direct(other.full_at(1)).await), "nor does another site");
    assert_eq!(jobs.direct(full(3, "2.0.0")).await, SyncResult::MustQueue);

    let sync = jobs.queued(full(3, "2.0.0")).await;
    nothing_to_take(&*storage, sync.received_at + Duration::seconds(11)).await;
    complete(&jobs, &sync, sync.received_at + Duration::seconds(12)).await;
    let next = jobs.queued(full(4, "3.0.0")).await;
    nothing_to_take(&*storage, sync.received_at + Duration::seconds(83)).await;
    complete(&jobs, &next, sync.received_at + Duration::seconds(84)).await;

    // A clock that was set back by a day.
    let far = match database.backend() {
        Backend::Postgres => "now() + interval '300 days'",
        Backend::Sqlite => "unixepoch('now', '300 days') * 1000000",
    };
    jobs.site.set(&mut database.raw().await, &format!("busy_until = {far}")).await;
    assert!(is_applied(&jobs.direct(full(5, "4.0.0")).await));
}

async fn a_lease_that_has_ended_is_taken_over(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let (start, end) = (jobs.at(3600), jobs.at(3600) + LEASE);
    let sync = jobs.queued(jobs.full_at(1)).await;
    let lost = take(storage, "killed", start).await;
    nothing_to_take(storage, end - Duration::MICROSECOND).await;
    let taken = take(storage, "w2", end).await;
    assert_eq!((taken.lease.id, taken.reclaimed, taken.attempts), (lost.lease.id, true, 2));
    assert!(taken.lease.token > lost.lease.token);
    let errors = storage.job_errors(sync.sync_id).await.unwrap();
    let [error] = &errors[..] else { panic!("{errors:#?}") };
    assert_eq!((error.attempt, error.worker.as_deref(), error.lost), (1, Some("killed"), true));
    assert_eq!(error.at, end);
    assert_eq!(storage.queue_figures(end, end).await.unwrap().reclaims, 1);
}

async fn a_lease_that_is_renewed_is_not(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let end = jobs.at(3600) + LEASE;
    let sync = jobs.queued(jobs.full_at(1)).await;
    let first = take(storage, "w", jobs.at(3600)).await;
    assert!(storage.renew(first.lease, end + LEASE).await.unwrap());
    nothing_to_take(storage, end).await;
    let second = take(storage, "w2", end + LEASE).await;
    assert!(!storage.renew(first.lease, end + LEASE + LEASE).await.unwrap(), "it is another's");
    assert!(storage.renew(second.lease, end + LEASE + LEASE).await.unwrap());
    assert!(matches!(run(storage, &second, &sync, end + LEASE).await, SyncResult::Applied(_)));
    assert!(!storage.renew(second.lease, end + LEASE + LEASE).await.unwrap(), "it is done");
}

async fn a_job_that_loses_its_workers_is_dead_after_its_attempts(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let poison = jobs.queued(jobs.partial_at(1)).await;
    let next = jobs.queued(jobs.partial_at(2)).await;
    let mut now = jobs.at(3600);
    for attempt in 1..=3 {
        let taken = take(storage, &format!("w{attempt}"), now).await;
        assert_eq!((taken.lease.id, taken.attempts), (poison.sync_id, attempt));
        now += LEASE;
    }
    let ended = claim(storage, "w4", now).await;
    assert_eq!(ended, Claim::Dead(poison.sync_id, jobs.site.id));
    assert_eq!(jobs.state(&poison).await, (JobState::Dead, because("attempts-used-up")));
    let workers: Vec<_> = storage.job_errors(poison.sync_id).await.unwrap();
    let workers: Vec<_> = workers.iter().map(|error| (error.attempt, error.worker.as_deref().unwrap())).collect();
    assert_eq!(workers, [(1, "w1"), (2, "w2"), (3, "w3")]);
    assert!(storage.job_payload(poison.sync_id).await.unwrap().is_some(), "dead letters keep it");
    complete(&jobs, &next, now).await;
}

async fn many_workers_take_every_job_once(database: TestDatabase) {
    let storage = database.open_with(patient(8)).await;
    let mut sites = Vec::new();
    for n in 0..10 {
        let jobs = Jobs::new(&storage, &format!("Site {n}")).await;
        for second in 1..=3 {
            jobs.queued(jobs.partial_at(second)).await;
        }
        sites.push(jobs);
    }
    let now = sites[0].at(3600);
    let work = (0..8).map(|n| {
        let storage = &storage;
        async move {
            let mut done = Vec::new();
            loop {
                let job = match claim(&**storage, &format!("w{n}"), now).await {
                    Claim::Job(job) => job,
                    Claim::Nothing if storage.queue_figures(now, now).await.unwrap().queued == 0 => return done,
                    _ => continue,
                };
                let left = storage.leave(job.lease, super::support::give_up("done"), now).await.unwrap();
                assert_eq!(left, Some(JobState::Dead));
                done.push(job.lease.id);
            }
        }
    });
    let mut done: Vec<_> = join_all(work).await.into_iter().flatten().collect();
    done.sort_unstable();
    done.dedup();
    assert_eq!(done.len(), 30);
    let figures = storage.queue_figures(now, now).await.unwrap();
    assert_eq!((figures.dead, figures.failures, figures.reclaims), (30, 30, 0));
}

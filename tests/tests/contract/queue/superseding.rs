//! The newest full report with nothing rejected goes first, and takes the place of the older ones once it has been
//! applied; until then they count.

use module_monitor_domain::{Refusal, Scope, SiteIdentity, SiteInfo};
use module_monitor_storage::{JobState, SyncCommand, SyncResult};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{module, modules, report, report_of};
use time::Duration;

use super::support::{Jobs, LEASE, because, complete, content, give_up, nothing_to_take, retry, run, take};

on_both_backends!(
    the_newest_full_report_goes_first_and_supersedes_when_it_is_applied,
    a_newer_full_report_overtakes_one_that_fails,
    a_newer_full_report_overtakes_one_that_loses_its_workers,
    what_is_before_a_full_report_that_dies_is_applied,
    what_is_before_a_full_report_that_is_refused_is_applied,
    what_is_before_a_full_report_that_waits_may_be_applied_and_what_is_after_it_waits,
    what_is_not_whole_supersedes_nothing,
    an_unchanged_full_report_supersedes_too,
    a_report_as_new_as_the_full_one_is_applied_after_it,
    dead_letters_are_not_superseded,
);

async fn superseded(jobs: &Jobs, sync: &SyncCommand) {
    assert_eq!(jobs.state(sync).await, (JobState::Superseded, because("newer-full-report")));
    assert!(jobs.job(sync).await.finished_at.is_some());
    assert_eq!(jobs.site.storage.job_payload(sync.sync_id).await.unwrap(), None, "nobody needs it any more");
}

async fn the_newest_full_report_goes_first_and_supersedes_when_it_is_applied(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let mut other = Jobs::new(&jobs.site.storage, "Other").await;
    // Its turn comes last.
    other.epoch += Duration::MINUTE;
    let now = jobs.at(3700);
    let newest = jobs.queued(jobs.full_at(9)).await;
    let older = [
        jobs.queued(jobs.partial_at(5)).await,
        jobs.queued(jobs.full_at(6)).await,
        jobs.queued(jobs.partial_at(7)).await,
        jobs.queued(jobs.lenient_at(8)).await,
    ];
    let newer = [jobs.queued(jobs.lenient_at(11)).await, jobs.queued(jobs.partial_at(10)).await];
    let bystander = other.queued(other.full_at(1)).await;
    let running = take(storage, "w", now).await;
    assert_eq!(running.lease.id, newest.sync_id);
    for sync in &older {
        assert_eq!(jobs.job(sync).await.state, JobState::Queued, "it may still be refused");
    }
    assert!(matches!(run(storage, &running, &newest, now).await, SyncResult::Applied(_)));
    for sync in &older {
        superseded(&jobs, sync).await;
    }
    let pending = jobs.pending();
    assert_eq!(database.raw().await.number(&pending).await, 2);
    assert_eq!(other.job(&bystander).await.state, JobState::Queued);
    complete(&jobs, &newer[1], now).await;
    complete(&jobs, &newer[0], now).await;
    complete(&other, &bystander, now).await;
    nothing_to_take(storage, now).await;
}

async fn a_newer_full_report_overtakes_one_that_fails(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let now = jobs.at(3600);
    for (second, report) in [(10, jobs.full_at(10)), (20, jobs.partial_at(20))] {
        let poison = jobs.queued(report).await;
        let running = take(storage, "w", now).await;
        let good = jobs.queued(jobs.full_at(second + 1)).await;
        nothing_to_take(storage, now).await;
        let left = storage.leave(running.lease, retry("no", now + Duration::HOUR), now).await.unwrap();
        assert_eq!(left, Some(JobState::Queued));
        complete(&jobs, &good, now).await;
        superseded(&jobs, &poison).await;
        nothing_to_take(storage, now + Duration::HOUR).await;
    }
}

async fn a_newer_full_report_overtakes_one_that_loses_its_workers(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let now = jobs.at(3600);
    let poison = jobs.queued(jobs.full_at(1)).await;
    take(storage, "killed", now).await;
    let good = jobs.queued(jobs.full_at(2)).await;
    let running = take(storage, "w", now + LEASE).await;
    assert_eq!((running.lease.id, running.reclaimed), (good.sync_id, false));
    let job = jobs.job(&poison).await;
    assert_eq!((job.state, job.attempts, job.worker), (JobState::Queued, 1, None));
    assert!(storage.job_errors(poison.sync_id).await.unwrap()[0].lost);
    // The other one dies: now it is the poisoned one's turn again, and it is known for what it did.
    storage.leave(running.lease, give_up("no"), now + LEASE).await.unwrap();
    let again = take(storage, "w", now + LEASE).await;
    assert_eq!((again.lease.id, again.reclaimed, again.attempts), (poison.sync_id, true, 2));
}

async fn what_is_before_a_full_report_that_dies_is_applied(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let now = jobs.at(3600);
    let full = jobs.queued(jobs.full_at(1)).await;
    let partial = jobs.queued(jobs.partial_at(2)).await;
    let dying = jobs.queued(jobs.full_at(3)).await;
    let running = take(storage, "w", now).await;
    assert_eq!(running.lease.id, dying.sync_id);
    storage.leave(running.lease, give_up("it cannot be read"), now).await.unwrap();
    complete(&jobs, &full, now).await;
    complete(&jobs, &partial, now).await;
    assert_eq!(jobs.site.present().await, ["m_0000 1.0.1", "m_0001 1.0.1", "p_0000 1.0.2"]);
}

async fn what_is_before_a_full_report_that_is_refused_is_applied(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let now = jobs.at(3600);
    let from = |scope, second: i64, environment: &str, modules| {
        let identity = SiteIdentity { environment: Some(environment.to_owned()), url: None };
        report_of(scope, jobs.at(second), "10.3.6", SiteInfo { json: "{}".to_owned(), identity }, modules)
    };
    assert!(matches!(jobs.direct(from(Scope::Full, 1, "prod", content("1.0.0"))).await, SyncResult::Applied(_)));
    let full = jobs.queued(from(Scope::Full, 2, "prod", content("1.0.2"))).await;
    let partial = jobs.queued(from(Scope::Partial, 3, "prod", modules("p", 1, "1.0.3"))).await;
    let copy = jobs.queued(from(Scope::Full, 4, "dev", content("9.0.0"))).await;
    jobs.site.set(&mut database.raw().await, "strict_identity = true").await;
    let running = take(storage, "w", now).await;
    let refused = run(storage, &running, &copy, now).await;
    assert!(matches!(refused, SyncResult::Refused(Refusal::IdentityConflict { .. })), "{refused:?}");
    assert_eq!(jobs.state(&copy).await, (JobState::Failed, because("identity-conflict")));
    complete(&jobs, &full, now).await;
    complete(&jobs, &partial, now).await;
    assert_eq!(jobs.site.present().await, ["m_0000 1.0.2", "m_0001 1.0.2", "p_0000 1.0.3"]);
}

async fn what_is_before_a_full_report_that_waits_may_be_applied_and_what_is_after_it_waits(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let now = jobs.at(3600);
    let later = now + Duration::MINUTE;
    let full = jobs.queued(jobs.full_at(5)).await;
    let running = take(storage, "w", now).await;
    storage.leave(running.lease, retry("busy", later), now).await.unwrap();
    let after = jobs.queued(jobs.partial_at(6)).await;
    let second = jobs.queued(jobs.partial_at(3)).await;
    let first = jobs.queued(jobs.full_at(1)).await;
    complete(&jobs, &first, now).await;
    complete(&jobs, &second, now).await;
    // Applied now, it would make the full report stale.
    nothing_to_take(storage, later - Duration::MICROSECOND).await;
    complete(&jobs, &full, later).await;
    complete(&jobs, &after, later).await;
    assert_eq!(jobs.site.present().await, ["m_0000 1.0.5", "m_0001 1.0.5", "p_0000 1.0.6"]);
}

async fn what_is_not_whole_supersedes_nothing(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let now = jobs.at(3600);
    let partial = jobs.queued(jobs.partial_at(7)).await;
    let lenient = jobs.queued(jobs.lenient_at(6)).await;
    let modules = [content("1.0.5"), vec![module("left_alone", "1.0.5")]].concat();
    let full = jobs.queued(report(Scope::Full, jobs.at(5), modules)).await;
    for sync in [&full, &lenient, &partial] {
        complete(&jobs, sync, now).await;
    }
    nothing_to_take(storage, now).await;
    let expected = ["left_alone 1.0.5", "m_0000 1.0.6", "m_0001 1.0.6", "p_0000 1.0.7"];
    assert_eq!(jobs.site.present().await, expected, "what the lenient report rejected survives it");
}

async fn an_unchanged_full_report_supersedes_too(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    jobs.direct(jobs.full_at(1)).await;
    let older = jobs.queued(jobs.partial_at(2)).await;
    let same = jobs.queued(report(Scope::Full, jobs.at(3), content("1.0.1"))).await;
    complete(&jobs, &same, jobs.at(3600)).await;
    superseded(&jobs, &older).await;
    assert_eq!(jobs.site.present().await, ["m_0000 1.0.1", "m_0001 1.0.1"]);
}

async fn a_report_as_new_as_the_full_one_is_applied_after_it(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let now = jobs.at(3600);
    let before = jobs.queued(jobs.partial_at(10)).await;
    let full = jobs.queued(jobs.full_at(10)).await;
    let after = jobs.queued(jobs.partial_at(10)).await;
    complete(&jobs, &full, now).await;
    superseded(&jobs, &before).await;
    complete(&jobs, &after, now).await;
    assert_eq!(jobs.site.present().await, ["m_0000 1.0.10", "m_0001 1.0.10", "p_0000 1.0.10"]);
}

async fn dead_letters_are_not_superseded(database: TestDatabase) {
    let jobs = Jobs::new(&database.open().await, "Site").await;
    let storage = &*jobs.site.storage;
    let now = jobs.at(3600);
    let dead = jobs.queued(jobs.partial_at(1)).await;
    let running = take(storage, "w", now).await;
    storage.leave(running.lease, give_up("it cannot be read"), now).await.unwrap();
    let full = jobs.queued(jobs.full_at(2)).await;
    complete(&jobs, &full, now).await;
    assert_eq!(jobs.job(&dead).await.state, JobState::Dead, "somebody has to decide");
    assert!(storage.job_payload(dead.sync_id).await.unwrap().is_some());
}

//! A site that sends its reports to the queue, and a worker that takes them.

use std::sync::Arc;

use module_monitor_domain::{Report, ReportedModule, Scope, SyncId, SyncOutcome};
use module_monitor_ingestion::uuid_at;
use module_monitor_storage::{
    Claim, Claimant, ClaimedJob, Departure, Enqueued, Job, JobState, NewJob, QueueBounds, Storage, SyncCommand,
    SyncResult, Via,
};
use module_monitor_tests::reports::{command, modules, report};
use time::{Duration, OffsetDateTime};

use crate::support::{Reporter, rejected};

/// More than any story needs.
pub(super) const ROOMY: QueueBounds = QueueBounds { jobs: 1_000, bytes: 1 << 30 };
pub(super) const LEASE: Duration = Duration::seconds(10);

/// What a full report of version `version` leaves on the site.
pub(super) fn content(version: &str) -> Vec<ReportedModule> {
    modules("m", 2, version)
}

/// Jobs, by a short name of each.
pub(super) struct Jobs {
    pub(super) site: Reporter,
    /// In seconds after this, reports are made.
    pub(super) epoch: OffsetDateTime,
}

impl Jobs {
    pub(super) async fn new(storage: &Arc<dyn Storage>, name: &str) -> Self {
        let site = Reporter::new(storage, name).await;
        let epoch = site.at;
        Self { site, epoch }
    }

    /// A moment in the story.
    pub(super) fn at(&self, second: i64) -> OffsetDateTime {
        self.epoch + Duration::seconds(second)
    }

    /// The sync of a report made at a second, received an hour later.
    pub(super) fn sync(&self, report: Report) -> Arc<SyncCommand> {
        let received_at = self.epoch + Duration::HOUR;
        let sync = Arc::unwrap_or_clone(command(self.site.id, received_at, report));
        Arc::new(SyncCommand { sync_id: SyncId(uuid_at(received_at)), ..sync })
    }

    pub(super) fn full_at(&self, second: i64) -> Report {
        report(Scope::Full, self.at(second), content(&format!("1.0.{second}")))
    }

    pub(super) fn partial_at(&self, second: i64) -> Report {
        report(Scope::Partial, self.at(second), modules("p", 1, &format!("1.0.{second}")))
    }

    /// Full, but for an item that was rejected.
    pub(super) fn lenient_at(&self, second: i64) -> Report {
        self.full_at(second).with_rejected(vec![rejected(Some("left_alone"))])
    }

    pub(super) async fn offer(&self, sync: &Arc<SyncCommand>, bounds: QueueBounds) -> Enqueued {
        let job = NewJob { sync: Arc::clone(sync), lenient: false, payload: b"payload".to_vec(), bounds };
        self.site.storage.enqueue(job).await.unwrap()
    }

    /// Puts a report into the queue, which must take it, and tells its state and id.
    pub(super) async fn put(&self, report: Report) -> (JobState, Arc<SyncCommand>) {
        let sync = self.sync(report);
        match self.offer(&sync, ROOMY).await {
            Enqueued::Accepted(state) => (state, sync),
            other => panic!("not accepted: {other:?}"),
        }
    }

    pub(super) async fn queued(&self, report: Report) -> Arc<SyncCommand> {
        let (state, sync) = self.put(report).await;
        assert_eq!(state, JobState::Queued);
        sync
    }

    pub(super) async fn job(&self, sync: &SyncCommand) -> Job {
        self.site.storage.find_job(sync.sync_id).await.unwrap().expect("the job")
    }

    pub(super) async fn state(&self, sync: &SyncCommand) -> (JobState, Option<String>) {
        let job = self.job(sync).await;
        (job.state, job.reason)
    }

    /// What sending it directly comes to.
    pub(super) async fn direct(&self, report: Report) -> SyncResult {
        self.site.storage.apply_sync(self.sync(report)).await.unwrap()
    }

    pub(super) fn pending(&self) -> String {
        format!("SELECT pending_jobs FROM sites WHERE id = {}", self.site.id)
    }
}

/// Takes jobs at a moment.
pub(super) async fn claim(storage: &dyn Storage, worker: &str, now: OffsetDateTime) -> Claim {
    let claimant = Claimant { worker: worker.to_owned(), now, lease_until: now + LEASE, max_attempts: 3 };
    storage.claim(claimant).await.unwrap()
}

/// Takes a job, which must be there.
pub(super) async fn take(storage: &dyn Storage, worker: &str, now: OffsetDateTime) -> ClaimedJob {
    match claim(storage, worker, now).await {
        Claim::Job(job) => *job,
        other => panic!("no job: {other:?}"),
    }
}

/// What is left to take.
pub(super) async fn nothing_to_take(storage: &dyn Storage, now: OffsetDateTime) {
    assert_eq!(claim(storage, "idle", now).await, Claim::Nothing);
}

/// Applies a job as its worker does.
pub(super) async fn run(
    storage: &dyn Storage,
    job: &ClaimedJob,
    sync: &SyncCommand,
    now: OffsetDateTime,
) -> SyncResult {
    assert_eq!(job.lease.id, sync.sync_id);
    let command = SyncCommand { via: Via::Queue { lease: job.lease, now }, idempotency: None, ..sync.clone() };
    storage.apply_sync(Arc::new(command)).await.unwrap()
}

/// Takes and applies a job, whose turn it must be.
pub(super) async fn complete(jobs: &Jobs, sync: &SyncCommand, now: OffsetDateTime) -> SyncOutcome {
    let storage = &*jobs.site.storage;
    let job = take(storage, "worker", now).await;
    match run(storage, &job, sync, now).await {
        SyncResult::Applied(outcome) => outcome,
        other => panic!("not applied: {other:?}"),
    }
}

pub(super) fn retry(error: &str, due_at: OffsetDateTime) -> Departure {
    Departure::Retry { error: error.to_owned(), due_at }
}

pub(super) fn give_up(error: &str) -> Departure {
    Departure::GiveUp { error: error.to_owned(), reason: "unreadable" }
}

pub(super) fn because(reason: &str) -> Option<String> {
    Some(reason.to_owned())
}

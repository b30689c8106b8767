//! The queue: syncs that were accepted and are applied later. The database is the queue; whoever changes the jobs of a
//! site holds the lock on the site's row, as a sync does.

mod backend;
mod queries;
mod units;

use std::sync::Arc;

use module_monitor_domain::{Refusal, Scope, SiteId, SyncId, SyncOutcome};
use time::OffsetDateTime;

use crate::{SyncCommand, SyncOrigin};

pub(crate) use queries::{prune_jobs, site_jobs};
pub(crate) use units::{find_earlier, pass};

/// What a job is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobState {
    /// It waits for its turn, for a worker, or for its next attempt.
    Queued,
    /// A worker is at it.
    Running,
    /// It has been applied.
    Succeeded,
    /// It was refused for good: see [`Job::reason`].
    Failed,
    /// A newer full report says everything that it would have said.
    Superseded,
    /// It could not be applied; an administrator may retry or discard it.
    Dead,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Queued, Self::Running, Self::Succeeded, Self::Failed, Self::Superseded, Self::Dead];

    /// The name used on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
            Self::Dead => "dead",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether nothing more happens to the job by itself.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// A sync for the queue.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// The sync. Its report decides where it stands in the queue; it is not stored.
    pub sync: Arc<SyncCommand>,
    /// Invalid modules were left out of the report, and are when `payload` is read again.
    pub lenient: bool,
    /// The body as it was sent, compressed.
    pub payload: Vec<u8>,
    /// How much may be in the queue.
    pub bounds: QueueBounds,
}

/// How much may wait or run at once. Concurrent syncs may each exceed it by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueBounds {
    /// So many jobs.
    pub jobs: i64,
    /// So many bytes of payloads.
    pub bytes: i64,
}

/// What became of a sync that was offered to the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// It is stored: [`JobState::Queued`], or [`JobState::Superseded`] where a newer full report waits already.
    Accepted(JobState),
    /// It was applied before, under the same idempotency key.
    Replayed(SyncOutcome),
    /// It is in the queue, or has been, under the same idempotency key.
    Waiting(Box<Job>),
    /// It is not stored, and this is why.
    Refused(Refusal),
    /// It is not stored, because the queue is full.
    Full,
}

/// A worker's right to finish a job, until its lease ends or somebody else has taken the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobLease {
    /// The job.
    pub id: SyncId,
    /// Its site.
    pub site_id: SiteId,
    /// Which lease of the job it is.
    pub token: i64,
}

/// A job that a worker has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedJob {
    /// The right to finish it.
    pub lease: JobLease,
    /// Who sent it.
    pub origin: SyncOrigin,
    /// As in [`NewJob::lenient`].
    pub lenient: bool,
    /// When it was received.
    pub received_at: OffsetDateTime,
    /// As in [`NewJob::payload`]. Empty where somebody has taken it out of the database.
    pub payload: Vec<u8>,
    /// How many times it has been taken, this time included.
    pub attempts: i32,
    /// The worker that had it lost its lease without a word.
    pub reclaimed: bool,
}

/// Who takes a job, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimant {
    /// The worker's name.
    pub worker: String,
    /// Now.
    pub now: OffsetDateTime,
    /// When the lease ends.
    pub lease_until: OffsetDateTime,
    /// A job that has been taken so many times is dead.
    pub max_attempts: i32,
}

/// What there was to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// A job, for the claimant to run.
    Job(Box<ClaimedJob>),
    /// A job that its last worker lost and that nobody is to run again: dead after its attempts, or superseded. There may
    /// be more to take.
    Ended(SyncId, SiteId, JobState),
    /// Nothing is due.
    Nothing,
}

/// How a worker leaves a job that it has not applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It failed in passing and is tried again at `due_at`.
    Retry {
        /// What went wrong.
        error: String,
        /// When to try again.
        due_at: OffsetDateTime,
    },
    /// It failed, and trying again is of no use: it is dead.
    GiveUp {
        /// What went wrong.
        error: String,
        /// A code for it.
        reason: &'static str,
    },
    /// The worker has no time for it; this attempt does not count.
    HandBack,
}

/// A job as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The id of its sync.
    pub id: SyncId,
    /// The site that reported.
    pub site_id: SiteId,
    /// Who sent it.
    pub origin: SyncOrigin,
    /// Full or partial.
    pub scope: Scope,
    /// When the site made the report.
    pub sync_timestamp: OffsetDateTime,
    /// When it was received.
    pub received_at: OffsetDateTime,
    /// The size of its payload, compressed, in bytes.
    pub payload_bytes: i64,
    /// What it is doing.
    pub state: JobState,
    /// A code that says why it failed, was superseded or is dead.
    pub reason: Option<String>,
    /// How many times it has been taken since it was accepted or retried.
    pub attempts: i32,
    /// It has been taken back from the dead letters.
    pub retried: bool,
    /// Queued: when it may be taken. Running: when its lease ends.
    pub due_at: OffsetDateTime,
    /// Who is at it.
    pub worker: Option<String>,
    /// When it ended.
    pub finished_at: Option<OffsetDateTime>,
    /// How its last unsuccessful attempt ended.
    pub last_error: Option<String>,
}

/// An attempt at a job that did not end well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobError {
    /// Which attempt.
    pub attempt: i32,
    /// Whose.
    pub worker: Option<String>,
    /// The worker's lease ended without a word from it.
    pub lost: bool,
    /// What went wrong.
    pub message: String,
    /// When it was written down.
    pub at: OffsetDateTime,
}

/// How the queue is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueFigures {
    /// Jobs that wait, those of `waiting` included.
    pub queued: i64,
    /// Jobs that failed and wait for their next attempt.
    pub waiting: i64,
    /// Jobs that workers are at.
    pub running: i64,
    /// Dead letters.
    pub dead: i64,
    /// Bytes of the payloads of what waits and runs.
    pub bytes: i64,
    /// When the oldest job that waits or runs was received.
    pub oldest: Option<OffsetDateTime>,
    /// Attempts that ended with the worker's lease, of all jobs that are kept.
    pub reclaims: i64,
    /// Attempts that failed, of all jobs that are kept.
    pub failures: i64,
    /// Processes that take jobs.
    pub workers: i64,
}

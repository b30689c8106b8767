//! The queue: syncs that were accepted and are applied later. The database is the queue; whoever changes the jobs of a
//! site holds the lock on the site's row, as a sync does.

mod dead_letters;
mod enqueue;
pub(crate) mod queries;
pub(super) mod reads;
pub(super) mod rows;
mod store;
pub(super) mod turns;

use std::sync::Arc;

use async_trait::async_trait;
use module_monitor_domain::{Refusal, Scope, SiteId, SyncId, SyncOutcome, names};
use time::OffsetDateTime;
use uuid::Uuid;

use super::command::{JobLease, SyncCommand, SyncOrigin};
use crate::engine::error::StorageError;
use crate::page::{Page, Part};

/// The queue. Whatever changes a site's jobs holds the lock on the site's row, as a sync does; a job that is applied ends
/// in the transaction of its sync, see [`crate::Syncs::apply_sync`] and [`crate::Via::Queue`].
#[async_trait]
pub trait Jobs: Send + Sync {
    /// Accepts a sync into the queue, or refuses it and stores nothing. Safe to repeat with the same sync id.
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued, StorageError>;

    /// Takes a job of the active site that has one due longest. Of a site's jobs, one of which runs at a time, the newest
    /// full one with nothing rejected is taken first, the others by time stamp, then acceptance; what waits for its next
    /// attempt lets those before it pass, and none after it.
    async fn claim(&self, claimant: Claimant) -> Result<Claim, StorageError>;

    /// Moves the end of a lease. `false` where it has been lost.
    async fn renew(&self, lease: JobLease, until: OffsetDateTime) -> Result<bool, StorageError>;

    /// Leaves a job that could not be applied, and says what it is doing now; `None` where the lease has been lost.
    async fn leave(
        &self,
        lease: JobLease,
        departure: Departure,
        now: OffsetDateTime,
    ) -> Result<Option<JobState>, StorageError>;

    /// One job. No locks.
    async fn find_job(&self, id: SyncId) -> Result<Option<Job>, StorageError>;

    /// The attempts at a job that did not end well, oldest first. No locks.
    async fn job_errors(&self, id: SyncId) -> Result<Vec<JobError>, StorageError>;

    /// The body of a job as it was stored, compressed, where it is still kept. No locks.
    async fn job_payload(&self, id: SyncId) -> Result<Option<Vec<u8>>, StorageError>;

    /// Dead letters, newest first. No locks.
    async fn dead_letters(&self, page: Page<Uuid>) -> Result<Part<Job>, StorageError>;

    /// Queues a dead letter again, or ends it as superseded where a newer report has been applied, and writes that to the
    /// administrators' log. Says what it is doing now; `None` where there is no such dead letter.
    async fn retry_dead_letter(
        &self,
        id: SyncId,
        now: OffsetDateTime,
        actor: &str,
    ) -> Result<Option<JobState>, StorageError>;

    /// Ends a dead letter for good, and writes that to the administrators' log. `false` where there is none.
    async fn discard_dead_letter(&self, id: SyncId, now: OffsetDateTime, actor: &str) -> Result<bool, StorageError>;

    /// Removes at most `batch` of the dead letters that died before `before`, and says which. One transaction; call it
    /// again until there is nothing left.
    async fn expire_dead_letters(
        &self,
        before: OffsetDateTime,
        batch: usize,
    ) -> Result<Vec<ExpiredLetter>, StorageError>;

    /// How the queue is doing. Workers seen after `alive_since` count as alive. No locks.
    async fn queue_figures(
        &self,
        now: OffsetDateTime,
        alive_since: OffsetDateTime,
    ) -> Result<QueueFigures, StorageError>;

    /// Makes jobs due, and leases end, at `until` that would be later than `latest`: whoever put them off had a clock that has
    /// been set back since. How many.
    async fn bring_forward(&self, until: OffsetDateTime, latest: OffsetDateTime) -> Result<usize, StorageError>;

    /// Writes down that a worker is alive.
    async fn worker_seen(&self, worker: &str, now: OffsetDateTime) -> Result<(), StorageError>;

    /// Forgets a worker that ends, and all that were last seen before `before`.
    async fn worker_gone(&self, worker: &str, before: OffsetDateTime) -> Result<(), StorageError>;

    /// How many workers have been seen after `since`. No locks.
    async fn live_workers(&self, since: OffsetDateTime) -> Result<usize, StorageError>;
}

names! {
    /// What a job is doing.
    pub enum JobState {
        /// It waits for its turn, for a worker, or for its next attempt.
        Queued = "queued",
        /// A worker is at it.
        Running = "running",
        /// It has been applied.
        Succeeded = "succeeded",
        /// It was refused for good: see [`Job::reason`].
        Failed = "failed",
        /// A newer full report has been applied, which said everything that it would have said.
        Superseded = "superseded",
        /// It could not be applied; an administrator may retry or discard it.
        Dead = "dead",
    }
}

impl JobState {
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
    /// It is stored: [`JobState::Queued`], or what has become of it since an earlier offer of the same sync.
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
    /// The worker that had it before lost its lease without a word.
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
    /// A job that has used up its attempts, and is dead now. There may be more to take.
    Dead(SyncId, SiteId),
    /// Nothing is due.
    Nothing,
}

/// How a worker leaves a job that it has not applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It failed for a transient reason and is tried again at `due_at`.
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

/// A dead letter that was removed because nobody had decided in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpiredLetter {
    /// The id of its sync.
    pub id: SyncId,
    /// The site that reported.
    pub site_id: SiteId,
    /// A code that says why it was dead.
    pub reason: Option<String>,
    /// Since when.
    pub died_at: Option<OffsetDateTime>,
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
    /// Since when the oldest dead letter has been dead.
    pub oldest_dead: Option<OffsetDateTime>,
    /// Attempts that ended with the worker's lease, of all jobs that are kept.
    pub reclaims: i64,
    /// Attempts that failed, of all jobs that are kept.
    pub failures: i64,
    /// Processes that take jobs.
    pub workers: i64,
}

//! The queue as people and programs see it, on the command line and over HTTP.

use module_monitor_domain::SyncId;
use module_monitor_ingestion::queue::{ALIVE, unpack};
use module_monitor_storage::{Job, JobError, JobState, QueueFigures, Storage, StorageError};
use serde::Serialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::words;

/// How the queue is doing.
#[derive(Serialize, ToSchema)]
#[schema(as = Queue)]
pub(crate) struct QueueView {
    /// Jobs that wait for a worker, those of `retrying` included.
    pub(crate) queued: i64,
    /// Jobs that have failed and wait for their next attempt.
    pub(crate) retrying: i64,
    /// Jobs that workers are at.
    pub(crate) running: i64,
    /// Jobs that could not be applied and wait for an administrator.
    pub(crate) dead_letters: i64,
    /// What the payloads of waiting and running jobs take, compressed.
    pub(crate) bytes: i64,
    /// When the oldest waiting or running job was received.
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) oldest_at: Option<OffsetDateTime>,
    /// How long ago that is; 0 where nothing waits.
    pub(crate) oldest_seconds: f64,
    /// Attempts that ended with an error, of all jobs in the audit log.
    pub(crate) failed_attempts: i64,
    /// Attempts whose worker died or was cut off, of all jobs in the audit log.
    pub(crate) lease_reclaims: i64,
    /// Processes that take jobs.
    pub(crate) workers: i64,
}

impl QueueView {
    /// Asks the database, as of `now`. No locks.
    pub(crate) async fn read(storage: &dyn Storage, now: OffsetDateTime) -> Result<Self, StorageError> {
        Ok(Self::new(storage.queue_figures(now, now - ALIVE).await?, now))
    }

    fn new(figures: QueueFigures, now: OffsetDateTime) -> Self {
        // The node that received it may have another clock.
        let age = figures.oldest.map_or(0.0, |oldest| (now - oldest).as_seconds_f64().max(0.0));
        Self {
            queued: figures.queued,
            retrying: figures.waiting,
            running: figures.running,
            dead_letters: figures.dead,
            bytes: figures.bytes,
            oldest_at: figures.oldest,
            oldest_seconds: age,
            failed_attempts: figures.failures,
            lease_reclaims: figures.reclaims,
            workers: figures.workers,
        }
    }
}

/// A dead letter in a list.
#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetterSummary)]
pub(crate) struct DeadLetterItem {
    #[schema(schema_with = words::sync_id)]
    pub(crate) sync_id: String,
    pub(crate) site_id: i64,
    pub(crate) reason: Option<String>,
    pub(crate) last_error: Option<String>,
    pub(crate) attempts: i32,
    #[schema(schema_with = words::applied_sync_type)]
    pub(crate) sync_type: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) sync_timestamp: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) received_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) dead_at: Option<OffsetDateTime>,
    pub(crate) key_id: Option<String>,
    pub(crate) client_address: Option<String>,
    pub(crate) body_bytes: Option<i64>,
}

impl From<Job> for DeadLetterItem {
    fn from(job: Job) -> Self {
        Self {
            sync_id: job.id.to_string(),
            site_id: job.site_id.0,
            reason: job.reason,
            last_error: job.last_error,
            attempts: job.attempts,
            sync_type: job.scope.as_str(),
            sync_timestamp: job.sync_timestamp,
            received_at: job.received_at,
            dead_at: job.finished_at,
            key_id: job.origin.key_id,
            client_address: job.origin.client_address,
            body_bytes: job.origin.body_bytes,
        }
    }
}

/// An attempt that did not end well.
#[derive(Serialize, ToSchema)]
#[schema(as = FailedAttempt)]
pub(crate) struct AttemptView {
    pub(crate) attempt: i32,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) at: OffsetDateTime,
    pub(crate) worker: Option<String>,
    /// Nothing was heard of the worker any more.
    pub(crate) lost: bool,
    pub(crate) error: String,
}

impl From<JobError> for AttemptView {
    fn from(error: JobError) -> Self {
        let JobError { attempt, worker, lost, message, at } = error;
        Self { attempt, at, worker, lost, error: message }
    }
}

/// Everything that is known of a dead letter.
#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetter)]
pub(crate) struct DeadLetterView {
    #[serde(flatten)]
    pub(crate) item: DeadLetterItem,
    /// Its attempts since it was accepted, oldest first.
    pub(crate) errors: Vec<AttemptView>,
    /// The report as it was sent; none where what the database has of it cannot be read.
    #[schema(value_type = Option<Object>)]
    pub(crate) payload: Option<Box<RawValue>>,
}

impl DeadLetterView {
    /// The dead letter of that id, where there is one. No locks.
    pub(crate) async fn find(storage: &dyn Storage, id: SyncId) -> Result<Option<Self>, StorageError> {
        let Some(job) = storage.find_job(id).await?.filter(|job| job.state == JobState::Dead) else { return Ok(None) };
        let errors = storage.job_errors(id).await?.into_iter().map(AttemptView::from).collect();
        let packed = storage.job_payload(id).await?.unwrap_or_default();
        Ok(Some(Self { item: job.into(), errors, payload: readable(packed).await }))
    }
}

/// Up to 16 MiB once unpacked, which is nothing to keep other requests waiting for.
async fn readable(packed: Vec<u8>) -> Option<Box<RawValue>> {
    let json = tokio::task::spawn_blocking(move || serde_json::from_slice(&unpack(&packed).ok()?).ok());
    json.await.ok().flatten()
}

/// What an administrator's decision made of a dead letter.
#[derive(Serialize, ToSchema)]
#[schema(as = SettledDeadLetter)]
pub(crate) struct Settled {
    #[schema(schema_with = words::sync_id)]
    sync_id: String,
    #[schema(schema_with = words::sync_status)]
    status: &'static str,
}

impl Settled {
    /// The job `id` is in that state now.
    pub(crate) fn new(id: SyncId, state: JobState) -> Self {
        Self { sync_id: id.to_string(), status: state.as_str() }
    }
}

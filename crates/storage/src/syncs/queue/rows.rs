//! Rows of the queue.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
use module_monitor_domain::{Scope, SiteId, SyncId};
use time::OffsetDateTime;

use super::{ClaimedJob, ExpiredLetter, Job, JobError, JobState, QueueFigures};
use crate::engine::error::StorageError;
use crate::engine::read::{moment, read};
use crate::engine::sql_types::{At, DbId, Id, Moment};
use crate::syncs::command::{JobLease, SyncOrigin};

/// A job as people see it.
#[derive(QueryableByName)]
pub(crate) struct JobRow {
    #[diesel(sql_type = Id)]
    id: DbId,
    #[diesel(sql_type = BigInt)]
    site_id: i64,
    #[diesel(sql_type = Nullable<Text>)]
    key_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    client_address: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    body_bytes: Option<i64>,
    #[diesel(sql_type = Text)]
    scope: String,
    #[diesel(sql_type = Moment)]
    sync_timestamp: At,
    #[diesel(sql_type = Moment)]
    received_at: At,
    #[diesel(sql_type = BigInt)]
    payload_bytes: i64,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Integer)]
    attempts: i32,
    #[diesel(sql_type = Bool)]
    retried: bool,
    #[diesel(sql_type = Moment)]
    due_at: At,
    #[diesel(sql_type = Nullable<Text>)]
    worker: Option<String>,
    #[diesel(sql_type = Nullable<Moment>)]
    finished_at: Option<At>,
    #[diesel(sql_type = Nullable<Text>)]
    last_error: Option<String>,
}

impl TryFrom<JobRow> for Job {
    type Error = StorageError;

    fn try_from(row: JobRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: SyncId(row.id.0),
            site_id: SiteId(row.site_id),
            origin: SyncOrigin { key_id: row.key_id, client_address: row.client_address, body_bytes: row.body_bytes },
            scope: read("scope", &row.scope, Scope::from_name(&row.scope))?,
            sync_timestamp: row.sync_timestamp.0,
            received_at: row.received_at.0,
            payload_bytes: row.payload_bytes,
            state: read("state of a job", &row.state, JobState::from_name(&row.state))?,
            reason: row.reason,
            attempts: row.attempts,
            retried: row.retried,
            due_at: row.due_at.0,
            worker: row.worker,
            finished_at: moment(row.finished_at),
            last_error: row.last_error,
        })
    }
}

/// A job as a worker takes it.
#[derive(QueryableByName)]
pub(super) struct ClaimedRow {
    #[diesel(sql_type = Id)]
    id: DbId,
    #[diesel(sql_type = BigInt)]
    site_id: i64,
    #[diesel(sql_type = Nullable<Text>)]
    key_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    client_address: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    body_bytes: Option<i64>,
    #[diesel(sql_type = Bool)]
    lenient: bool,
    #[diesel(sql_type = Moment)]
    received_at: At,
    #[diesel(sql_type = Nullable<Binary>)]
    payload: Option<Vec<u8>>,
    #[diesel(sql_type = Integer)]
    attempts: i32,
    #[diesel(sql_type = BigInt)]
    lease_token: i64,
    #[diesel(sql_type = Bool)]
    reclaimed: bool,
}

impl ClaimedRow {
    pub(super) fn claimed(self) -> ClaimedJob {
        let lease = JobLease { id: SyncId(self.id.0), site_id: SiteId(self.site_id), token: self.lease_token };
        ClaimedJob {
            lease,
            origin: SyncOrigin {
                key_id: self.key_id,
                client_address: self.client_address,
                body_bytes: self.body_bytes,
            },
            lenient: self.lenient,
            received_at: self.received_at.0,
            payload: self.payload.unwrap_or_default(),
            attempts: self.attempts,
            reclaimed: self.reclaimed,
        }
    }
}

/// The job of a site whose turn it is.
#[derive(QueryableByName)]
pub(super) struct HeadRow {
    #[diesel(sql_type = BigInt)]
    pub(super) seq: i64,
    #[diesel(sql_type = Id)]
    id: DbId,
    #[diesel(sql_type = BigInt)]
    site_id: i64,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Integer)]
    pub(super) attempts: i32,
    #[diesel(sql_type = BigInt)]
    lease_token: i64,
}

impl HeadRow {
    pub(super) fn id(&self) -> SyncId {
        SyncId(self.id.0)
    }

    /// Who is at it, where somebody is.
    pub(super) fn lease(&self) -> Option<JobLease> {
        let running = self.state == JobState::Running.as_str();
        running.then(|| JobLease { id: self.id(), site_id: SiteId(self.site_id), token: self.lease_token })
    }
}

/// What a further report of a site is compared with.
#[derive(QueryableByName)]
pub(super) struct AheadRow {
    #[diesel(sql_type = Nullable<Moment>)]
    running: Option<At>,
}

impl AheadRow {
    pub(super) fn running(&self) -> Option<OffsetDateTime> {
        moment(self.running)
    }
}

/// How much waits and runs.
#[derive(Default, QueryableByName)]
pub(super) struct LoadRow {
    #[diesel(sql_type = BigInt)]
    pub(super) jobs: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) bytes: i64,
}

#[derive(QueryableByName)]
pub(super) struct PayloadRow {
    #[diesel(sql_type = Binary)]
    pub(super) payload: Vec<u8>,
}

/// An attempt that did not end well.
#[derive(QueryableByName)]
pub(super) struct JobErrorRow {
    #[diesel(sql_type = Integer)]
    attempt: i32,
    #[diesel(sql_type = Nullable<Text>)]
    worker: Option<String>,
    #[diesel(sql_type = Bool)]
    lost: bool,
    #[diesel(sql_type = Text)]
    message: String,
    #[diesel(sql_type = Moment)]
    at: At,
}

impl TryFrom<JobErrorRow> for JobError {
    type Error = StorageError;

    fn try_from(row: JobErrorRow) -> Result<Self, StorageError> {
        let JobErrorRow { attempt, worker, lost, message, at } = row;
        Ok(Self { attempt, worker, lost, message, at: at.0 })
    }
}

/// A dead letter that has been removed.
#[derive(QueryableByName)]
pub(super) struct ExpiredRow {
    #[diesel(sql_type = Id)]
    id: DbId,
    #[diesel(sql_type = BigInt)]
    site_id: i64,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Nullable<Moment>)]
    finished_at: Option<At>,
}

impl From<ExpiredRow> for ExpiredLetter {
    fn from(row: ExpiredRow) -> Self {
        let ExpiredRow { id, site_id, reason, finished_at } = row;
        Self { id: SyncId(id.0), site_id: SiteId(site_id), reason, died_at: moment(finished_at) }
    }
}

#[derive(QueryableByName)]
pub(super) struct QueueFiguresRow {
    #[diesel(sql_type = BigInt)]
    queued: i64,
    #[diesel(sql_type = BigInt)]
    waiting: i64,
    #[diesel(sql_type = BigInt)]
    running: i64,
    #[diesel(sql_type = BigInt)]
    dead: i64,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = Nullable<Moment>)]
    oldest: Option<At>,
    #[diesel(sql_type = Nullable<Moment>)]
    oldest_dead: Option<At>,
    #[diesel(sql_type = BigInt)]
    reclaims: i64,
    #[diesel(sql_type = BigInt)]
    failures: i64,
    #[diesel(sql_type = BigInt)]
    workers: i64,
}

impl From<QueueFiguresRow> for QueueFigures {
    fn from(row: QueueFiguresRow) -> Self {
        let QueueFiguresRow { queued, waiting, running, dead, bytes, oldest, oldest_dead, reclaims, failures, workers } =
            row;
        let (oldest, oldest_dead) = (moment(oldest), moment(oldest_dead));
        Self { queued, waiting, running, dead, bytes, oldest, oldest_dead, reclaims, failures, workers }
    }
}

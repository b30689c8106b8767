//! What an idempotency key stands for.

use diesel::sql_types::{BigInt, Binary, Text};
use module_monitor_domain::Refusal;
use time::Duration;

use super::command::{IdempotencyKey, SyncCommand};
use super::queries;
use super::queue::Job;
use super::queue::reads::find_job;
use super::result::{AppliedSync, SyncResult};
use super::rows::{AuditRow, IdempotencyRow};
use crate::engine::error::StorageError;
use crate::engine::sql_types::{At, DbId, Id, Moment};
use crate::engine::statement::{Portable, Sql, statement};
use crate::engine::transaction::Transaction;

/// How long an idempotency key stands for its sync.
const IDEMPOTENCY_WINDOW: Duration = Duration::hours(24);

fn find_idempotency_key(command: &SyncCommand, key: &IdempotencyKey) -> Sql<impl Portable + use<>> {
    statement!("find_idempotency_key")
        .bind::<BigInt, _>(command.site_id.0)
        .bind::<Text, _>(key.key.clone())
        .bind::<Moment, _>(At(command.received_at - IDEMPOTENCY_WINDOW))
}

pub(super) fn write_idempotency_key<R>(command: &SyncCommand<R>, key: &IdempotencyKey) -> Sql<impl Portable + use<R>> {
    statement!("write_idempotency_key")
        .bind::<BigInt, _>(command.site_id.0)
        .bind::<Text, _>(key.key.clone())
        .bind::<Binary, _>(key.body_hash.to_vec())
        .bind::<Id, _>(DbId::from(command.sync_id))
        .bind::<Moment, _>(At(command.received_at))
}

/// What the idempotency key of a sync stands for already.
pub(super) enum Earlier {
    Applied(Box<AppliedSync>),
    Job(Box<Job>),
    AnotherBody,
}

impl From<Earlier> for SyncResult {
    fn from(earlier: Earlier) -> Self {
        match earlier {
            Earlier::Applied(sync) => Self::Replayed(sync.outcome),
            Earlier::Job(job) => Self::Waiting(job),
            Earlier::AnotherBody => Self::Refused(Refusal::IdempotencyKeyReused),
        }
    }
}

/// Looks for what came with the same idempotency key before.
pub(super) async fn find_earlier<T: Transaction>(
    transaction: &mut T,
    command: &SyncCommand,
) -> Result<Option<Earlier>, StorageError> {
    let Some(key @ IdempotencyKey { body_hash, .. }) = &command.idempotency else { return Ok(None) };
    let rows = transaction.rows::<IdempotencyRow>(find_idempotency_key(command, key));
    let Some(row) = rows.await?.pop() else { return Ok(None) };
    if row.body_hash != *body_hash {
        return Ok(Some(Earlier::AnotherBody));
    }
    let id = row.sync_id();
    if let Some(applied) = transaction.rows::<AuditRow>(queries::sync(id)).await?.pop() {
        return Ok(Some(Earlier::Applied(Box::new(applied.try_into()?))));
    }
    let job = find_job(transaction, id).await?;
    job.map(|job| Some(Earlier::Job(Box::new(job)))).ok_or_else(|| StorageError::corrupt("idempotency key", id))
}

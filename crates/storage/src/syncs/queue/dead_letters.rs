//! What administrators do with dead letters.

use module_monitor_domain::{AdminAction, SyncId};
use time::OffsetDateTime;

use super::reads::{find_job, lock_site};
use super::turns::NEWER_REPORT;
use super::{JobState, queries};
use crate::admin_log;
use crate::engine::error::StorageError;
use crate::engine::transaction::{Transaction, Unit};

const DISCARDED: &str = "discarded";

/// Takes a job back from the dead letters, or discards it; an administrator's doing.
pub(super) struct DeadLetter {
    pub(super) id: SyncId,
    pub(super) retry: bool,
    pub(super) actor: String,
    pub(super) now: OffsetDateTime,
}

impl Unit for DeadLetter {
    type Output = Option<JobState>;

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<Option<JobState>, StorageError> {
        let Self { id, retry, actor, now } = self;
        let Some(job) = find_job(transaction, id).await? else { return Ok(None) };
        let Some(site) = lock_site(transaction, job.site_id).await? else { return Ok(None) };
        let outdated = site.state().last_sync_timestamp.is_some_and(|applied| job.sync_timestamp < applied);
        let ending = match retry {
            true if outdated => Some((JobState::Superseded, NEWER_REPORT)),
            true => None,
            false => Some((JobState::Failed, DISCARDED)),
        };
        let written = match ending {
            Some((state, reason)) => transaction.execute(queries::end_dead_job(id, state, reason, now)).await?,
            None => transaction.execute(queries::requeue_dead_job(id, now)).await?,
        };
        if written == 0 {
            return Ok(None);
        }
        transaction.execute(queries::recount_jobs(job.site_id)).await?;
        let action = if retry { AdminAction::JobRetried } else { AdminAction::JobDiscarded };
        let detail = job.reason.as_deref();
        transaction.execute(admin_log::queries::insert(now, &actor, action, Some(job.site_id), id, detail)).await?;
        Ok(Some(ending.map_or(JobState::Queued, |(state, _)| state)))
    }
}

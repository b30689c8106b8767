//! Accepting a sync into the queue.

use std::sync::Arc;

use module_monitor_domain::{Decision, Refusal, decide};

use super::reads::{find_job, lock_site, running};
use super::rows::LoadRow;
use super::{Enqueued, JobState, NewJob, queries};
use crate::engine::error::StorageError;
use crate::engine::transaction::{Transaction, Unit};
use crate::page::limit;
use crate::syncs::idempotency::{Earlier, find_earlier, write_idempotency_key};

/// Accepts a sync into the queue, or says why not.
pub(super) struct Enqueue(pub(super) NewJob);

impl Unit for Enqueue {
    type Output = Enqueued;

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<Enqueued, StorageError> {
        let Self(job) = self;
        let (site_id, bounds) = (job.sync.site_id, job.bounds);
        let load = transaction.rows::<LoadRow>(queries::queue_load()).await?.pop().unwrap_or_default();
        let Some(site) = lock_site(transaction, site_id).await? else {
            return Ok(Enqueued::Refused(Refusal::UnknownSite));
        };
        // An attempt whose answer was lost may have been the one that stored it.
        if let Some(stored) = find_job(transaction, job.sync.sync_id).await? {
            return Ok(Enqueued::Accepted(stored.state));
        }
        match find_earlier(transaction, &job.sync).await? {
            Some(Earlier::Applied(sync)) => return Ok(Enqueued::Replayed(sync.outcome)),
            Some(Earlier::Job(job)) => return Ok(Enqueued::Waiting(job)),
            Some(Earlier::AnotherBody) => return Ok(Enqueued::Refused(Refusal::IdempotencyKeyReused)),
            None => {}
        }
        if let Decision::Refuse(refusal) = decide(&site.state(), &job.sync.report) {
            return Ok(Enqueued::Refused(refusal));
        }
        let made = job.sync.report.sync_timestamp();
        let running = if site.pending_jobs > 0 { running(transaction, site_id).await? } else { None };
        // It would be stale when its turn comes; better its sender hears of it now.
        if let Some(last_applied) = running.filter(|running| made < *running) {
            return Ok(Enqueued::Refused(Refusal::Stale { last_applied }));
        }
        if load.jobs >= bounds.jobs || load.bytes.saturating_add(limit(job.payload.len())) > bounds.bytes {
            return Ok(Enqueued::Full);
        }
        let sync = Arc::clone(&job.sync);
        transaction.execute(queries::insert_job(job)).await?;
        transaction.execute(queries::recount_jobs(site_id)).await?;
        if let Some(key) = &sync.idempotency {
            transaction.execute(write_idempotency_key(&sync, key)).await?;
        }
        Ok(Enqueued::Accepted(JobState::Queued))
    }
}

//! The units of work of the audit log.

use std::cmp::Reverse;

use async_trait::async_trait;
use module_monitor_domain::SiteId;
use uuid::Uuid;

use super::rows::RejectedRow;
use super::write::WriteRejections;
use super::{Audit, Cutoff, Rejections, SyncRecord, queries};
use crate::engine::error::StorageError;
use crate::engine::read::all;
use crate::engine::transaction::Backend;
use crate::page::Page;
use crate::syncs::queue::rows::JobRow;
use crate::syncs::queue::{self, Job};
use crate::syncs::result::AppliedSync;
use crate::syncs::rows::AuditRow;

#[async_trait]
impl<B: Backend> Audit for B {
    async fn record_rejections(&self, rejections: Vec<Rejections>) -> Result<(), StorageError> {
        if rejections.is_empty() {
            return Ok(());
        }
        self.transact(WriteRejections::of(rejections)).await
    }

    async fn site_syncs(&self, site: SiteId, page: Page<Uuid>) -> Result<Vec<SyncRecord>, StorageError> {
        // Before what was applied: a job that succeeds in between is found twice rather than not at all.
        let queued = all::<JobRow, Job>(self, queue::queries::site_jobs(site, &page)).await?;
        let applied = all::<AuditRow, AppliedSync>(self, queries::syncs(site, &page)).await?;
        let rejected = all::<RejectedRow, Rejections>(self, queries::rejected_syncs(site, &page)).await?;
        let mut records: Vec<_> = applied.into_iter().map(SyncRecord::Applied).collect();
        records.extend(queued.into_iter().map(SyncRecord::Queued));
        records.extend(rejected.into_iter().map(SyncRecord::Rejected));
        // Stable: of a job that is found twice the sync comes first, and stays.
        records.sort_by_key(|record| Reverse(record.id()));
        records.dedup_by_key(|record| record.id());
        records.truncate(page.limit);
        Ok(records)
    }

    async fn prune(&self, cutoff: Cutoff, batch: usize) -> Result<usize, StorageError> {
        let mut pruned = 0;
        for statement in queries::prune(cutoff, batch) {
            pruned += self.execute(statement).await?;
        }
        Ok(pruned)
    }
}

//! The units of work of the audit log.

use std::cmp::Reverse;

use async_trait::async_trait;
use module_monitor_domain::SiteId;
use uuid::Uuid;

use super::rows::RejectedRow;
use super::write::WriteRejections;
use super::{Audit, Rejections, SyncRecord, queries};
use crate::engine::error::StorageError;
use crate::engine::read::{part, small_part};
use crate::engine::transaction::Backend;
use crate::page::{Page, Part};
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

    async fn site_syncs(&self, site: SiteId, page: Page<Uuid>) -> Result<Part<SyncRecord>, StorageError> {
        // Before what was applied: a job that succeeds in between is found twice rather than not at all.
        let queued = part::<JobRow, Job, _>(self, queue::queries::site_jobs(site, &page), &page).await?;
        let applied = part::<AuditRow, AppliedSync, _>(self, queries::syncs(site, &page), &page).await?;
        let rejected =
            small_part::<RejectedRow, Rejections, _>(self, queries::rejected_syncs(site, &page), &page).await?;
        // Of a job that is found twice the sync comes first, and stays.
        let parts =
            [applied.map(SyncRecord::Applied), queued.map(SyncRecord::Queued), rejected.map(SyncRecord::Rejected)];
        Ok(merged(parts, page.limit))
    }
}

/// The newest `limit` of several lists. Where one of them goes on, so does this, and it ends with that one: what follows
/// there may be newer than what the others still have.
fn merged(parts: [Part<SyncRecord>; 3], limit: usize) -> Part<SyncRecord> {
    let end = parts.iter().filter(|part| part.more).filter_map(|part| part.last().map(SyncRecord::id)).max();
    let mut records: Vec<_> = parts.into_iter().flatten().collect();
    records.sort_by_key(|record| Reverse(record.id()));
    records.dedup_by_key(|record| record.id());
    records.retain(|record| end.is_none_or(|end| record.id() >= end));
    let part = Part::of(records, limit);
    Part { more: part.more || end.is_some(), ..part }
}

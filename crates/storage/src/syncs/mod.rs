//! Applying reports, at once ([`apply`]) or from the [`queue`], and the [`log`] of what was sent.

mod apply;
mod bounds;
mod changing;
pub(crate) mod command;
mod id_cache;
mod idempotency;
mod ids;
pub(crate) mod log;
mod queries;
pub(crate) mod queue;
pub(crate) mod resident;
mod rest;
pub(crate) mod result;
mod rows;
mod store;
mod writes;

use std::sync::Arc;

use async_trait::async_trait;
use module_monitor_domain::{SyncId, SyncOutcome};

use command::{GlancedReport, SyncCommand};
use result::{AppliedSync, SyncResult};

use crate::engine::error::StorageError;

/// Applying reports.
#[async_trait]
pub trait Syncs: Send + Sync {
    /// Applies one report in one transaction, or refuses it and stores nothing. Locks the site's row, so that syncs of
    /// one site follow each other; an unchanged report writes the site's row and the audit row and reads no module.
    async fn apply_sync(&self, sync: Arc<SyncCommand>) -> Result<SyncResult, StorageError>;

    /// Applies a report whose modules nobody has read, as [`Syncs::apply_sync`] applies an unchanged one. `None`, with nothing
    /// stored, where the site's row does not know these modules, or anything else of the report asks for a closer look.
    async fn apply_glanced(&self, sync: Arc<SyncCommand<GlancedReport>>) -> Result<Option<SyncOutcome>, StorageError>;

    /// An applied sync from the audit log. No locks.
    async fn find_sync(&self, id: SyncId) -> Result<Option<AppliedSync>, StorageError>;
}

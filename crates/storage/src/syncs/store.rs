//! The units of work of syncs.

use std::mem;
use std::sync::Arc;

use async_trait::async_trait;
use module_monitor_domain::{SyncId, SyncOutcome};

use super::apply::{Apply, ApplyGlanced};
use super::command::{GlancedReport, SyncCommand};
use super::resident::Resident;
use super::result::{AppliedSync, SyncResult};
use super::rows::AuditRow;
use super::{Syncs, queries};
use crate::engine::error::StorageError;
use crate::engine::read::one;
use crate::engine::transaction::Backend;
use crate::releases;

#[async_trait]
impl<B: Backend<Resident = Resident>> Syncs for B {
    async fn apply_sync(&self, sync: Arc<SyncCommand>) -> Result<SyncResult, StorageError> {
        let resident = Arc::clone(self.resident());
        let now = sync.received_at;
        let applied = self.transact(Apply { command: sync, resident }).await;
        let (result, mut found) = applied.inspect_err(|error| self.resident().ids.forget_if_wrong(error))?;
        let behind = mem::take(&mut found.behind);
        self.resident().ids.remember(found);
        if !behind.is_empty() {
            // Not in the transaction, which holds their rows for share. Whatever goes wrong here, they are asked for as
            // planned.
            let _ = self.execute(releases::queries::ask_sooner(behind, now)).await;
        }
        Ok(result)
    }

    async fn apply_glanced(&self, sync: Arc<SyncCommand<GlancedReport>>) -> Result<Option<SyncOutcome>, StorageError> {
        self.transact(ApplyGlanced(sync)).await
    }

    async fn find_sync(&self, id: SyncId) -> Result<Option<AppliedSync>, StorageError> {
        one::<AuditRow, _>(self, queries::sync(id)).await
    }
}

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
use crate::releases::assessments::introduce::introduce;

#[async_trait]
impl<B: Backend<Resident = Resident>> Syncs for B {
    async fn apply_sync(&self, sync: Arc<SyncCommand>) -> Result<SyncResult, StorageError> {
        let resident = Arc::clone(self.resident());
        let (site, now) = (sync.site_id, sync.received_at);
        let (result, mut found) = self.transact(Apply { command: sync, resident }).await?;
        let (behind, named) = (mem::take(&mut found.behind), found.named.take());
        self.resident().ids.remember(found);
        if let Some(mut named) = named {
            named.ranks.retain(|project, _| !self.resident().ids.is_asked(named.feed, project));
            let feed = named.feed;
            self.resident().ids.remember_asked(feed, introduce(self, site, now, named).await);
        }
        if !behind.is_empty() {
            // Not in the transaction, which nobody should wait for. Whatever goes wrong here, they are asked for as planned.
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

//! The units of work of syncs.

use std::mem;
use std::sync::Arc;

use async_trait::async_trait;
use module_monitor_domain::SyncId;

use super::apply::Apply;
use super::command::SyncCommand;
use super::id_cache::IdCache;
use super::result::{AppliedSync, SyncResult};
use super::rows::AuditRow;
use super::{Syncs, queries};
use crate::engine::error::StorageError;
use crate::engine::read::one;
use crate::engine::transaction::Backend;
use crate::releases;

#[async_trait]
impl<B: Backend<Cache = IdCache>> Syncs for B {
    async fn apply_sync(&self, sync: Arc<SyncCommand>) -> Result<SyncResult, StorageError> {
        let cache = Arc::clone(self.cache());
        let now = sync.received_at;
        let applied = self.transact(Apply { command: sync, cache }).await;
        let (result, mut found) = applied.inspect_err(|error| self.cache().forget_if_wrong(error))?;
        let behind = mem::take(&mut found.behind);
        self.cache().remember(found);
        if !behind.is_empty() {
            // Not in the transaction, which holds their rows for share. Whatever goes wrong here, they are asked for as
            // planned.
            let _ = self.execute(releases::queries::ask_sooner(behind, now)).await;
        }
        Ok(result)
    }

    async fn find_sync(&self, id: SyncId) -> Result<Option<AppliedSync>, StorageError> {
        one::<AuditRow, _>(self, queries::sync(id)).await
    }
}

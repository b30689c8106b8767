//! The units of work of syncs.

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

#[async_trait]
impl<B: Backend<Cache = IdCache>> Syncs for B {
    async fn apply_sync(&self, sync: Arc<SyncCommand>) -> Result<SyncResult, StorageError> {
        let cache = Arc::clone(self.cache());
        let applied = self.transact(Apply { command: sync, cache }).await;
        let (result, found) = applied.inspect_err(|error| self.cache().forget_if_wrong(error))?;
        self.cache().remember(found);
        Ok(result)
    }

    async fn find_sync(&self, id: SyncId) -> Result<Option<AppliedSync>, StorageError> {
        one::<AuditRow, _>(self, queries::sync(id)).await
    }
}

//! The units of work of inventories.

use async_trait::async_trait;
use module_monitor_domain::{ChangeRef, MachineName, ModuleEvent, SiteId, SiteModule};

use super::change_set::{ChangeRow, CompleteSinceRow};
use super::rows::SiteModuleRow;
use super::{Inventory, InventoryFilter, ModuleHistory, queries};
use crate::engine::error::StorageError;
use crate::engine::read::{all, one, part};
use crate::engine::transaction::Backend;
use crate::page::{Page, Part};

#[async_trait]
impl<B: Backend> Inventory for B {
    async fn site_modules(
        &self,
        site: SiteId,
        filter: InventoryFilter,
        page: Page<MachineName>,
    ) -> Result<Part<SiteModule>, StorageError> {
        part::<SiteModuleRow, _, _>(self, queries::site_modules(site, filter, &page), &page).await
    }

    async fn site_module(&self, site: SiteId, name: &MachineName) -> Result<Option<SiteModule>, StorageError> {
        one::<SiteModuleRow, _>(self, queries::site_module(site, name)).await
    }

    async fn module_history(
        &self,
        site: SiteId,
        name: &MachineName,
        page: Page<ChangeRef>,
    ) -> Result<Option<ModuleHistory>, StorageError> {
        // First, so that what is removed meanwhile is not taken for what never was.
        let items = all::<ChangeRow, ModuleEvent>(self, queries::module_history(site, name, &page)).await?;
        let since = self.first::<CompleteSinceRow>(queries::complete_since(site, name)).await?;
        // What the last one names may be gone, and then the next part is empty.
        let more = items.len() == page.limit && items.last().is_some_and(|last| last.before.is_some());
        let events = Part { items, more };
        Ok(since.map(|since| ModuleHistory { events, complete_since: since.complete_since.0 }))
    }
}

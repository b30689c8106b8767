//! The units of work of inventories.

use async_trait::async_trait;
use module_monitor_domain::{MachineName, ModuleEvent, SiteId, SiteModule};

use super::rows::{EventRow, SiteModuleRow};
use super::{Inventory, InventoryFilter, queries};
use crate::engine::error::StorageError;
use crate::engine::read::{all, one};
use crate::engine::transaction::Backend;
use crate::page::Page;

#[async_trait]
impl<B: Backend> Inventory for B {
    async fn site_modules(
        &self,
        site: SiteId,
        filter: InventoryFilter,
        page: Page<MachineName>,
    ) -> Result<Vec<SiteModule>, StorageError> {
        all::<SiteModuleRow, _>(self, queries::site_modules(site, filter, page)).await
    }

    async fn site_module(&self, site: SiteId, name: &MachineName) -> Result<Option<SiteModule>, StorageError> {
        one::<SiteModuleRow, _>(self, queries::site_module(site, name)).await
    }

    async fn module_history(
        &self,
        site: SiteId,
        name: &MachineName,
        page: Page<i64>,
    ) -> Result<Vec<ModuleEvent>, StorageError> {
        all::<EventRow, _>(self, queries::module_history(site, name, &page)).await
    }
}

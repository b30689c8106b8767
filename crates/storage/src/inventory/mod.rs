//! What sites have installed, and what happened to it.

pub(crate) mod details;
pub(crate) mod queries;
pub(crate) mod rows;
pub(crate) mod standing;
mod store;

use async_trait::async_trait;
use module_monitor_domain::{MachineName, ModuleEvent, ModuleType, SiteId, SiteModule, UpdateStatus};

use crate::engine::error::StorageError;
use crate::page::Page;

/// What sites have installed.
#[async_trait]
pub trait Inventory: Send + Sync {
    /// A site's modules in the order of their machine names. No locks.
    async fn site_modules(
        &self,
        site: SiteId,
        filter: InventoryFilter,
        page: Page<MachineName>,
    ) -> Result<Vec<SiteModule>, StorageError>;

    /// One module of a site, removed or not. No locks.
    async fn site_module(&self, site: SiteId, name: &MachineName) -> Result<Option<SiteModule>, StorageError>;

    /// What happened to a module on a site, newest first. No locks.
    async fn module_history(
        &self,
        site: SiteId,
        name: &MachineName,
        page: Page<i64>,
    ) -> Result<Vec<ModuleEvent>, StorageError>;
}

/// Which modules of a site to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InventoryFilter {
    /// Only enabled or only disabled ones.
    pub enabled: Option<bool>,
    /// Only those of a type.
    pub module_type: Option<ModuleType>,
    /// Only those with a status.
    pub update_status: Option<UpdateStatus>,
    /// Removed modules instead of present ones.
    pub removed: bool,
}

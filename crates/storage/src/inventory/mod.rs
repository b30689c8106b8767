//! What sites have installed, and what happened to it.

pub(crate) mod change_set;
pub(crate) mod current;
pub(crate) mod details;
pub(crate) mod queries;
pub(crate) mod rows;
pub(crate) mod standing;
mod store;

use async_trait::async_trait;
use module_monitor_domain::{ChangeRef, MachineName, ModuleEvent, ModuleType, SiteId, SiteModule, UpdateStatus};
use time::OffsetDateTime;

use crate::engine::error::StorageError;
use crate::page::{Page, Part};

/// What sites have installed.
#[async_trait]
pub trait Inventory: Send + Sync {
    /// A site's modules in the order of their machine names. No locks.
    async fn site_modules(
        &self,
        site: SiteId,
        filter: InventoryFilter,
        page: Page<MachineName>,
    ) -> Result<Part<SiteModule>, StorageError>;

    /// One module of a site, removed or not. No locks.
    async fn site_module(&self, site: SiteId, name: &MachineName) -> Result<Option<SiteModule>, StorageError>;

    /// What happened to a module on a site, newest first, from the entry on at which `page` begins; `None` where the site
    /// never reported it. No locks.
    async fn module_history(
        &self,
        site: SiteId,
        name: &MachineName,
        page: Page<ChangeRef>,
    ) -> Result<Option<ModuleHistory>, StorageError>;
}

/// A part of what has happened to a module on a site, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleHistory {
    /// The entries.
    pub events: Part<ModuleEvent>,
    /// Nothing that happened since then is missing; before, what was too old or too much is not there any more.
    pub complete_since: OffsetDateTime,
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

//! The units of work. All traits are object-safe; callers hold `Arc<dyn Storage>`.

use std::sync::Arc;

use async_trait::async_trait;
use module_monitor_domain::{MachineName, Module, ModuleEvent, Site, SiteId, SiteModule, SyncId};
use time::OffsetDateTime;

use crate::{ApiKey, AppliedSync, InventoryFilter, NewKey, NewSite, Page, StorageError, SyncCommand, SyncResult};

/// Applying reports.
#[async_trait]
pub trait Syncs: Send + Sync {
    /// Applies one report in one transaction, or refuses it and stores nothing. Locks the site's row, so that syncs of
    /// one site follow each other; an unchanged report writes the site's row and the audit row and reads no module.
    async fn apply_sync(&self, sync: Arc<SyncCommand>) -> Result<SyncResult, StorageError>;

    /// An applied sync from the audit log. No locks.
    async fn find_sync(&self, id: SyncId) -> Result<Option<AppliedSync>, StorageError>;
}

/// The sites that may report.
#[async_trait]
pub trait Sites: Send + Sync {
    /// Registers a site, with its first key where it will report over HTTP, in one transaction.
    async fn create_site(&self, site: NewSite, first_key: Option<NewKey>) -> Result<(), StorageError>;

    /// One site. No locks.
    async fn find_site(&self, id: SiteId) -> Result<Option<Site>, StorageError>;

    /// Sites in the order of their ids, which is the order of registration. No locks.
    async fn list_sites(&self, page: Page<SiteId>) -> Result<Vec<Site>, StorageError>;
}

/// API keys.
#[async_trait]
pub trait Keys: Send + Sync {
    /// Stores a key. [`StorageError::MissingReference`] where its site does not exist.
    async fn create_key(&self, key: NewKey) -> Result<(), StorageError>;

    /// The key with that public id, whatever its state. No locks.
    async fn find_key(&self, id: &str) -> Result<Option<ApiKey>, StorageError>;

    /// Keys in the order of their ids. No locks.
    async fn list_keys(&self, page: Page<String>) -> Result<Vec<ApiKey>, StorageError>;

    /// Revokes a key as of `now`; one that is revoked already keeps its time. `false` where there is no such key.
    async fn revoke_key(&self, id: &str, now: OffsetDateTime) -> Result<bool, StorageError>;
}

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

/// The modules that all sites share.
#[async_trait]
pub trait Registry: Send + Sync {
    /// A module of the registry. No locks.
    async fn find_module(&self, name: &MachineName) -> Result<Option<Module>, StorageError>;
}

/// Everything a backend does.
#[async_trait]
pub trait Storage: Syncs + Sites + Keys + Inventory + Registry {
    /// Brings the schema up to date. Takes a lock, so that several nodes can start at once; the later ones find nothing
    /// left to do. Returns how many migrations were run.
    async fn migrate(&self) -> Result<usize, StorageError>;

    /// Asks the database for an answer: `Ok` when it is reachable and its schema is up to date.
    async fn check(&self) -> Result<(), StorageError>;

    /// "sqlite" or "postgres".
    fn backend(&self) -> &'static str;
}

//! The units of work. All traits are object-safe; callers hold `Arc<dyn Storage>`.

use std::sync::Arc;

use async_trait::async_trait;
use module_monitor_domain::{MachineName, Module, ModuleEvent, Site, SiteId, SiteModule, SyncId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    AdminEvent, ApiKey, AppliedSync, Cutoff, InventoryFilter, KeyGrant, KeyUse, NewKey, NewSite, Page, Rejections,
    Releases, Security, SiteChange, StorageError, SyncCommand, SyncRecord, SyncResult,
};

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
    async fn create_site(&self, site: NewSite, first_key: Option<NewKey>, actor: &str) -> Result<(), StorageError>;

    /// Changes a site as of `now`, raises the key revision and writes it to the administrators' log as `detail` by
    /// `actor`, in one transaction. `false` where there is no such site.
    async fn change_site(
        &self,
        id: SiteId,
        change: SiteChange,
        now: OffsetDateTime,
        actor: &str,
        detail: &str,
    ) -> Result<bool, StorageError>;

    /// One site. No locks.
    async fn find_site(&self, id: SiteId) -> Result<Option<Site>, StorageError>;

    /// Sites in the order of their ids, which is the order of registration. No locks.
    async fn list_sites(&self, page: Page<SiteId>) -> Result<Vec<Site>, StorageError>;
}

/// API keys. What changes them also raises the key revision and is written to the administrators' log under `actor`, in
/// one transaction.
#[async_trait]
pub trait Keys: Send + Sync {
    /// Stores a key. [`StorageError::MissingReference`] where its site does not exist.
    async fn create_key(&self, key: NewKey, actor: &str) -> Result<(), StorageError>;

    /// A number that grows whenever [`Keys::key_grants`] may answer something else. No locks.
    async fn key_revision(&self) -> Result<i64, StorageError>;

    /// Every key as authentication needs it, whatever its state. No locks.
    async fn key_grants(&self) -> Result<Vec<KeyGrant>, StorageError>;

    /// The key with that public id as authentication needs it, whatever its state. No locks.
    async fn find_key(&self, id: &str) -> Result<Option<KeyGrant>, StorageError>;

    /// Keys in the order of their ids. No locks.
    async fn list_keys(&self, page: Page<String>) -> Result<Vec<ApiKey>, StorageError>;

    /// Revokes a key as of `now`; one that is revoked already keeps its time. `false` where there is no such key.
    async fn revoke_key(&self, id: &str, now: OffsetDateTime, actor: &str) -> Result<bool, StorageError>;

    /// Moves the last use of keys forward. Keys that are gone are passed over.
    async fn mark_keys_used(&self, uses: Vec<KeyUse>) -> Result<(), StorageError>;
}

/// The audit log. Applied syncs get into it in their own transaction; see [`Syncs`].
#[async_trait]
pub trait Audit: Send + Sync {
    /// Adds refused syncs; those of one site, key, reason and minute share a row. Give each such row once.
    async fn record_rejections(&self, rejections: Vec<Rejections>) -> Result<(), StorageError>;

    /// What a site sent, applied and refused, newest first. No locks.
    async fn site_syncs(&self, site: SiteId, page: Page<Uuid>) -> Result<Vec<SyncRecord>, StorageError>;

    /// What administrators did, newest first. No locks.
    async fn admin_events(&self, page: Page<i64>) -> Result<Vec<AdminEvent>, StorageError>;

    /// Removes at most `batch` rows of each kind that are older than `cutoff`, and says how many. Each kind is a
    /// transaction of its own; call it again until there is nothing left.
    async fn prune(&self, cutoff: Cutoff, batch: usize) -> Result<usize, StorageError>;
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
pub trait Storage: Syncs + Sites + Keys + Audit + Inventory + Registry + Releases + Security {
    /// Brings the schema up to date. Takes a lock, so that several nodes can start at once; the later ones find nothing
    /// left to do. Returns how many migrations were run.
    async fn migrate(&self) -> Result<usize, StorageError>;

    /// Asks the database for an answer: `Ok` when it is reachable and its schema is up to date.
    async fn check(&self) -> Result<(), StorageError>;

    /// "sqlite" or "postgres".
    fn backend(&self) -> &'static str;
}

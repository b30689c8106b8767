//! The units of work. All traits are object-safe; callers hold `Arc<dyn Storage>`.

use std::sync::Arc;

use async_trait::async_trait;
use module_monitor_domain::{
    DrupalVersion, MachineName, Module, ModuleEvent, ModuleVersion, Site, SiteId, SiteModule, SyncId,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    AdminEvent, ApiKey, AppliedSync, Claim, Claimant, Cutoff, Departure, Enqueued, InventoryFilter, Job, JobError,
    JobLease, JobState, KeyGrant, KeyUse, ModuleCorrection, ModuleFilter, ModuleSite, ModuleSitesFilter, NewJob,
    NewKey, NewSite, Page, QueueFigures, Rejections, Releases, Security, SiteChange, SiteFilter, StorageError,
    SyncCommand, SyncRecord, SyncResult,
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

    /// Changes a site as of `now` and writes it to the administrators' log as `detail` by `actor`, in one transaction.
    /// Raises the key revision where authentication must know. `false` where there is no such site.
    async fn change_site(
        &self,
        id: SiteId,
        change: SiteChange,
        now: OffsetDateTime,
        actor: &str,
        detail: &str,
    ) -> Result<bool, StorageError>;

    /// Removes a site for good as of `now`, on behalf of `actor`: nobody finds it any more, its keys are revoked and its
    /// tags gone when this returns, in one short transaction that waits for a sync in progress. Its inventory and
    /// history are left to [`Sites::delete_leftovers`]; its audit log and a tombstone stay. `false` where there is no
    /// such site.
    async fn remove_site(&self, id: SiteId, now: OffsetDateTime, actor: &str) -> Result<bool, StorageError>;

    /// Deletes at most `batch` rows of each kind that one removed site has left, and says how many; each kind is a
    /// transaction of its own. `None` once no removed site has any. May run on several nodes at once.
    async fn delete_leftovers(&self, batch: usize) -> Result<Option<usize>, StorageError>;

    /// One site. No locks.
    async fn find_site(&self, id: SiteId) -> Result<Option<Site>, StorageError>;

    /// Sites in the order of their ids, which is the order of registration. No locks.
    async fn list_sites(&self, filter: SiteFilter, page: Page<SiteId>) -> Result<Vec<Site>, StorageError>;
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

    /// The keys of one site in the order of their ids. No locks.
    async fn site_keys(&self, site: SiteId, page: Page<String>) -> Result<Vec<ApiKey>, StorageError>;

    /// Revokes a key as of `now`; one that is revoked already keeps its time. `false` where there is no such key.
    async fn revoke_key(&self, id: &str, now: OffsetDateTime, actor: &str) -> Result<bool, StorageError>;

    /// Moves the last use of keys forward. Keys that are gone are passed over.
    async fn mark_keys_used(&self, uses: Vec<KeyUse>) -> Result<(), StorageError>;
}

/// The audit log. Applied syncs get into it in their own transaction; see [`Syncs`].
#[async_trait]
pub trait Audit: Send + Sync {
    /// Adds refused syncs; those of one site, key, reason and minute share a row. Give each such row once. What came
    /// after a site's last applied report also counts on its row, which is locked for that.
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

    /// Modules in the order of their machine names. No locks.
    async fn list_modules(&self, filter: ModuleFilter, page: Page<MachineName>) -> Result<Vec<Module>, StorageError>;

    /// The versions of a module, the earliest first. No locks.
    async fn module_versions(
        &self,
        name: &MachineName,
        page: Page<DrupalVersion>,
    ) -> Result<Vec<ModuleVersion>, StorageError>;

    /// Which sites have a module, in the order of their ids. No locks.
    async fn module_sites(
        &self,
        filter: ModuleSitesFilter,
        page: Page<SiteId>,
    ) -> Result<Vec<ModuleSite>, StorageError>;

    /// Corrects a module as of `now` and writes it to the administrators' log as `detail` by `actor`, in one
    /// transaction. No report overwrites it. `false` where there is no such module.
    async fn correct_module(
        &self,
        name: &MachineName,
        correction: ModuleCorrection,
        now: OffsetDateTime,
        actor: &str,
        detail: &str,
    ) -> Result<bool, StorageError>;
}

/// The queue. Whatever changes a site's jobs holds the lock on the site's row, as a sync does; a job that is applied ends
/// in the transaction of its sync, see [`Syncs::apply_sync`] and [`crate::Via::Queue`].
#[async_trait]
pub trait Jobs: Send + Sync {
    /// Accepts a sync into the queue, where it supersedes what it must, or refuses it and stores nothing. Safe to repeat
    /// with the same sync id.
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued, StorageError>;

    /// Takes the job that has been due longest, of those whose turn it is and whose site is active. Jobs of a site have
    /// their turns by time stamp, then acceptance, one after the other.
    async fn claim(&self, claimant: Claimant) -> Result<Claim, StorageError>;

    /// Moves the end of a lease. `false` where it has been lost.
    async fn renew(&self, lease: JobLease, until: OffsetDateTime) -> Result<bool, StorageError>;

    /// Leaves a job that could not be applied, and says what it is doing now; `None` where the lease has been lost.
    async fn leave(
        &self,
        lease: JobLease,
        departure: Departure,
        now: OffsetDateTime,
    ) -> Result<Option<JobState>, StorageError>;

    /// One job. No locks.
    async fn find_job(&self, id: SyncId) -> Result<Option<Job>, StorageError>;

    /// The attempts at a job that did not end well, oldest first. No locks.
    async fn job_errors(&self, id: SyncId) -> Result<Vec<JobError>, StorageError>;

    /// The body of a job as it was stored, compressed, where it is still kept. No locks.
    async fn job_payload(&self, id: SyncId) -> Result<Option<Vec<u8>>, StorageError>;

    /// Dead letters, newest first. No locks.
    async fn dead_letters(&self, page: Page<Uuid>) -> Result<Vec<Job>, StorageError>;

    /// Queues a dead letter again, or ends it as superseded where a newer report has said it all, and writes that to the
    /// administrators' log. Says what it is doing now; `None` where there is no such dead letter.
    async fn retry_dead_letter(
        &self,
        id: SyncId,
        now: OffsetDateTime,
        actor: &str,
    ) -> Result<Option<JobState>, StorageError>;

    /// Ends a dead letter for good, and writes that to the administrators' log. `false` where there is none.
    async fn discard_dead_letter(&self, id: SyncId, now: OffsetDateTime, actor: &str) -> Result<bool, StorageError>;

    /// How the queue is doing. Workers seen after `alive_since` count as alive. No locks.
    async fn queue_figures(
        &self,
        now: OffsetDateTime,
        alive_since: OffsetDateTime,
    ) -> Result<QueueFigures, StorageError>;

    /// Writes down that a worker is alive.
    async fn worker_seen(&self, worker: &str, now: OffsetDateTime) -> Result<(), StorageError>;

    /// Forgets a worker that ends, and all that were last seen before `before`.
    async fn worker_gone(&self, worker: &str, before: OffsetDateTime) -> Result<(), StorageError>;

    /// How many workers have been seen after `since`. No locks.
    async fn live_workers(&self, since: OffsetDateTime) -> Result<usize, StorageError>;
}

/// Everything a backend does.
#[async_trait]
pub trait Storage: Syncs + Sites + Keys + Audit + Inventory + Registry + Jobs + Releases + Security {
    /// Brings the schema up to date. Takes a lock, so that several nodes can start at once; the later ones find nothing
    /// left to do. Returns how many migrations were run.
    async fn migrate(&self) -> Result<usize, StorageError>;

    /// Asks the database for an answer: `Ok` when it is reachable and its schema is up to date.
    async fn check(&self) -> Result<(), StorageError>;

    /// "sqlite" or "postgres".
    fn backend(&self) -> &'static str;
}

//! Everything a database does.

use async_trait::async_trait;

use crate::admin_log::AdminLog;
use crate::engine::error::StorageError;
use crate::engine::migrations;
use crate::engine::transaction::Backend;
use crate::identities::Identities;
use crate::inventory::Inventory;
use crate::keys::Keys;
use crate::orphans::Orphans;
use crate::outbox::Outbox;
use crate::registry::Registry;
use crate::releases::Releases;
use crate::retention::Retention;
use crate::security::Security;
use crate::sites::Sites;
use crate::syncs::Syncs;
use crate::syncs::log::Audit;
use crate::syncs::queue::Jobs;
use crate::syncs::resident::Resident;

/// The areas together. Each method of theirs is one unit of work; all are object-safe, and callers hold
/// `Arc<dyn Storage>`.
#[async_trait]
pub trait Storage:
    Sites
    + Keys
    + Inventory
    + Registry
    + Identities
    + Releases
    + Security
    + Syncs
    + Jobs
    + Audit
    + AdminLog
    + Outbox
    + Retention
    + Orphans
{
    /// Brings the schema up to date, all of it or nothing. Where there is something to do it takes a lock, so that several
    /// nodes can start at once; the later ones find nothing left to do. Returns how many migrations were run. [`StorageError::AnotherSchema`] where the database was made by
    /// another text of the schema.
    async fn migrate(&self) -> Result<usize, StorageError>;

    /// Asks the database for an answer: `Ok` when it is reachable and its schema is up to date.
    async fn check(&self) -> Result<(), StorageError>;

    /// Like [`Storage::check`], and also writes a row as it is: a standby or a full disk answers questions as usual.
    async fn check_writes(&self) -> Result<(), StorageError>;

    /// "sqlite" or "postgres".
    fn backend(&self) -> &'static str;
}

#[async_trait]
impl<B: Backend<Resident = Resident>> Storage for B {
    async fn migrate(&self) -> Result<usize, StorageError> {
        match migrations::check(self).await {
            Ok(()) => Ok(0),
            Err(StorageError::NotMigrated { .. }) => self.bring_up_to_date().await,
            Err(error) => Err(error),
        }
    }

    async fn check(&self) -> Result<(), StorageError> {
        migrations::check(self).await
    }

    async fn check_writes(&self) -> Result<(), StorageError> {
        migrations::check_writes(self).await
    }

    fn backend(&self) -> &'static str {
        self.name()
    }
}

//! Keys of sites and administrators: what authentication knows of them, and who issued and revoked them.

pub(crate) mod issue;
pub(crate) mod queries;
mod rows;
mod store;

use async_trait::async_trait;
use module_monitor_domain::{KeyName, SiteId};
use time::OffsetDateTime;

use crate::engine::error::StorageError;
use crate::page::{Page, Part};

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
    async fn list_keys(&self, page: Page<String>) -> Result<Part<ApiKey>, StorageError>;

    /// The keys of one site in the order of their ids. No locks.
    async fn site_keys(&self, site: SiteId, page: Page<String>) -> Result<Part<ApiKey>, StorageError>;

    /// Revokes a key as of `now`; one that is revoked already keeps its time. `false` where there is no such key.
    async fn revoke_key(&self, id: &str, now: OffsetDateTime, actor: &str) -> Result<bool, StorageError>;

    /// Moves the last use of keys forward. Keys that are gone are passed over.
    async fn mark_keys_used(&self, uses: Vec<KeyUse>) -> Result<(), StorageError>;
}

/// A key to store. The secret itself never gets here.
#[derive(Clone, PartialEq, Eq)]
pub struct NewKey {
    /// The public id, part of the key.
    pub id: String,
    /// The site it is for; `None` for an admin key.
    pub site_id: Option<SiteId>,
    /// What people call it.
    pub name: Option<KeyName>,
    /// SHA-256 of the secret.
    pub secret_hash: [u8; 32],
    /// Now.
    pub created_at: OffsetDateTime,
    /// From when on it no longer works.
    pub expires_at: Option<OffsetDateTime>,
}

/// A stored key, as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The public id, part of the key.
    pub id: String,
    /// The site it is for; `None` for an admin key.
    pub site_id: Option<SiteId>,
    /// What people call it.
    pub name: Option<String>,
    /// When it was issued.
    pub created_at: OffsetDateTime,
    /// When it was last used; written in batches.
    pub last_used_at: Option<OffsetDateTime>,
    /// From when on it no longer works.
    pub expires_at: Option<OffsetDateTime>,
    /// When it was revoked.
    pub revoked_at: Option<OffsetDateTime>,
}

/// A stored key, as authentication needs it.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyGrant {
    /// The public id, part of the key.
    pub id: String,
    /// SHA-256 of the secret.
    pub secret_hash: [u8; 32],
    /// The site it is for; `None` for an admin key.
    pub site_id: Option<SiteId>,
    /// From when on it no longer works.
    pub expires_at: Option<OffsetDateTime>,
    /// When it was revoked.
    pub revoked_at: Option<OffsetDateTime>,
    /// Whether its site may report.
    pub site_active: bool,
    /// Syncs its site may send in the rate limit's window, where that differs from what the server allows.
    pub rate_limit: Option<u32>,
}

/// That a key was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// The public id.
    pub id: String,
    /// When.
    pub at: OffsetDateTime,
}

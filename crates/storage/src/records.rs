//! What goes into and comes out of the units of work, where the domain has no type for it.

use std::time::Instant;

use module_monitor_domain::{ModuleType, Refusal, Report, SiteId, SyncId, SyncOutcome, UpdateStatus};
use time::OffsetDateTime;

/// Who sent a sync.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncOrigin {
    /// The public id of the key it came with.
    pub key_id: Option<String>,
    /// The client's address.
    pub client_address: Option<String>,
    /// The size of the body as received, in bytes.
    pub body_bytes: Option<i64>,
}

/// A sync to apply.
#[derive(Clone, Debug)]
pub struct SyncCommand {
    /// Its id; the same for every attempt.
    pub sync_id: SyncId,
    /// The site that reports.
    pub site_id: SiteId,
    /// Who sent it.
    pub origin: SyncOrigin,
    /// What it reports.
    pub report: Report,
    /// What the client should know from reading the report.
    pub warnings: Vec<String>,
    /// When it was received (server time, microseconds).
    pub received_at: OffsetDateTime,
    /// The same moment on the monotonic clock.
    pub received: Instant,
    /// When the site should report next.
    pub next_sync_after: OffsetDateTime,
}

/// What became of a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncResult {
    /// It is stored.
    Applied(SyncOutcome),
    /// It is not, and this is why.
    Refused(Refusal),
}

/// An applied sync as the audit log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedSync {
    /// What it did.
    pub outcome: SyncOutcome,
    /// When it was received.
    pub received_at: OffsetDateTime,
    /// Who sent it.
    pub origin: SyncOrigin,
}

/// A site to register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSite {
    /// Its id.
    pub id: SiteId,
    /// Its name.
    pub name: String,
    /// Its address.
    pub url: Option<String>,
    /// Now.
    pub created_at: OffsetDateTime,
}

/// A key to store. The secret itself never gets here.
#[derive(Clone, PartialEq, Eq)]
pub struct NewKey {
    /// The public id, part of the key.
    pub id: String,
    /// The site it is for; `None` for an admin key.
    pub site_id: Option<SiteId>,
    /// What people call it.
    pub name: Option<String>,
    /// SHA-256 of the secret.
    pub secret_hash: [u8; 32],
    /// Now.
    pub created_at: OffsetDateTime,
    /// From when on it no longer works.
    pub expires_at: Option<OffsetDateTime>,
}

/// A stored key.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The public id, part of the key.
    pub id: String,
    /// The site it is for; `None` for an admin key.
    pub site_id: Option<SiteId>,
    /// What people call it.
    pub name: Option<String>,
    /// SHA-256 of the secret.
    pub secret_hash: [u8; 32],
    /// When it was issued.
    pub created_at: OffsetDateTime,
    /// From when on it no longer works.
    pub expires_at: Option<OffsetDateTime>,
    /// When it was revoked.
    pub revoked_at: Option<OffsetDateTime>,
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

/// A part of a list that is ordered by something unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<C> {
    /// How many items at most.
    pub limit: usize,
    /// Start behind this item.
    pub after: Option<C>,
}

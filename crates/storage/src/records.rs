//! What goes into and comes out of the units of work, where the domain has no type for it.

use std::collections::BTreeSet;
use std::time::Instant;

use module_monitor_domain::{
    DrupalVersion, MachineName, ModuleType, Refusal, Report, Reporting, SiteId, SyncId, SyncOutcome, UpdateStatus,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Job, JobLease};

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

/// A client's promise that a report with this key is one and the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// What the client sent.
    pub key: String,
    /// SHA-256 of the decoded body.
    pub body_hash: [u8; 32],
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
    /// Where the client sent one: answers a repetition with what the first one did.
    pub idempotency: Option<IdempotencyKey>,
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
    /// How it comes to the storage.
    pub via: Via,
}

impl SyncCommand {
    /// Whether it comes as it was received, and not from the queue.
    pub(crate) fn is_direct(&self) -> bool {
        !matches!(self.via, Via::Queue { .. })
    }
}

/// How a sync comes to the storage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Via {
    /// As it was received. Where its site has jobs in the queue, it must go there too.
    #[default]
    Direct,
    /// The same, and where it changes anything it must go to the queue, too.
    DirectIfUnchanged,
    /// From the queue: it is applied, and the job ended, where the lease still holds.
    Queue {
        /// The right to end the job.
        lease: JobLease,
        /// Now.
        now: OffsetDateTime,
    },
}

/// What became of a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncResult {
    /// It is stored.
    Applied(SyncOutcome),
    /// It was stored before, under the same idempotency key.
    Replayed(SyncOutcome),
    /// It is not, and this is why.
    Refused(Refusal),
    /// It is not yet: under the same idempotency key it is in the queue, or has been.
    Waiting(Box<Job>),
    /// It is not, because it must go to the queue; see [`Via`].
    MustQueue,
    /// It is not, because the job is another worker's by now, or nobody's.
    LeaseLost,
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
    /// Now.
    pub created_at: OffsetDateTime,
    /// Whatever else is known of it.
    pub settings: SiteChange,
}

/// What to change of a site; what is `None` stays, and `Some(None)` makes it what it is where nobody says anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteChange {
    /// Its name.
    pub name: Option<String>,
    /// Its address.
    pub url: Option<Option<String>>,
    /// Its environment, whatever it reports.
    pub environment: Option<Option<String>>,
    /// All of its tags.
    pub tags: Option<BTreeSet<String>>,
    /// Whether it may report.
    pub active: Option<bool>,
    /// Refuse reports of another identity instead of warning about them.
    pub strict_identity: Option<bool>,
    /// Syncs it may send in the rate limit's window; `Some(None)`: what the server allows.
    pub rate_limit: Option<Option<u32>>,
    /// Seconds without a report after which it is silent.
    pub silent_after: Option<Option<u32>>,
    /// `false` acknowledges a mass removal.
    pub mass_removal: Option<bool>,
    /// `false` acknowledges a conflict of identities.
    pub conflict: Option<bool>,
}

/// Which sites to list: those that meet everything that is `Some`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteFilter {
    /// With that tag.
    pub tag: Option<String>,
    /// Silent at that time, or not.
    pub silent: Option<(bool, OffsetDateTime)>,
    /// Whose reports arrive, or not.
    pub reporting: Option<Reporting>,
    /// Which have reported under more than one identity.
    pub conflict: Option<bool>,
    /// Which need security updates.
    pub security: Option<bool>,
    /// Whose last full report removed most of their modules.
    pub mass_removal: Option<bool>,
    /// Which may report.
    pub active: Option<bool>,
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

/// Syncs of one site that were refused for one reason within a minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejections {
    /// Its place in the site's log: a UUID version 7 of the first attempt.
    pub id: Uuid,
    /// The site whose log it is in: that of the key.
    pub site_id: SiteId,
    /// The public id of the key.
    pub key_id: String,
    /// The code of the problem that was answered.
    pub reason: String,
    /// How many attempts.
    pub count: i64,
    /// The first of them. Its minute is the minute of all.
    pub first_at: OffsetDateTime,
    /// The last of them.
    pub last_at: OffsetDateTime,
    /// The client's address, of the last attempt.
    pub client_address: Option<String>,
    /// The size of the body as received, in bytes, of the last attempt.
    pub body_bytes: Option<i64>,
}

/// An entry of a site's audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncRecord {
    /// A sync that was applied.
    Applied(AppliedSync),
    /// A sync that waits in the queue, or was there and could not be applied.
    Queued(Job),
    /// Syncs that were refused.
    Rejected(Rejections),
}

impl SyncRecord {
    /// Its place in the log; greater ids are newer.
    pub fn id(&self) -> Uuid {
        match self {
            Self::Applied(sync) => sync.outcome.sync_id.0,
            Self::Queued(job) => job.id.0,
            Self::Rejected(rejections) => rejections.id,
        }
    }
}

/// What an administrator did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminEvent {
    /// Grows with every event.
    pub id: i64,
    /// When.
    pub at: OffsetDateTime,
    /// Who: the public id of an admin key, or the command line.
    pub actor: String,
    /// What, such as `key.revoked`.
    pub action: String,
    /// The site it was about.
    pub site_id: Option<SiteId>,
    /// The id of what it was done to.
    pub target: String,
    /// More of it, such as the name.
    pub detail: Option<String>,
}

/// From when on audit rows are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cutoff {
    /// Syncs received before are removed, applied and refused ones.
    pub syncs: OffsetDateTime,
    /// Idempotency keys made before are removed.
    pub idempotency_keys: OffsetDateTime,
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

/// What to correct of a module in the registry; what is `None` stays, `Some(None)` is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModuleCorrection {
    /// Display name.
    pub name: Option<Option<String>>,
    /// What it does.
    pub description: Option<Option<String>>,
    /// Its page.
    pub project_link: Option<Option<String>>,
}

/// Which modules of the registry to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModuleFilter {
    /// Only those of a type.
    pub module_type: Option<ModuleType>,
    /// Only those whose machine names begin with it.
    pub prefix: String,
}

/// Which sites that have a module to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleSitesFilter {
    /// The module.
    pub module: MachineName,
    /// Only those that have exactly this version.
    pub version: Option<DrupalVersion>,
    /// Only those that have an earlier version than this one.
    pub below: Option<DrupalVersion>,
    /// Sites that had it once, instead of those that have it.
    pub removed: bool,
}

/// A site that has a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleSite {
    /// The site.
    pub site_id: SiteId,
    /// What people call it.
    pub site_name: String,
    /// The version it has, where it knows it.
    pub version: Option<DrupalVersion>,
    /// Whether the module is enabled there.
    pub enabled: bool,
    /// The type that this site gives it.
    pub module_type: ModuleType,
    /// When the site first reported it (server time).
    pub first_seen: OffsetDateTime,
    /// When the site last had it.
    pub last_seen: OffsetDateTime,
    /// When a full report first left it out.
    pub removed_at: Option<OffsetDateTime>,
}

/// A part of a list that is ordered by something unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<C> {
    /// How many items at most.
    pub limit: usize,
    /// Start behind this item.
    pub after: Option<C>,
}

impl<C> Page<C> {
    /// The same part, its position written in another way.
    pub fn map<D>(self, position: impl FnOnce(C) -> D) -> Page<D> {
        Page { limit: self.limit, after: self.after.map(position) }
    }
}

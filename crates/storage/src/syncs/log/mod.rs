//! The audit log of what sites sent, applied and refused.

pub(crate) mod queries;
mod rows;
mod store;
mod write;

use async_trait::async_trait;
use module_monitor_domain::SiteId;
use time::OffsetDateTime;
use uuid::Uuid;

use super::queue::Job;
use super::result::AppliedSync;
use crate::engine::error::StorageError;
use crate::page::{Page, Part};

/// The audit log. Applied syncs get into it in their own transaction; see [`crate::Syncs`].
#[async_trait]
pub trait Audit: Send + Sync {
    /// Adds refused syncs; those of one site, key, reason and minute share a row. Give each such row once. What came
    /// after a site's last applied report also counts on its row, which is locked for that.
    async fn record_rejections(&self, rejections: Vec<Rejections>) -> Result<(), StorageError>;

    /// What a site sent, applied and refused, newest first. No locks.
    async fn site_syncs(&self, site: SiteId, page: Page<Uuid>) -> Result<Part<SyncRecord>, StorageError>;
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

//! What comes to the storage to be applied.

use std::time::Instant;

use module_monitor_domain::{ModulesHash, Report, ReportHead, Reported, SiteId, SyncId};
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

/// A client's promise that a report with this key is one and the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// What the client sent.
    pub key: String,
    /// BLAKE3 of the decoded body.
    pub body_hash: [u8; 32],
}

/// A full report of which only the top level has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlancedReport {
    /// Everything but the modules.
    pub head: ReportHead,
    /// What the bytes of its modules are known by.
    pub modules: ModulesHash,
}

impl Reported for GlancedReport {
    fn head(&self) -> &ReportHead {
        &self.head
    }
}

/// A sync to apply.
#[derive(Clone, Debug)]
pub struct SyncCommand<R = Report> {
    /// Its id; the same for every attempt.
    pub sync_id: SyncId,
    /// The site that reports.
    pub site_id: SiteId,
    /// Who sent it.
    pub origin: SyncOrigin,
    /// Where the client sent one: answers a repetition with what the first one did.
    pub idempotency: Option<IdempotencyKey>,
    /// What it reports.
    pub report: R,
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
    pub(super) fn is_direct(&self) -> bool {
        !matches!(self.via, Via::Queue { .. })
    }

    /// When it is applied.
    pub(super) fn applied_at(&self) -> OffsetDateTime {
        match self.via {
            Via::Queue { now, .. } => now,
            Via::Direct | Via::DirectIfUnchanged => self.received_at,
        }
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

/// A worker's right to finish a job, until its lease ends or somebody else has taken the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobLease {
    /// The job.
    pub id: SyncId,
    /// Its site.
    pub site_id: SiteId,
    /// Which lease of the job it is.
    pub token: i64,
}

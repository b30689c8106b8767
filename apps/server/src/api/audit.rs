//! The audit log as it is shown: what sites sent, and what administrators did.

use module_monitor_ingestion::SyncResponse;
use module_monitor_storage::{AdminEvent, AppliedSync, Job, JobState, Rejections, SyncOrigin, SyncRecord};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::report::SyncResult;
use super::words;

/// An entry of a site's audit log.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Entry {
    Sync(Box<SyncEntry>),
    Rejected(RejectedEntry),
}

/// A sync that was accepted.
#[derive(Serialize, ToSchema)]
#[schema(as = Sync)]
pub(crate) struct SyncEntry {
    #[schema(schema_with = words::sync_id)]
    pub(crate) sync_id: String,
    pub(crate) site_id: i64,
    #[schema(schema_with = words::sync_status)]
    pub(crate) status: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) received_at: OffsetDateTime,
    pub(crate) key_id: Option<String>,
    pub(crate) client_address: Option<String>,
    pub(crate) body_bytes: Option<i64>,
    /// How often a worker has taken it; `null` where it did not go through the queue.
    pub(crate) attempts: Option<i32>,
    /// Why it failed, was superseded or is dead.
    pub(crate) reason: Option<String>,
    /// What the last attempt that did not end well said.
    pub(crate) last_error: Option<String>,
    /// When it left the queue.
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) finished_at: Option<OffsetDateTime>,
    /// What the report was answered with, or would have been; `null` until it has been applied.
    #[schema(value_type = Option<SyncResult>)]
    pub(crate) result: Option<SyncResponse>,
}

/// Syncs that were refused for one reason within a minute.
#[derive(Serialize, ToSchema)]
pub(crate) struct RejectedEntry {
    #[schema(schema_with = words::rejected)]
    pub(crate) status: &'static str,
    /// The `code` of the problem it was answered with, or `wrong-site`.
    pub(crate) reason: String,
    #[schema(minimum = 1)]
    pub(crate) count: i64,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) first_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) last_at: OffsetDateTime,
    pub(crate) key_id: String,
    pub(crate) client_address: Option<String>,
    pub(crate) body_bytes: Option<i64>,
}

impl From<AppliedSync> for SyncEntry {
    fn from(sync: AppliedSync) -> Self {
        let SyncOrigin { key_id, client_address, body_bytes } = sync.origin;
        Self {
            sync_id: sync.outcome.sync_id.to_string(),
            site_id: sync.outcome.site_id.0,
            status: JobState::Succeeded.as_str(),
            received_at: sync.received_at,
            key_id,
            client_address,
            body_bytes,
            attempts: None,
            reason: None,
            last_error: None,
            finished_at: None,
            result: Some(sync.outcome.into()),
        }
    }
}

impl From<Job> for SyncEntry {
    fn from(job: Job) -> Self {
        let SyncOrigin { key_id, client_address, body_bytes } = job.origin;
        Self {
            sync_id: job.id.to_string(),
            site_id: job.site_id.0,
            status: job.state.as_str(),
            received_at: job.received_at,
            key_id,
            client_address,
            body_bytes,
            attempts: Some(job.attempts),
            reason: job.reason,
            // What is behind an error is for administrators, who find it with the dead letters.
            last_error: job.last_error.map(|chain| chain.split(": ").next().unwrap_or_default().to_owned()),
            finished_at: job.finished_at,
            result: None,
        }
    }
}

impl From<Rejections> for RejectedEntry {
    fn from(rejections: Rejections) -> Self {
        Self {
            status: "rejected",
            reason: rejections.reason,
            count: rejections.count,
            first_at: rejections.first_at,
            last_at: rejections.last_at,
            key_id: rejections.key_id,
            client_address: rejections.client_address,
            body_bytes: rejections.body_bytes,
        }
    }
}

impl From<SyncRecord> for Entry {
    fn from(record: SyncRecord) -> Self {
        match record {
            SyncRecord::Applied(sync) => Self::Sync(Box::new(sync.into())),
            SyncRecord::Queued(job) => Self::Sync(Box::new(job.into())),
            SyncRecord::Rejected(rejections) => Self::Rejected(rejections.into()),
        }
    }
}

/// What an administrator did.
#[derive(Serialize, ToSchema)]
pub(crate) struct Administration {
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) at: OffsetDateTime,
    pub(crate) actor: String,
    #[schema(schema_with = words::admin_action)]
    pub(crate) action: &'static str,
    pub(crate) site_id: Option<i64>,
    pub(crate) target: String,
    pub(crate) detail: Option<String>,
}

impl From<AdminEvent> for Administration {
    fn from(event: AdminEvent) -> Self {
        Self {
            at: event.at,
            actor: event.actor,
            action: event.action.as_str(),
            site_id: event.site_id.map(|site| site.0),
            target: event.target,
            detail: event.detail,
        }
    }
}

//! What others are told of: who wants to know what, and the events that are kept for them.
//!
//! An event is written in the transaction of what it tells, by one statement that itself asks whether a webhook wants its
//! kind: see [`record`].

mod queries;
mod record;
mod rows;
mod store;

use std::collections::BTreeSet;

use async_trait::async_trait;
use module_monitor_domain::{SiteId, SiteUrl, Tag, WebhookEvent};
use time::OffsetDateTime;

use crate::engine::error::StorageError;
use crate::page::{Page, Part};

pub(crate) use record::{job_ended, mass_removal, nothing_more, record, sync_completed};

/// Webhooks and the events that wait for them.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Registers a webhook as `actor`. From the commit on, what it wants is kept for it.
    async fn create_webhook(&self, webhook: NewWebhook, actor: &str) -> Result<Webhook, StorageError>;

    /// Webhooks in the order of their ids. No locks.
    async fn list_webhooks(&self, page: Page<i64>) -> Result<Part<Webhook>, StorageError>;

    /// Removes a webhook as `actor`, and the events that only it was left for. `false` where there is none of that id.
    async fn remove_webhook(&self, id: i64, now: OffsetDateTime, actor: &str) -> Result<bool, StorageError>;

    /// Events that wait, the oldest first. No locks.
    async fn waiting_events(&self, page: Page<i64>) -> Result<Part<OutboxEvent>, StorageError>;
}

/// A webhook to register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWebhook {
    /// Where to tell.
    pub url: SiteUrl,
    /// What to tell.
    pub kinds: BTreeSet<WebhookEvent>,
    /// Only of sites with that tag; `None`: of all.
    pub tag: Option<Tag>,
    /// Now.
    pub created_at: OffsetDateTime,
}

/// A registered webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its id; never reused.
    pub id: i64,
    /// Where to tell.
    pub url: String,
    /// What to tell.
    pub kinds: BTreeSet<WebhookEvent>,
    /// Only of sites with that tag.
    pub tag: Option<String>,
    /// When it was registered.
    pub created_at: OffsetDateTime,
    /// Who did it.
    pub created_by: String,
}

/// Something that is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEvent {
    /// Grows with every event.
    pub id: i64,
    /// What happened.
    pub kind: WebhookEvent,
    /// The site it is about.
    pub site_id: Option<SiteId>,
    /// When (server time).
    pub at: OffsetDateTime,
    /// More of it.
    pub data: serde_json::Value,
}

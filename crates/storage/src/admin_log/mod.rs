//! What administrators did. Append-only; written in the transaction of what was done.

pub(crate) mod queries;
mod rows;
mod store;

use async_trait::async_trait;
use module_monitor_domain::{AdminAction, SiteId};
use time::OffsetDateTime;

use crate::engine::error::StorageError;
use crate::page::{Page, Part};

/// The administrators' log.
#[async_trait]
pub trait AdminLog: Send + Sync {
    /// What administrators did, newest first. No locks.
    async fn admin_events(&self, page: Page<i64>) -> Result<Part<AdminEvent>, StorageError>;
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
    /// What.
    pub action: AdminAction,
    /// The site it was about.
    pub site_id: Option<SiteId>,
    /// The id of what it was done to.
    pub target: String,
    /// More of it, such as the name.
    pub detail: Option<String>,
}

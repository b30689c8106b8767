//! Refused syncs on their way to the audit log.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use module_monitor_domain::SiteId;
use module_monitor_ingestion::uuid_at;
use module_monitor_storage::{Rejections, Storage};
use time::OffsetDateTime;

use crate::health::Health;
use crate::logging::Chain;

/// How many rows may wait to be written. Beyond that refusals are in the log stream alone.
const MAX_WAITING: usize = 10_000;

/// The site, key, reason and minute that share a row.
type Row = (SiteId, String, &'static str, i64);

/// A sync that was refused.
pub(crate) struct Refused {
    /// The site whose log it belongs to: that of the key.
    pub(crate) site: SiteId,
    /// The public id of the key.
    pub(crate) key_id: String,
    /// The code of the problem.
    pub(crate) reason: &'static str,
    /// When.
    pub(crate) at: OffsetDateTime,
    /// The client's address.
    pub(crate) client_address: Option<String>,
    /// The size of the body as announced, in bytes.
    pub(crate) body_bytes: Option<i64>,
}

/// Counts refusals by site, key, reason and minute, so that a client which hammers at the door costs the database next
/// to nothing. Written every second, before the log is read, and when the server stops.
pub(crate) struct RejectionLog {
    storage: Arc<dyn Storage>,
    health: Arc<Health>,
    waiting: Mutex<HashMap<Row, Rejections>>,
    /// One write at a time, so that who reads the log after a write finds what an earlier one was still writing.
    writing: tokio::sync::Mutex<()>,
}

impl RejectionLog {
    pub(crate) fn new(storage: Arc<dyn Storage>, health: Arc<Health>) -> Self {
        Self { storage, health, waiting: Mutex::default(), writing: tokio::sync::Mutex::default() }
    }

    /// Counts one refusal.
    pub(crate) fn add(&self, refused: Refused) {
        let row = (refused.site, refused.key_id.clone(), refused.reason, refused.at.unix_timestamp() / 60);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rejections) = waiting.get_mut(&row) {
            rejections.count += 1;
            rejections.last_at = rejections.last_at.max(refused.at);
            rejections.client_address = refused.client_address;
            rejections.body_bytes = refused.body_bytes;
        } else if waiting.len() < MAX_WAITING {
            waiting.insert(row, first(refused));
        }
    }

    /// Writes what has been counted. What cannot be written waits for the next time.
    pub(crate) async fn write(&self) {
        let _turn = self.writing.lock().await;
        let taken = mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let rows = taken.values().cloned().collect();
        if let Err(error) = self.storage.record_rejections(rows).await {
            if !self.health.note(&error) {
                let rows = taken.len();
                tracing::warn!(error = %Chain(&error), rows, "refused syncs could not be written to the audit log");
            }
            self.put_back(taken);
        }
    }

    fn put_back(&self, taken: HashMap<Row, Rejections>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for (row, earlier) in taken {
            if let Some(later) = waiting.get_mut(&row) {
                later.count += earlier.count;
                later.first_at = earlier.first_at;
                later.id = earlier.id;
            } else if waiting.len() < MAX_WAITING {
                waiting.insert(row, earlier);
            }
        }
    }
}

fn first(refused: Refused) -> Rejections {
    Rejections {
        id: uuid_at(refused.at),
        site_id: refused.site,
        key_id: refused.key_id,
        reason: refused.reason.to_owned(),
        count: 1,
        first_at: refused.at,
        last_at: refused.at,
        client_address: refused.client_address,
        body_bytes: refused.body_bytes,
    }
}

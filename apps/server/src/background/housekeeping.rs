//! What a server does beside answering requests.

use std::sync::Arc;
use std::time::Duration;

use module_monitor_ingestion::queue::ALIVE;
use module_monitor_storage::{Cutoff, StorageError};
use tokio::time::sleep;

use super::repeat::Repeating;
use crate::keys::POLL_INTERVAL;
use crate::state::AppState;

/// How often refused syncs are written to the audit log.
const REJECTIONS_INTERVAL: Duration = Duration::from_secs(1);
/// How often the last use of keys is written.
const KEY_USES_INTERVAL: Duration = Duration::from_secs(30);
/// How often it is looked whether removed sites have left anything behind.
const LEFTOVERS_INTERVAL: Duration = Duration::from_secs(5);
/// How often the figures of the queue are read for the metrics.
const QUEUE_INTERVAL: Duration = Duration::from_secs(2);
/// How often it is looked which sites have become silent.
const SILENCE_INTERVAL: Duration = Duration::from_secs(30);
/// How often old audit rows are looked for.
const PRUNE_INTERVAL: Duration = Duration::from_secs(600);
/// Rows of one kind that are removed in one transaction, so that no sync waits long for it.
const BATCH: usize = 500;
/// The pause between two such transactions.
const BATCH_PAUSE: Duration = Duration::from_millis(50);
/// How long an idempotency key is kept; it stands for its sync for 24 hours.
const IDEMPOTENCY_KEYS_KEPT: time::Duration = time::Duration::hours(25);

/// The tasks that run until the server stops.
pub(crate) struct Housekeeping(Repeating);

impl Housekeeping {
    /// Starts them. `retention` is how long the audit log is kept.
    pub(crate) fn start(state: &Arc<AppState>, retention: Duration) -> Self {
        let tasks = Repeating::new(state);
        let failed = "cannot ask for changed keys; until it works each request asks for its own";
        tasks.every(POLL_INTERVAL, failed, |state| async move { state.keyring.refresh().await });
        tasks.every_quietly(REJECTIONS_INTERVAL, |state| async move { state.rejections.write().await });
        tasks.every_quietly(KEY_USES_INTERVAL, |state| async move { state.keyring.write_uses().await });
        tasks.every(LEFTOVERS_INTERVAL, "rows of a removed site could not be deleted", delete_leftovers);
        tasks.every(QUEUE_INTERVAL, "the queue's figures could not be read", show_queue);
        tasks.every(SILENCE_INTERVAL, "sites that have become silent could not be told of", note_silent);
        tasks.every(PRUNE_INTERVAL, "old audit rows could not be removed", move |state| prune(state, retention));
        Self(tasks)
    }

    /// Ends them, and writes what is still waiting.
    pub(crate) async fn stop(self, state: &AppState) {
        self.0.stop().await;
        if state.is_migrated() {
            state.rejections.write().await;
            state.keyring.write_uses().await;
        }
    }
}

/// Tells of the sites that have become silent, in batches.
async fn note_silent(state: Arc<AppState>) -> Result<(), StorageError> {
    while state.storage.note_silent(state.clock.now(), BATCH).await? == BATCH {
        sleep(BATCH_PAUSE).await;
    }
    Ok(())
}

/// Deletes what removed sites have left behind, in batches with pauses between them. What a stopped or crashed server did
/// not get to is found by the next one, because it is the tombstone that says so.
async fn delete_leftovers(state: Arc<AppState>) -> Result<(), StorageError> {
    while let Some(rows) = state.storage.delete_leftovers(BATCH).await? {
        tracing::debug!(rows, "rows of a removed site deleted");
        sleep(BATCH_PAUSE).await;
    }
    Ok(())
}

async fn show_queue(state: Arc<AppState>) -> Result<(), StorageError> {
    let now = state.clock.now();
    let figures = state.storage.queue_figures(now, now - ALIVE).await?;
    state.metrics.queue.show(&figures, now);
    Ok(())
}

/// Removes audit rows older than `retention`, in batches with pauses between them.
async fn prune(state: Arc<AppState>, retention: Duration) -> Result<(), StorageError> {
    let now = state.clock.now();
    let cutoff = Cutoff { syncs: now - retention, idempotency_keys: now - IDEMPOTENCY_KEYS_KEPT };
    loop {
        match state.storage.prune(cutoff, BATCH).await? {
            0 => return Ok(()),
            rows => tracing::debug!(rows, "old audit rows removed"),
        }
        sleep(BATCH_PAUSE).await;
    }
}

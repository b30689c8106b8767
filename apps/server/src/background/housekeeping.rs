//! What a server does beside answering requests.

use std::sync::Arc;
use std::time::Duration;

use module_monitor_ingestion::queue::ALIVE;
use module_monitor_storage::{StorageError, TotalsFilter};
use time::OffsetDateTime;
use tokio::time::sleep;

use super::repeat::Repeating;
use super::retention::{PRUNE_INTERVAL, Pruning};
use crate::api::time::to_the_second;
use crate::config::RetentionConfig;
use crate::keys::POLL_INTERVAL;
use crate::state::AppState;

/// How often it is looked whether it is time to ask the database for a sign of life.
const HEALTH_INTERVAL: Duration = Duration::from_secs(1);
/// How often refused syncs are written to the audit log.
const REJECTIONS_INTERVAL: Duration = Duration::from_secs(1);
/// How often the last use of keys is written.
const KEY_USES_INTERVAL: Duration = Duration::from_secs(30);
/// How often it is looked whether removed sites have left anything behind.
const LEFTOVERS_INTERVAL: Duration = Duration::from_secs(5);
/// How often the figures of the queue are read for the metrics.
const QUEUE_INTERVAL: Duration = Duration::from_secs(2);
/// How often the figures of all sites together are read for the metrics.
const COVERAGE_INTERVAL: Duration = Duration::from_secs(15);
/// How often it is looked which sites have become silent.
const SILENCE_INTERVAL: Duration = Duration::from_secs(30);
/// How often it is said that dead letters are going to be removed.
const NOTICE_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);
/// From how long before their removal on.
const NOTICE: time::Duration = time::Duration::WEEK;
/// Rows that are changed in one transaction, so that no sync waits long for it.
const BATCH: usize = 500;
/// The pause between two such transactions.
const BATCH_PAUSE: Duration = Duration::from_millis(50);

/// The tasks that run until the server stops.
pub(crate) struct Housekeeping {
    tasks: Repeating,
    pruning: Arc<Pruning>,
}

impl Housekeeping {
    /// Starts them. Dead letters are kept for `letters`.
    pub(crate) fn start(state: &Arc<AppState>, retention: RetentionConfig, letters: Duration) -> Self {
        state.metrics.queue.show_retention(letters);
        let tasks = Repeating::new(state);
        let failed = "cannot ask for changed keys; until it works each request asks for its own";
        tasks.every(HEALTH_INTERVAL, "the database could not be asked to write", |state| async move {
            state.health.ask().await
        });
        tasks.every(POLL_INTERVAL, failed, |state| async move { state.keyring.refresh().await });
        tasks.every_quietly(REJECTIONS_INTERVAL, |state| async move { state.rejections.write().await });
        tasks.every_quietly(KEY_USES_INTERVAL, |state| async move { state.keyring.write_uses().await });
        tasks.every(LEFTOVERS_INTERVAL, "rows of a removed site could not be deleted", delete_leftovers);
        tasks.every(QUEUE_INTERVAL, "the queue's figures could not be read", show_queue);
        tasks.every(COVERAGE_INTERVAL, "the figures of all sites together could not be read", show_coverage);
        tasks.every(SILENCE_INTERVAL, "sites that have become silent could not be told of", note_silent);
        let pruning = Arc::new(Pruning::new(retention));
        let (ours, failed) = (Arc::clone(&pruning), "what is not kept any longer could not be removed");
        tasks.every(PRUNE_INTERVAL, failed, move |state| Arc::clone(&ours).run(state));
        let notice = NOTICE_INTERVAL.min(letters);
        tasks.every(notice, "dead letters could not be looked at", move |state| give_notice(state, letters));
        // What ran out while no server was there is announced first as well.
        let from = state.clock.now() + notice;
        let failed = "old dead letters could not be removed";
        tasks.every(PRUNE_INTERVAL.min(letters), failed, move |state| expire(state, letters, from));
        Self { tasks, pruning }
    }

    /// Ends them, and writes what is still waiting.
    pub(crate) async fn stop(self, state: &AppState) {
        self.tasks.stop().await;
        if state.is_migrated() {
            state.rejections.write().await;
            state.keyring.write_uses().await;
            self.pruning.stop(state).await;
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

async fn show_coverage(state: Arc<AppState>) -> Result<(), StorageError> {
    state.metrics.coverage.show(&state.storage.security_totals(TotalsFilter::default()).await?);
    Ok(())
}

/// Removes the dead letters that nobody has decided about for `retention`, and says so of each; nothing before `from`.
async fn expire(state: Arc<AppState>, retention: Duration, from: OffsetDateTime) -> Result<(), StorageError> {
    let now = state.clock.now();
    if now < from {
        return Ok(());
    }
    loop {
        let expired = state.storage.expire_dead_letters(now - retention, BATCH).await?;
        for letter in &expired {
            tracing::warn!(
                sync_id = %letter.id, site = %letter.site_id, reason = letter.reason, died_at = letter.died_at.map(to_the_second),
                "removed a dead letter that nobody had retried or discarded in time"
            );
        }
        if expired.is_empty() {
            return Ok(());
        }
        state.metrics.queue.expired.inc_by(expired.len() as u64);
        sleep(BATCH_PAUSE).await;
    }
}

/// Says that dead letters are going to be removed, while there is still time to decide.
async fn give_notice(state: Arc<AppState>, retention: Duration) -> Result<(), StorageError> {
    let now = state.clock.now();
    let figures = state.storage.queue_figures(now, now - ALIVE).await?;
    if let Some(removed_at) = figures.oldest_dead.map(|died_at| died_at + retention)
        && removed_at - NOTICE <= now
    {
        tracing::warn!(
            dead_letters = figures.dead,
            first_removed_at = to_the_second(removed_at),
            "dead letters are going to be removed for good; retry or discard them"
        );
    }
    Ok(())
}

//! What a server does beside answering requests.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use module_monitor_ingestion::queue::ALIVE;
use module_monitor_storage::Cutoff;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::http::AppState;
use crate::keyring::POLL_INTERVAL;
use crate::logging::Chain;

/// How often refused syncs are written to the audit log.
const REJECTIONS_INTERVAL: Duration = Duration::from_secs(1);
/// How often the last use of keys is written.
const KEY_USES_INTERVAL: Duration = Duration::from_secs(30);
/// How often it is looked whether removed sites have left anything behind.
const LEFTOVERS_INTERVAL: Duration = Duration::from_secs(5);
/// How often the figures of the queue are read for the metrics.
const QUEUE_INTERVAL: Duration = Duration::from_secs(2);
/// How often old audit rows are looked for.
const PRUNE_INTERVAL: Duration = Duration::from_secs(600);
/// Rows of one kind that are removed in one transaction, so that no sync waits long for it.
const PRUNE_BATCH: usize = 500;
/// The pause between two such transactions.
const PRUNE_PAUSE: Duration = Duration::from_millis(50);
/// How long an idempotency key is kept; it stands for its sync for 24 hours.
const IDEMPOTENCY_KEYS_KEPT: time::Duration = time::Duration::hours(25);

/// The tasks that run until the server stops.
pub(crate) struct Housekeeping(Vec<JoinHandle<()>>);

impl Housekeeping {
    /// Starts them. `retention` is how long the audit log is kept.
    pub(crate) fn start(state: &Arc<AppState>, retention: Duration) -> Self {
        let every = |period, state: &Arc<AppState>, work: fn(Arc<AppState>) -> Work| {
            tokio::spawn(repeat(period, Arc::clone(state), work))
        };
        let pruning = Arc::clone(state);
        Self(vec![
            every(POLL_INTERVAL, state, |state| Box::pin(async move { poll_keys(&state).await })),
            every(REJECTIONS_INTERVAL, state, |state| Box::pin(async move { state.rejections.write().await })),
            every(KEY_USES_INTERVAL, state, |state| Box::pin(async move { state.keyring.write_uses().await })),
            every(LEFTOVERS_INTERVAL, state, |state| Box::pin(async move { delete_leftovers(&state).await })),
            every(QUEUE_INTERVAL, state, |state| Box::pin(async move { show_queue(&state).await })),
            tokio::spawn(prune_forever(pruning, retention)),
        ])
    }

    /// Ends them, and writes what is still waiting.
    pub(crate) async fn stop(self, state: &AppState) {
        self.0.iter().for_each(JoinHandle::abort);
        if state.is_migrated() {
            state.rejections.write().await;
            state.keyring.write_uses().await;
        }
    }
}

type Work = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

async fn repeat(period: Duration, state: Arc<AppState>, work: fn(Arc<AppState>) -> Work) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if state.is_migrated() {
            work(Arc::clone(&state)).await;
        }
    }
}

async fn poll_keys(state: &AppState) {
    if let Err(error) = state.keyring.refresh().await {
        tracing::warn!(error = %Chain(&error), "cannot ask for changed keys; until it works each request asks for its own");
    }
}

/// Deletes what removed sites have left behind, in batches with pauses between them. What a stopped or crashed server did
/// not get to is found by the next one, because it is the tombstone that says so.
async fn delete_leftovers(state: &AppState) {
    loop {
        match state.storage.delete_leftovers(PRUNE_BATCH).await {
            Ok(None) => return,
            Ok(Some(rows)) => tracing::debug!(rows, "rows of a removed site deleted"),
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "rows of a removed site could not be deleted");
                return;
            }
        }
        tokio::time::sleep(PRUNE_PAUSE).await;
    }
}

async fn show_queue(state: &AppState) {
    let now = state.clock.now();
    match state.storage.queue_figures(now, now - ALIVE).await {
        Ok(figures) => state.metrics.queue.show(&figures, now),
        Err(error) => tracing::debug!(error = %Chain(&error), "the queue's figures could not be read"),
    }
}

async fn prune_forever(state: Arc<AppState>, retention: Duration) {
    let mut ticks = interval(PRUNE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if state.is_migrated() {
            prune(&state, retention).await;
        }
    }
}

/// Removes audit rows older than `retention`, in batches with pauses between them.
pub(crate) async fn prune(state: &AppState, retention: Duration) {
    let now = state.clock.now();
    let cutoff = Cutoff { syncs: now - retention, idempotency_keys: now - IDEMPOTENCY_KEYS_KEPT };
    loop {
        match state.storage.prune(cutoff, PRUNE_BATCH).await {
            Ok(0) => return,
            Ok(rows) => tracing::debug!(rows, "old audit rows removed"),
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "old audit rows could not be removed");
                return;
            }
        }
        tokio::time::sleep(PRUNE_PAUSE).await;
    }
}

//! Removing what is not kept for good.

use std::sync::Arc;
use std::time::Duration;

use module_monitor_storage::{Cutoff, KeptRows, Pruned, RowBounds, StorageError};
use time::OffsetDateTime;
use tokio::time::sleep;
use uuid::Uuid;

use crate::config::RetentionConfig;
use crate::logging::Chain;
use crate::state::AppState;

/// How often it is looked for what is old or nobody's.
pub(super) const PRUNE_INTERVAL: Duration = Duration::from_secs(600);
/// The lease that whoever removes must hold.
const LEASE: &str = "retention";
/// How long the lease is taken for; longer than the interval, so that it stays with the node that has it.
const LEASE_TIME: Duration = Duration::from_secs(900);
/// Rows that are removed in one transaction, so that no sync waits long for it.
const BATCH: usize = 500;
/// The pause between two steps.
const PAUSE: Duration = Duration::from_millis(50);
/// How long an idempotency key is kept; it stands for its sync for 24 hours.
const IDEMPOTENCY_KEYS_KEPT: time::Duration = time::Duration::hours(25);

/// What one node removes for all.
pub(super) struct Pruning {
    settings: RetentionConfig,
    holder: Uuid,
}

impl Pruning {
    pub(super) fn new(settings: RetentionConfig) -> Self {
        Self { settings, holder: Uuid::new_v4() }
    }

    /// Removes everything that is not kept any longer, and says how much of what; nothing where another node does it.
    pub(super) async fn run(self: Arc<Self>, state: Arc<AppState>) -> Result<(), StorageError> {
        let mut removed = Vec::new();
        let done = self.remove(&state, &mut removed).await;
        if !removed.is_empty() {
            let removed: Vec<String> = removed.iter().map(|(kind, rows)| format!("{}={rows}", kind.as_str())).collect();
            tracing::info!(rows = removed.join(" "), "removed what is not kept any longer");
        }
        done
    }

    /// Lets another node do it.
    pub(super) async fn stop(&self, state: &AppState) {
        if let Err(error) = state.storage.end_lease(LEASE, self.holder).await {
            tracing::warn!(error = %Chain(&error), "other nodes must wait before they can remove what is not kept any longer");
        }
    }

    async fn remove(&self, state: &AppState, removed: &mut Vec<(KeptRows, usize)>) -> Result<(), StorageError> {
        let cutoff = self.cutoff(state.clock.now());
        let mut renewed = None;
        for kind in KeptRows::ALL {
            let (mut rows, mut next) = (0, Some(0));
            while let Some(after) = next {
                if !self.holds_lease(state, &mut renewed).await? {
                    return Ok(());
                }
                let pruned: Pruned = state.storage.prune(kind, cutoff, after, BATCH).await?;
                state.metrics.count_removed(kind, pruned.removed);
                rows += pruned.removed;
                next = pruned.next;
                if next.is_some() {
                    sleep(PAUSE).await;
                }
            }
            if rows > 0 {
                removed.push((kind, rows));
            }
        }
        Ok(())
    }

    /// Takes the lease, and renews it when a third of its time is over.
    async fn holds_lease(&self, state: &AppState, renewed: &mut Option<OffsetDateTime>) -> Result<bool, StorageError> {
        let now = state.clock.now();
        if renewed.is_some_and(|at| now - at < LEASE_TIME / 3) {
            return Ok(true);
        }
        *renewed = Some(now);
        state.storage.try_lease(LEASE, self.holder, now, now + LEASE_TIME).await
    }

    fn cutoff(&self, now: OffsetDateTime) -> Cutoff {
        Cutoff {
            now,
            audit: now - self.settings.audit,
            history: now - self.settings.history,
            idempotency_keys: now - IDEMPOTENCY_KEYS_KEPT,
            of_a_site: RowBounds::default(),
        }
    }
}

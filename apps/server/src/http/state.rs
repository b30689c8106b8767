//! What all requests share.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use module_monitor_ingestion::{Clock, SyncService};
use module_monitor_storage::Storage;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span};

use super::Metrics;

/// What all requests share.
pub(crate) struct AppState {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) syncs: SyncService,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Metrics,
    /// What must be finished before the process ends.
    pub(crate) tasks: TaskTracker,
    runtime: Handle,
    migrated: AtomicBool,
}

impl AppState {
    /// Must be called on the runtime that tasks are to run on. `migrated` tells whether the schema is up to date.
    pub(crate) fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>, metrics: Metrics, migrated: bool) -> Self {
        Self {
            syncs: SyncService::new(Arc::clone(&storage), Arc::clone(&clock)),
            storage,
            clock,
            metrics,
            tasks: TaskTracker::new(),
            runtime: Handle::current(),
            migrated: AtomicBool::new(migrated),
        }
    }

    /// Whether the schema is up to date, so that requests may use the database.
    pub(crate) fn is_migrated(&self) -> bool {
        self.migrated.load(Ordering::Acquire)
    }

    pub(crate) fn set_migrated(&self) {
        self.migrated.store(true, Ordering::Release);
    }

    /// Runs `task` to its end on the main runtime, whatever becomes of the request that waits for it.
    pub(crate) fn spawn<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.tasks.spawn_on(task.instrument(Span::current()), &self.runtime)
    }
}

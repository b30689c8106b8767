//! What requests and the work beside them share.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ipnet::IpNet;
use module_monitor_ingestion::Clock;
use module_monitor_ingestion::queue::{JobEvent, Queue, QueueObserver, QueueSignals};
use module_monitor_storage::{SiteBounds, Storage, StorageError};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span};

use crate::config::QueueConfig;
use crate::health::Health;
use crate::keys::Keyring;
use crate::limits::{BodyMemory, FailedAuthentications, RateLimiter, ReadLimiter};
use crate::metrics::Metrics;
use crate::rejections::RejectionLog;

/// What protects a server from its clients.
pub(crate) struct Limits {
    /// The proxies whose word on a client's address counts.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// How much memory bodies may take at once, in bytes.
    pub(crate) body_memory: usize,
    /// How often a key may read in any minute.
    pub(crate) reads: u32,
    /// What one site may accumulate.
    pub(crate) site_bounds: SiteBounds,
}

/// What requests and the work beside them share.
pub(crate) struct AppState {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) queue: Queue,
    pub(crate) signals: Arc<QueueSignals>,
    /// How long a client may wait for the result of a queued sync.
    pub(crate) wait_cap: Duration,
    /// This process applies queued syncs itself.
    pub(crate) has_worker: bool,
    /// The server stops: who waits for a queued sync need not any longer.
    pub(crate) stopping: CancellationToken,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) rate_limiter: RateLimiter,
    pub(crate) reads: ReadLimiter,
    pub(crate) failures: FailedAuthentications,
    /// Whether the database can be used.
    pub(crate) health: Arc<Health>,
    pub(crate) keyring: Keyring,
    pub(crate) rejections: RejectionLog,
    /// The proxies whose word on a client's address counts.
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) body_memory: Arc<BodyMemory>,
    /// The turn to decode a large body.
    pub(crate) large_bodies: Semaphore,
    /// What one site may accumulate.
    pub(crate) site_bounds: SiteBounds,
    /// What must be finished before the process ends.
    pub(crate) tasks: TaskTracker,
    runtime: Handle,
    migrated: AtomicBool,
}

impl AppState {
    /// Must be called on the runtime that tasks are to run on. `migrated` tells whether the schema is up to date.
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
        rate_limiter: RateLimiter,
        limits: Limits,
        queue: &QueueConfig,
        migrated: bool,
    ) -> Self {
        let signals = Arc::new(QueueSignals::default());
        let health = Arc::new(Health::new(Arc::clone(&storage), Arc::clone(&clock)));
        Self {
            queue: Queue::new(Arc::clone(&storage), Arc::clone(&clock), Arc::clone(&signals), queue.intake()),
            signals,
            wait_cap: queue.wait_cap,
            has_worker: queue.workers > 0,
            stopping: CancellationToken::new(),
            keyring: Keyring::new(Arc::clone(&storage), Arc::clone(&clock), Arc::clone(&health)),
            rejections: RejectionLog::new(Arc::clone(&storage), Arc::clone(&health)),
            health,
            trusted_proxies: limits.trusted_proxies,
            body_memory: Arc::new(BodyMemory::new(limits.body_memory)),
            large_bodies: Semaphore::new(1),
            site_bounds: limits.site_bounds,
            storage,
            reads: ReadLimiter::new(Arc::clone(&clock), limits.reads),
            failures: FailedAuthentications::new(Arc::clone(&clock)),
            clock,
            metrics: Arc::new(metrics),
            rate_limiter,
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

impl QueueObserver for AppState {
    fn observe(&self, event: &JobEvent) {
        self.metrics.count_job(event);
    }

    fn trouble(&self, error: &StorageError) -> bool {
        self.health.note(error)
    }
}

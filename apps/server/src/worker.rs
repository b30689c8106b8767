//! The queue's settings, and its worker, inside a server or alone.

use std::process;
use std::sync::Arc;
use std::time::Duration;

use module_monitor_ingestion::queue::{JobEvent, QueueObserver, QueueOptions, QueueSignals, Worker, WorkerOptions};
use module_monitor_ingestion::{Clock, SystemClock};
use module_monitor_storage::{QueueBounds, Storage};
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::RedisUrlError;
use crate::logging::Chain;
use crate::relay;

/// How often a worker looks whether its database is there and migrated.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// What goes to the queue, who takes it out, and how long anybody waits.
#[derive(Clone, Debug)]
pub struct QueueConfig {
    /// Changed reports of more modules go to the queue.
    pub threshold: usize,
    /// Jobs that may wait or run at once.
    pub max_jobs: i64,
    /// Bytes that their payloads may take.
    pub max_bytes: i64,
    /// How long a client may wait for the result of a queued sync.
    pub wait_cap: Duration,
    /// Jobs that this process applies at once; 0 leaves them to other processes.
    pub workers: usize,
    /// How many times a job is tried.
    pub max_attempts: i32,
    /// How long a job stays with a worker that shows no sign of life.
    pub lease: Duration,
    /// How long a job waits after its first failed attempt; twice as long after each further one.
    pub first_pause: Duration,
    /// How long jobs may go on once the process is told to stop.
    pub grace: Duration,
}

impl Default for QueueConfig {
    fn default() -> Self {
        let (intake, worker) = (QueueOptions::default(), WorkerOptions::named(""));
        Self {
            threshold: intake.threshold,
            max_jobs: intake.bounds.jobs,
            max_bytes: intake.bounds.bytes,
            wait_cap: Duration::from_secs(30),
            workers: worker.concurrency,
            max_attempts: worker.max_attempts,
            lease: worker.lease,
            first_pause: worker.first_pause,
            grace: worker.grace,
        }
    }
}

impl QueueConfig {
    /// What concerns taking reports.
    pub(crate) fn intake(&self) -> QueueOptions {
        let bounds = QueueBounds { jobs: self.max_jobs, bytes: self.max_bytes };
        QueueOptions { threshold: self.threshold, bounds }
    }

    fn worker(&self) -> WorkerOptions {
        WorkerOptions {
            concurrency: self.workers,
            max_attempts: self.max_attempts,
            lease: self.lease,
            heartbeat: self.lease / 3,
            first_pause: self.first_pause,
            grace: self.grace,
            ..WorkerOptions::named(name())
        }
    }
}

/// A name that no other worker has, and that tells people the process.
fn name() -> String {
    let random = Uuid::new_v4().simple().to_string();
    format!("{}-{}", process::id(), &random[..8])
}

/// The worker of this process, and what tells it about jobs of other processes.
pub(crate) struct RunningWorker {
    stop: CancellationToken,
    worker: Option<JoinHandle<()>>,
    relay: Vec<JoinHandle<()>>,
}

impl RunningWorker {
    /// Starts what `config` asks for, once the database is migrated. Must be called on the main runtime.
    pub(crate) fn start(
        config: &QueueConfig,
        storage: &Arc<dyn Storage>,
        clock: &Arc<dyn Clock>,
        signals: &Arc<QueueSignals>,
        observer: Arc<dyn QueueObserver>,
        redis_url: Option<&str>,
    ) -> Result<Self, RedisUrlError> {
        let relay = redis_url.map(|url| relay::start(url, signals)).transpose()?.unwrap_or_default();
        let stop = CancellationToken::new();
        let options = config.worker();
        let worker = (options.concurrency > 0).then(|| {
            let name = options.name.clone();
            let worker = Worker::new(Arc::clone(storage), Arc::clone(clock), Arc::clone(signals), observer, options);
            let (storage, stop) = (Arc::clone(storage), stop.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = usable(storage.as_ref()) => {}
                    () = stop.cancelled() => return,
                }
                tracing::info!(worker = name, "taking jobs");
                worker.run(stop).await;
            })
        });
        Ok(Self { stop, worker, relay })
    }

    /// Takes no more jobs, finishes those in hand within the grace period, hands back the rest.
    pub(crate) async fn stop(&mut self) {
        self.stop.cancel();
        if let Some(worker) = self.worker.take() {
            // It has logged what went wrong.
            let _ = worker.await;
        }
        self.relay.iter().for_each(JoinHandle::abort);
    }

    /// Waits until the worker ends by itself, which it does only when something is wrong.
    pub(crate) async fn failed(&mut self) -> WorkerError {
        let ended = match &mut self.worker {
            Some(worker) => worker.await,
            None => std::future::pending().await,
        };
        self.worker = None;
        WorkerError::Ended(ended.err())
    }
}

/// Waits until the database is there and its schema is up to date.
async fn usable(storage: &dyn Storage) {
    let mut told = false;
    while let Err(error) = storage.check().await {
        if !told {
            tracing::warn!(error = %Chain(&error), "no jobs are taken until the database can be used");
            told = true;
        }
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}

/// Why a worker did not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The Redis URL is wrong. An absent Redis is no reason.
    #[error("Redis cannot be used")]
    RedisUrl(#[from] RedisUrlError),
    /// It ended without being told to.
    #[error("the worker ended without being told to")]
    Ended(#[source] Option<JoinError>),
}

/// Takes jobs until `stop` is done, then finishes those in hand within the grace period, hands back the rest and returns.
/// Fails at once where a URL is wrong; an absent database or Redis is no reason. Call it on a multi-thread runtime.
pub async fn run_worker(
    config: &QueueConfig,
    storage: Arc<dyn Storage>,
    redis_url: Option<&str>,
    stop: impl Future<Output = ()>,
) -> Result<(), WorkerError> {
    let (clock, signals) = (Arc::new(SystemClock) as _, Arc::default());
    let mut worker = RunningWorker::start(config, &storage, &clock, &signals, Arc::new(LogOnly), redis_url)?;
    tokio::select! {
        error = worker.failed() => return Err(error),
        () = stop => {}
    }
    tracing::info!("stopping once the jobs in hand are done");
    worker.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// The worker writes its own log.
struct LogOnly;

impl QueueObserver for LogOnly {
    fn observe(&self, _: &JobEvent) {}
}

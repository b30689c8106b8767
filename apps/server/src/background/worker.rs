//! The queue's worker, inside a server or alone.

use std::sync::Arc;
use std::time::Duration;

use module_monitor_ingestion::queue::{JobEvent, QueueObserver, QueueSignals, Worker};
use module_monitor_ingestion::{Clock, SystemClock};
use module_monitor_storage::{Storage, StorageError};
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;

use super::relay;
use crate::config::QueueConfig;
use crate::logging::Chain;
use crate::redis_address::{RedisAddress, RedisUrlError};

/// How often a worker looks whether its database is there and migrated.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

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
        redis: Option<&RedisAddress>,
    ) -> Result<Self, RedisUrlError> {
        let relay = redis.map(|redis| relay::start(redis, signals)).transpose()?.unwrap_or_default();
        let stop = CancellationToken::new();
        let options = config.worker();
        let worker = (options.concurrency > 0).then(|| {
            let name = options.name.clone();
            let worker = Worker::new(
                Arc::clone(storage),
                Arc::clone(clock),
                Arc::clone(signals),
                Arc::clone(&observer),
                options,
            );
            let (storage, stop) = (Arc::clone(storage), stop.clone());
            tokio::spawn(async move {
                let usable = tokio::select! {
                    usable = usable(storage.as_ref(), observer.as_ref()) => usable,
                    () = stop.cancelled() => return,
                };
                if !usable {
                    return;
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

/// Waits until the database is there and its schema is up to date; `false` where it can never be.
async fn usable(storage: &dyn Storage, observer: &dyn QueueObserver) -> bool {
    let mut told = false;
    while let Err(error) = storage.check().await {
        if matches!(error, StorageError::AnotherSchema) {
            tracing::error!(error = %Chain(&error), "no jobs are taken");
            return false;
        }
        if !observer.trouble(&error) && !told {
            tracing::warn!(error = %Chain(&error), "no jobs are taken until the database can be used");
            told = true;
        }
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
    true
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
    redis: Option<&RedisAddress>,
    stop: impl Future<Output = ()>,
) -> Result<(), WorkerError> {
    let (clock, signals) = (Arc::new(SystemClock) as _, Arc::default());
    let mut worker = RunningWorker::start(config, &storage, &clock, &signals, Arc::new(LogOnly), redis)?;
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

//! `module-monitor worker`, and the queue's settings.

use std::time::Duration;

use clap::Args;
use clap::value_parser;
use module_monitor_storage::{StorageOptions, connect};

use super::database::DatabaseArgs;
use super::redis::RedisArgs;
use super::signals::Signals;
use super::site_bounds::SiteBoundsArgs;
use super::values::time_between;
use crate::background::run_worker;
use crate::config::QueueConfig;

const EXAMPLES: &str = "\
Examples:
  module-monitor worker --database-url postgres://mm@db/mm --redis-url redis://cache --workers 8

A worker on a sqlite:// file must run on the same machine as the server.
SIGTERM and SIGINT finish the jobs in hand and hand back those that take too long; a second one does not wait.";

/// What goes to the queue.
#[derive(Args)]
#[command(next_help_heading = "Queue")]
pub(super) struct IntakeArgs {
    /// Reports of more modules than this go to the queue, unless they change nothing
    #[arg(long, value_name = "N", env = "MODULE_MONITOR_QUEUE_THRESHOLD", default_value_t = 1000)]
    #[arg(value_parser = value_parser!(u32).range(0..=1_000_000))]
    queue_threshold: u32,
    /// How many syncs may wait in the queue; beyond it syncs for the queue are answered 503
    #[arg(long, value_name = "N", env = "MODULE_MONITOR_QUEUE_MAX_JOBS", default_value_t = 10_000)]
    #[arg(value_parser = value_parser!(u32).range(1..=10_000_000))]
    queue_max_jobs: u32,
    /// How many bytes they may take in the database, compressed
    #[arg(long, value_name = "BYTES", env = "MODULE_MONITOR_QUEUE_MAX_BYTES", default_value_t = 1 << 30)]
    #[arg(value_parser = value_parser!(i64).range(1..))]
    queue_max_bytes: i64,
    /// How long a client may wait for the result of a queued sync before it is answered 202
    #[arg(long, value_name = "TIME", env = "MODULE_MONITOR_QUEUE_WAIT_CAP", default_value = "30s")]
    #[arg(value_parser = wait_cap)]
    queue_wait_cap: Duration,
    /// How long a dead letter waits to be retried or discarded; then it is removed, after notice in the log for a week
    #[arg(long, value_name = "TIME", env = "MODULE_MONITOR_DEAD_LETTER_RETENTION", default_value = "90d")]
    #[arg(value_parser = dead_letter_retention)]
    dead_letter_retention: Duration,
}

/// Who takes it out.
#[derive(Args)]
#[command(next_help_heading = "Queue", after_help = EXAMPLES)]
pub(super) struct WorkerArgs {
    /// How many queued syncs this process applies at once; 0 leaves them to other processes
    #[arg(long, value_name = "N", env = "MODULE_MONITOR_WORKERS", default_value_t = 2)]
    #[arg(value_parser = value_parser!(u16).range(0..=256))]
    workers: u16,
    /// How many times a queued sync is tried before it goes to the dead letters
    #[arg(long, value_name = "N", env = "MODULE_MONITOR_QUEUE_MAX_ATTEMPTS", default_value_t = 5)]
    #[arg(value_parser = value_parser!(i32).range(1..=1000))]
    queue_max_attempts: i32,
    /// How long queued syncs in hand may go on once the process is told to stop; the rest is handed back
    #[arg(long, value_name = "TIME", env = "MODULE_MONITOR_QUEUE_GRACE", default_value = "20s")]
    #[arg(value_parser = grace)]
    queue_grace: Duration,
    #[command(flatten)]
    pub(super) bounds: SiteBoundsArgs,
}

impl WorkerArgs {
    fn config(&self) -> QueueConfig {
        QueueConfig {
            workers: self.workers.into(),
            max_attempts: self.queue_max_attempts,
            grace: self.queue_grace,
            ..QueueConfig::default()
        }
    }
}

impl IntakeArgs {
    /// The settings of a server that takes both.
    pub(super) fn with(self, worker: WorkerArgs) -> QueueConfig {
        QueueConfig {
            threshold: self.queue_threshold as usize,
            max_jobs: self.queue_max_jobs.into(),
            max_bytes: self.queue_max_bytes,
            wait_cap: self.queue_wait_cap,
            dead_letter_retention: self.dead_letter_retention,
            ..worker.config()
        }
    }
}

/// Applies queued syncs until it is told to stop.
pub(super) async fn run(args: WorkerArgs, database: &DatabaseArgs, redis: RedisArgs) -> anyhow::Result<()> {
    let mut signals = Signals::new()?;
    let config = args.config();
    if config.workers == 0 {
        anyhow::bail!("--workers 0 leaves nothing to do for a worker");
    }
    // One for each job, one for its heartbeat, and one to look for more.
    let connections = 2 * u32::from(args.workers) + 1;
    let site_bounds = args.bounds.into();
    let options = StorageOptions { max_connections: connections, site_bounds, ..StorageOptions::default() };
    let storage = connect(database.url(), options)?;
    let redis = redis.address()?;
    let (told, mut twice) = tokio::sync::oneshot::channel::<()>();
    let stop = async move {
        signals.next().await;
        // Listens on for a second signal.
        tokio::spawn(async move {
            signals.next().await;
            drop(told);
        });
    };
    tokio::select! {
        ended = run_worker(&config, storage, redis.as_ref(), stop) => ended?,
        _ = &mut twice => tracing::warn!("told to stop twice; not waiting any longer"),
    }
    Ok(())
}

fn wait_cap(text: &str) -> Result<Duration, String> {
    time_between(text, "0s", "5m")
}

fn dead_letter_retention(text: &str) -> Result<Duration, String> {
    time_between(text, "1s", "100y")
}

fn grace(text: &str) -> Result<Duration, String> {
    time_between(text, "0s", "10m")
}

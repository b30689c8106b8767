//! The settings of a server and of a worker.

use std::net::SocketAddr;
use std::process;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use module_monitor_ingestion::queue::{QueueOptions, WorkerOptions};
use module_monitor_ingestion::{Clock, FeedUrl, HttpFeed, HttpFeedOptions, Refresher, ReleaseService, SystemClock};
use module_monitor_storage::{QueueBounds, SiteBounds, Storage, StorageOptions};
use uuid::Uuid;

use crate::redis_address::RedisAddress;

/// How long a feed may take to answer.
const FEED_TIMEOUT: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What a server needs to know.
#[derive(Clone)]
pub struct ServerConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// `sqlite://…` or `postgres://…`.
    pub database_url: String,
    /// Connections kept to the database at most.
    pub database_connections: u32,
    /// How long a request waits for one of them.
    pub database_checkout_timeout: Duration,
    /// Whether to bring the schema up to date first.
    pub migrate: bool,
    /// How long to wait while another process does.
    pub migration_timeout: Duration,
    /// How many syncs a site may send in any window, where it has no limit of its own; at least 1.
    pub rate_limit: u32,
    /// How long a sync counts.
    pub rate_limit_window: Duration,
    /// How often a key may read in any minute, by this node's count; an admin key ten times as often. At least 1.
    pub read_limit: u32,
    /// For limits that all nodes share; without it each node counts its own.
    pub redis: Option<RedisAddress>,
    /// Proxies whose `X-Forwarded-For` tells a client's address.
    pub trusted_proxies: Vec<IpNet>,
    /// How much memory the bodies of requests and what is decoded from them may take at once, in MiB; at least 64.
    pub body_memory_mib: u32,
    /// How many connections to serve at once, as far as the limit of open files allows.
    pub max_connections: u32,
    /// How long what happened is kept.
    pub retention: RetentionConfig,
    /// What one site may accumulate.
    pub site_bounds: SiteBounds,
    /// What goes to the queue, and who takes it out.
    pub queue: QueueConfig,
    /// How drupal.org is asked for releases; `None`: it is not.
    pub release_refresh: Option<ReleaseRefresh>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
}

impl ServerConfig {
    /// The settings that `module-monitor serve` has by default, for this address and database, except that drupal.org
    /// is not asked for releases.
    pub fn new(listen: SocketAddr, database_url: impl Into<String>) -> Self {
        let storage = StorageOptions::default();
        Self {
            listen,
            database_url: database_url.into(),
            database_connections: storage.max_connections,
            database_checkout_timeout: storage.checkout_timeout,
            migrate: true,
            migration_timeout: storage.migration_timeout,
            rate_limit: 60,
            rate_limit_window: Duration::from_secs(60 * 60),
            read_limit: 600,
            redis: None,
            trusted_proxies: Vec::new(),
            body_memory_mib: 256,
            max_connections: 4096,
            retention: RetentionConfig::default(),
            site_bounds: storage.site_bounds,
            queue: QueueConfig::default(),
            release_refresh: None,
            clock: Arc::new(SystemClock),
        }
    }
}

/// How long what happened is kept.
#[derive(Clone, Copy, Debug)]
pub struct RetentionConfig {
    /// The audit log: syncs, refused ones, jobs, and what administrators did.
    pub audit: Duration,
    /// The history of sites: changes of their modules, events, closed findings, removed modules and ended acceptances.
    pub history: Duration,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self { audit: DAY * 90, history: DAY * 1095 }
    }
}

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
    /// How long a dead letter waits for somebody to decide before it is removed.
    pub dead_letter_retention: Duration,
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
            dead_letter_retention: DAY * 90,
        }
    }
}

impl QueueConfig {
    /// What concerns taking reports.
    pub(crate) fn intake(&self) -> QueueOptions {
        let bounds = QueueBounds { jobs: self.max_jobs, bytes: self.max_bytes };
        QueueOptions { threshold: self.threshold, bounds }
    }

    /// What concerns applying them.
    pub(crate) fn worker(&self) -> WorkerOptions {
        WorkerOptions {
            concurrency: self.workers,
            max_attempts: self.max_attempts,
            lease: self.lease,
            heartbeat: self.lease / 3,
            first_pause: self.first_pause,
            grace: self.grace,
            ..WorkerOptions::named(worker_name())
        }
    }
}

/// A name that no other worker has, and that tells people the process.
fn worker_name() -> String {
    let random = Uuid::new_v4().simple().to_string();
    format!("{}-{}", process::id(), &random[..8])
}

/// How drupal.org's feed is asked for releases.
#[derive(Clone, Debug)]
pub struct ReleaseRefresh {
    /// What release histories are found below.
    pub url: FeedUrl,
    /// How long an answer is good for.
    pub interval: Duration,
    /// The least time between two requests.
    pub pause: Duration,
}

impl ReleaseRefresh {
    /// A refresher of what `storage` holds.
    pub(crate) fn refresher(
        &self,
        storage: &Arc<dyn Storage>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Refresher, reqwest::Error> {
        let options = HttpFeedOptions { url: self.url.clone(), pause: self.pause, timeout: FEED_TIMEOUT };
        let source = HttpFeed::new(options, Arc::clone(clock))?;
        let service = ReleaseService::new(Arc::clone(storage), Arc::clone(clock));
        Ok(Refresher::new(service, Arc::new(source), self.interval, self.pause))
    }
}

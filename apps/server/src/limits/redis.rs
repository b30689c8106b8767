//! What each site has sent in the last window, counted by Redis for all nodes together.

use std::fmt::Display;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use deadpool_redis::redis::{AsyncCommands, RedisError, Script};
use deadpool_redis::{Manager, Pool, PoolError};
use module_monitor_domain::SiteId;
use tokio::time::timeout;
use uuid::Uuid;

use super::admission::{Admission, Ticket};
use crate::metrics::RateLimitMetrics;
use crate::redis_address::{RedisAddress, RedisUrlError};

/// How long a request waits for Redis, connecting included, while Redis answers nobody.
const PATIENCE: Duration = Duration::from_millis(250);
/// How many times that it waits at most, where Redis answers others meanwhile: then the node is busy, not Redis gone.
const ROUNDS: usize = 4;
/// How long Redis is left alone after it has failed.
const PAUSE: Duration = Duration::from_secs(1);
/// Connections kept at most. A question takes well under a millisecond of one.
const CONNECTIONS: usize = 16;

const KEY_PREFIX: &str = "module_monitor:rate:";
/// Written to find out whether Redis does what it is asked.
const PROBE_KEY: &str = "module_monitor:rate:probe";

/// The count that all nodes share.
pub(super) struct SharedLog {
    pool: Pool,
    script: Script,
    window: Duration,
    /// Tells this node's requests from those of others.
    node: Uuid,
    /// Whether Redis is asked. While it is not, [`SharedLog::recover`] runs.
    up: AtomicBool,
    /// How often Redis has answered.
    answers: AtomicUsize,
    metrics: RateLimitMetrics,
}

impl SharedLog {
    /// Connects to nothing yet.
    pub(super) fn new(
        redis: &RedisAddress,
        window: Duration,
        metrics: RateLimitMetrics,
    ) -> Result<Self, RedisUrlError> {
        let unusable = |error: &dyn Display| RedisUrlError::of(error);
        let manager = Manager::new(redis.info()).map_err(|error| unusable(&error))?;
        let pool = Pool::builder(manager).max_size(CONNECTIONS).build().map_err(|error| unusable(&error))?;
        Ok(Self {
            pool,
            script: Script::new(include_str!("admit.lua")),
            window,
            node: Uuid::new_v4(),
            up: AtomicBool::new(true),
            answers: AtomicUsize::new(0),
            metrics,
        })
    }

    /// Finds out whether Redis is there, within a bounded time.
    pub(super) async fn start(self: &Arc<Self>) {
        match self.probe().await {
            Ok(()) => {
                self.metrics.shared.set(1);
                tracing::info!("Redis is there; rate limits are shared by all nodes");
            }
            Err(failure) => self.fail(&failure),
        }
    }

    /// Asks Redis to admit the request `ticket` of `site`, and tells it what this node has `admitted` before. `None`
    /// where Redis does not answer in time, or has lately not done so.
    pub(super) async fn try_admit(
        self: &Arc<Self>,
        site: SiteId,
        limit: u32,
        ticket: Ticket,
        admitted: &[(Ticket, Duration)],
    ) -> Option<Admission> {
        if self.is_up() {
            match self.ask(&format!("{KEY_PREFIX}{site}"), limit, self.window, ticket, admitted).await {
                Ok(admission) => return Some(admission),
                Err(failure) => self.fail(&failure),
            }
        }
        self.metrics.fallbacks.inc();
        None
    }

    /// Takes an admitted request out again. Where Redis does not hear of it, it counts until its window is over.
    pub(super) async fn take_back(self: &Arc<Self>, site: SiteId, ticket: Ticket) {
        if !self.is_up() {
            return;
        }
        let removed = async {
            let mut connection = self.pool.get().await?;
            let () = connection.zrem(format!("{KEY_PREFIX}{site}"), self.name(ticket)).await?;
            Ok(())
        };
        if let Err(failure) = self.wait_for(removed).await {
            self.fail(&failure);
        }
    }

    /// Whether Redis is asked at the moment.
    pub(super) fn is_up(&self) -> bool {
        self.up.load(Ordering::Acquire)
    }

    #[cfg(test)]
    pub(super) fn pretend_it_is_up(&self) {
        self.up.store(true, Ordering::Release);
    }

    async fn ask(
        &self,
        key: &str,
        limit: u32,
        window: Duration,
        ticket: Ticket,
        admitted: &[(Ticket, Duration)],
    ) -> Result<Admission, Failure> {
        let mut question = self.script.key(key);
        question.arg(limit).arg(micros(window)).arg(self.name(ticket));
        for (ticket, age) in admitted {
            question.arg(self.name(*ticket)).arg(micros(*age));
        }
        let answer = async {
            let mut connection = self.pool.get().await?;
            Ok(question.invoke_async(&mut connection).await?)
        };
        let (allowed, used, reset): (bool, u32, u64) = self.wait_for(answer).await?;
        let remaining = limit.saturating_sub(used);
        Ok(Admission { allowed, limit, remaining, reset: Duration::from_micros(reset), window, ticket })
    }

    /// Waits for `answer` as long as there is hope.
    async fn wait_for<T>(&self, answer: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let mut answer = pin!(answer);
        for _ in 0..ROUNDS {
            let before = self.answers.load(Ordering::Relaxed);
            if let Ok(answer) = timeout(PATIENCE, answer.as_mut()).await {
                self.answers.fetch_add(usize::from(answer.is_ok()), Ordering::Relaxed);
                return answer;
            }
            if self.answers.load(Ordering::Relaxed) == before {
                break;
            }
        }
        Err(Failure::Slow)
    }

    /// Has Redis do the same work for a key that nobody reads: one that only answers would not do.
    async fn probe(&self) -> Result<(), Failure> {
        self.ask(PROBE_KEY, u32::MAX, PAUSE, Ticket(0), &[]).await.map(|_| ())
    }

    /// Leaves Redis alone for a while.
    fn fail(self: &Arc<Self>, failure: &Failure) {
        // Those to a server that hangs would each cost the full wait once more.
        self.pool.retain(|_, _| false);
        if self.up.swap(false, Ordering::AcqRel) {
            self.metrics.shared.set(0);
            tracing::warn!(error = %failure, "Redis cannot be used; each node limits syncs by its own count until it can");
            tokio::spawn(Self::recover(Arc::downgrade(self)));
        }
    }

    /// Tries Redis again and again, until it answers or nobody needs it any more.
    async fn recover(shared: Weak<Self>) {
        loop {
            tokio::time::sleep(PAUSE).await;
            let Some(shared) = shared.upgrade() else { return };
            if shared.probe().await.is_ok() {
                shared.metrics.shared.set(1);
                tracing::info!("Redis is back; rate limits are shared by all nodes again");
                return shared.up.store(true, Ordering::Release);
            }
            shared.pool.retain(|_, _| false);
        }
    }

    fn name(&self, ticket: Ticket) -> String {
        format!("{}:{}", self.node.simple(), ticket.0)
    }
}

/// Why Redis is no help.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("it does not answer in time")]
    Slow,
    #[error("{0}")]
    Redis(#[from] RedisError),
    #[error("{0}")]
    Pool(PoolError),
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => Self::Redis(error),
            error => Self::Pool(error),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

//! The limit of syncs per site.
//!
//! A sync takes a place in the node's own log first, then, where there is a Redis, one in the log that all nodes share.
//! The own log never holds more than the shared one should, so what it refuses nobody else needs to be asked about; and
//! when Redis is away it is what counts. Whatever a node has admitted it tells Redis again with the site's next sync,
//! so that a Redis that has forgotten something learns it.

use std::sync::Arc;
use std::time::Duration;

use module_monitor_domain::SiteId;
use module_monitor_ingestion::Clock;
use prometheus_client::registry::Registry;
use tokio::runtime::Handle;

use super::admission::Admission;
use super::redis::SharedLog;
use super::rolling::RollingLog;
use crate::metrics::RateLimitMetrics;
use crate::redis_address::{RedisAddress, RedisUrlError};

/// How many of its admitted syncs a node repeats to Redis at most; more than most sites send in a window.
const REPEATED: usize = 100;

/// Limits the syncs of each site in any window of a fixed length.
pub(crate) struct RateLimiter {
    limit: u32,
    log: Arc<RollingLog>,
    pub(super) shared: Option<Arc<SharedLog>>,
    runtime: Handle,
}

impl RateLimiter {
    /// Takes `limit` syncs of each site in any `window`. Must be called on the main runtime.
    pub(crate) fn new(clock: Arc<dyn Clock>, limit: u32, window: Duration) -> Self {
        Self { limit, log: Arc::new(RollingLog::new(clock, window)), shared: None, runtime: Handle::current() }
    }

    /// Counts together with all other nodes that use that Redis. Waits for it only shortly: where it is not
    /// there yet, the node counts alone until it is. Metrics of that go into `registry`.
    pub(crate) async fn share(&mut self, redis: &RedisAddress, registry: &mut Registry) -> Result<(), RedisUrlError> {
        let metrics = RateLimitMetrics::default();
        let shared = Arc::new(SharedLog::new(redis, self.log.window(), metrics.clone())?);
        metrics.register(registry);
        shared.start().await;
        self.shared = Some(shared);
        Ok(())
    }

    /// Counts one more sync of `site`, unless the site has used up its limit: `limit`, or else the server's.
    pub(crate) async fn admit(&self, site: SiteId, limit: Option<u32>) -> Admission {
        let limit = limit.unwrap_or(self.limit);
        let own = self.log.try_admit(site, limit);
        let Some(shared) = self.shared.as_ref().filter(|_| own.allowed) else { return own };
        // A client that hangs up must not leave the two logs apart.
        let (log, shared) = (Arc::clone(&self.log), Arc::clone(shared));
        let answer = self.runtime.spawn(async move { ask_all(&log, &shared, site, own).await });
        answer.await.unwrap_or(own)
    }

    /// Gives the place of an admitted sync back, because the server had no room for it after all.
    pub(crate) fn take_back(&self, site: SiteId, admission: &Admission) {
        let ticket = admission.ticket;
        self.log.take_back(site, ticket);
        if let Some(shared) = self.shared.clone() {
            self.runtime.spawn(async move { shared.take_back(site, ticket).await });
        }
    }
}

/// Lets Redis decide about a sync that has its place in the node's own log.
async fn ask_all(log: &RollingLog, shared: &Arc<SharedLog>, site: SiteId, own: Admission) -> Admission {
    let ticket = own.ticket;
    let admitted = log.settled(site, REPEATED);
    let answer = shared.try_admit(site, own.limit, ticket, &admitted).await.unwrap_or(own);
    if answer.allowed {
        log.settle(site, ticket);
    } else {
        log.take_back(site, ticket);
    }
    answer
}

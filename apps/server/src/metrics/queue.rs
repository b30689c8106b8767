//! Metrics of the queue.

use std::time::Duration;

use module_monitor_storage::QueueFigures;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use time::OffsetDateTime;

/// What the queue counts: gauges of the whole queue, which every node shows alike, and counters of this node's worker.
#[derive(Clone, Default)]
pub(crate) struct QueueMetrics {
    depth: Gauge,
    waiting: Gauge,
    running: Gauge,
    dead: Gauge,
    bytes: Gauge,
    oldest_age: Gauge,
    workers: Gauge,
    failed_attempts: Gauge,
    lost_attempts: Gauge,
    pub(super) retries: Counter,
    pub(super) reclaims: Counter,
    pub(super) lost_leases: Counter,
    pub(super) died: Counter,
    oldest_dead_age: Gauge,
    dead_kept: Gauge,
    pub(crate) expired: Counter,
}

impl QueueMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let gauges = [
            ("queue_depth", "Syncs that wait in the queue", &self.depth),
            ("queue_waiting", "Of those, syncs that have failed and wait for their next attempt", &self.waiting),
            ("queue_running", "Syncs in the hands of a worker", &self.running),
            ("queue_dead_letters", "Syncs that could not be applied and wait for an administrator", &self.dead),
            ("queue_dead_letters_oldest_age_seconds", "How long the oldest of them has waited", &self.oldest_dead_age),
            ("queue_dead_letters_retention_seconds", "How long each of them is kept", &self.dead_kept),
            ("queue_bytes", "Size of what waits and runs", &self.bytes),
            ("queue_oldest_age_seconds", "Age of the oldest sync that waits or runs", &self.oldest_age),
            ("queue_workers", "Worker processes that show signs of life", &self.workers),
            (
                "queue_failed_attempts",
                "Attempts that failed, on any node, of the syncs that are kept",
                &self.failed_attempts,
            ),
            ("queue_lost_attempts", "Attempts whose worker was lost, of the syncs that are kept", &self.lost_attempts),
        ];
        for (name, help, gauge) in gauges {
            registry.register(name, help, gauge.clone());
        }
        let counters = [
            ("queue_retries", "Attempts of this node that failed and will be repeated", &self.retries),
            ("queue_lease_reclaims", "Syncs that this node took from a worker that was lost", &self.reclaims),
            ("queue_leases_lost", "Syncs that this node lost to another worker", &self.lost_leases),
            ("queue_died", "Syncs that became dead letters on this node", &self.died),
            ("queue_dead_letters_expired", "Dead letters that this node removed after their retention", &self.expired),
        ];
        for (name, help, counter) in counters {
            registry.register(name, help, counter.clone());
        }
    }

    /// Shows for how long dead letters are kept.
    pub(crate) fn show_retention(&self, retention: Duration) {
        self.dead_kept.set(i64::try_from(retention.as_secs()).unwrap_or(i64::MAX));
    }

    /// Shows the state of the whole queue.
    pub(crate) fn show(&self, figures: &QueueFigures, now: OffsetDateTime) {
        let age = |since: Option<OffsetDateTime>| since.map_or(0, |since| (now - since).whole_seconds().max(0));
        self.depth.set(figures.queued);
        self.waiting.set(figures.waiting);
        self.running.set(figures.running);
        self.dead.set(figures.dead);
        self.bytes.set(figures.bytes);
        self.workers.set(figures.workers);
        self.failed_attempts.set(figures.failures);
        self.lost_attempts.set(figures.reclaims);
        self.oldest_age.set(age(figures.oldest));
        self.oldest_dead_age.set(age(figures.oldest_dead));
    }
}

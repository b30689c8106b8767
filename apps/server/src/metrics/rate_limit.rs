//! Metrics of the rate limit that nodes share.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// How the sharing goes.
#[derive(Clone, Default)]
pub(crate) struct RateLimitMetrics {
    pub(crate) shared: Gauge,
    pub(crate) fallbacks: Counter,
}

impl RateLimitMetrics {
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register(
            "rate_limit_shared",
            "1 while Redis counts syncs for all nodes, 0 while this node counts its own",
            self.shared.clone(),
        );
        registry.register(
            "rate_limit_fallbacks",
            "Syncs counted by this node alone because Redis did not answer",
            self.fallbacks.clone(),
        );
    }
}

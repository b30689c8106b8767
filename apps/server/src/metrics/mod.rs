//! What the server counts, for Prometheus.

mod coverage;
mod queue;
mod rate_limit;
mod releases;
mod server;

pub(crate) use rate_limit::RateLimitMetrics;
pub(crate) use releases::ReleaseMetrics;
pub(crate) use server::{Metrics, Outcome, RequestLabels, RouteLabels};

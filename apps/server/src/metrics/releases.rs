//! Metrics of release data.

use std::sync::atomic::AtomicU64;

use module_monitor_ingestion::CheckResult;
use module_monitor_storage::ReleaseFigures;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use time::{Duration, OffsetDateTime};

/// What is counted of release data.
#[derive(Clone, Default)]
pub(crate) struct ReleaseMetrics {
    checks: Family<CheckLabels, Counter>,
    data_age: Gauge<f64, AtomicU64>,
    feeds: Gauge,
    never_fetched: Gauge,
}

/// A request for a feed by what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CheckLabels {
    outcome: &'static str,
}

impl ReleaseMetrics {
    /// The metrics, at zero, as a part of `registry`.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        // A series that appears with its first event hides that event from `rate()`.
        for outcome in CheckResult::NAMES {
            let _ = metrics.checks.get_or_create(&CheckLabels { outcome });
        }
        registry.register("release_checks", "Release feeds asked for by what came of it", metrics.checks.clone());
        registry.register(
            "release_data_age_seconds",
            "How long ago the most outdated release data was known to be right",
            metrics.data_age.clone(),
        );
        registry.register("release_feeds", "Release feeds of the projects that sites use", metrics.feeds.clone());
        registry.register(
            "release_feeds_never_fetched",
            "Those without release data, which is also what drupal.org does not know",
            metrics.never_fetched.clone(),
        );
        metrics
    }

    /// Counts a request for a feed.
    pub(crate) fn count(&self, result: &CheckResult) {
        self.checks.get_or_create(&CheckLabels { outcome: result.name() }).inc();
    }

    /// Shows what the database has of releases at `now`.
    pub(crate) fn show(&self, figures: &ReleaseFigures, now: OffsetDateTime) {
        let age = figures.data_as_of.map_or(Duration::ZERO, |as_of| now - as_of);
        self.data_age.set(age.as_seconds_f64().max(0.0));
        self.feeds.set(figures.projects.try_into().unwrap_or(i64::MAX));
        self.never_fetched.set(figures.never_fetched.try_into().unwrap_or(i64::MAX));
    }
}

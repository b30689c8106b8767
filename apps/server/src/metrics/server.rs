//! Everything that a server counts.

use std::fmt;

use module_monitor_ingestion::queue::{JobEvent, JobEventKind};
use module_monitor_storage::KeptRows;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::coverage::CoverageMetrics;
use super::queue::QueueMetrics;

/// From a hit in the process to a large sync on a busy database, in seconds.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Everything the server counts. Other parts register what is theirs in the same registry.
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) requests: Family<RequestLabels, Counter>,
    pub(crate) request_duration: Family<RouteLabels, Histogram>,
    syncs: Family<SyncLabels, Counter>,
    pub(crate) sync_duration: Histogram,
    sync_modules: Family<ChangeLabels, Counter>,
    removed_rows: Family<RemovedLabels, Counter>,
    pub(crate) database_statements: Counter,
    pub(crate) queue: QueueMetrics,
    pub(crate) coverage: CoverageMetrics,
}

/// A request. The route is its pattern, never the path, so that clients cannot make up label values.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    pub(crate) method: &'static str,
    pub(crate) route: String,
    pub(crate) status: u16,
}

/// What is timed together.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RouteLabels {
    pub(crate) method: &'static str,
    pub(crate) route: String,
}

/// What became of a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// It is stored.
    Applied,
    /// It was stored before, under the same idempotency key.
    Replayed,
    /// It is in the queue.
    Queued,
    /// The site may not report this, or not now.
    Refused,
    /// The report is not valid.
    Invalid,
    /// The database did not do it, or we did not.
    Failed,
}

impl Outcome {
    const ALL: [Self; 6] = [Self::Applied, Self::Replayed, Self::Queued, Self::Refused, Self::Invalid, Self::Failed];

    /// The name in the log and in metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Replayed => "replayed",
            Self::Queued => "queued",
            Self::Refused => "refused",
            Self::Invalid => "invalid",
            Self::Failed => "failed",
        }
    }
}

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        self.as_str().encode(encoder)
    }
}

/// A sync by what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SyncLabels {
    outcome: Outcome,
}

/// Modules by what a sync did to them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChangeLabels {
    change: &'static str,
}

/// Rows that are not kept any longer, by their kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RemovedLabels {
    kind: &'static str,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("module_monitor"),
            requests: Family::default(),
            request_duration: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            syncs: Family::default(),
            sync_duration: Histogram::new(BUCKETS),
            sync_modules: Family::default(),
            removed_rows: Family::default(),
            database_statements: Counter::default(),
            queue: QueueMetrics::default(),
            coverage: CoverageMetrics::default(),
        };
        metrics.register();
        metrics.start_at_zero();
        metrics
    }

    /// Counts a sync by what became of it.
    pub(crate) fn count_sync(&self, outcome: Outcome) {
        self.syncs.get_or_create(&SyncLabels { outcome }).inc();
    }

    /// Counts what a sync did to modules.
    pub(crate) fn count_modules(&self, new: usize, updated: usize, removed: usize) {
        for (change, modules) in [("new", new), ("updated", updated), ("removed", removed)] {
            self.sync_modules.get_or_create(&ChangeLabels { change }).inc_by(modules as u64);
        }
    }

    /// Counts rows that were removed because they are not kept any longer.
    pub(crate) fn count_removed(&self, kind: KeptRows, rows: usize) {
        self.removed_rows.get_or_create(&RemovedLabels { kind: kind.as_str() }).inc_by(rows as u64);
    }

    /// All of it in the OpenMetrics format. Fails where memory does.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// Where parts that are not always there register what is theirs.
    pub(crate) fn registry(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// The encoder appends `_total` to counters and `_info` to infos.
    fn register(&mut self) {
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        let registry = &mut self.registry;
        registry.register("build", "The running version", build);
        registry.register("http_requests", "Requests answered", self.requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "Time from a request's headers to its answer",
            self.request_duration.clone(),
        );
        registry.register("syncs", "Syncs by what became of them", self.syncs.clone());
        registry.register(
            "sync_duration_seconds",
            "Time from a sync's body to its answer, refused ones included",
            self.sync_duration.clone(),
        );
        registry.register("sync_modules", "Modules changed by syncs", self.sync_modules.clone());
        let help = "Rows that this node removed because they are not kept any longer";
        registry.register("retention_removed_rows", help, self.removed_rows.clone());
        self.queue.register(registry);
        self.coverage.register(registry);
        registry.register("database_statements", "Statements sent to the database", self.database_statements.clone());
    }

    /// A series that appears with its first event hides that event from `rate()`.
    fn start_at_zero(&self) {
        for outcome in Outcome::ALL {
            let _ = self.syncs.get_or_create(&SyncLabels { outcome });
        }
        for kind in KeptRows::ALL {
            self.count_removed(kind, 0);
        }
        for change in ["new", "updated", "removed"] {
            let _ = self.sync_modules.get_or_create(&ChangeLabels { change });
        }
    }
}

/// What a worker inside a server does counts as the server's own.
impl Metrics {
    /// Counts what a worker of this process has done.
    pub(crate) fn count_job(&self, event: &JobEvent) {
        match &event.kind {
            JobEventKind::Applied(outcome) => {
                self.count_sync(Outcome::Applied);
                self.count_modules(outcome.counts.new, outcome.counts.updated, outcome.counts.removed);
            }
            JobEventKind::Refused(_) => self.count_sync(Outcome::Refused),
            JobEventKind::Retried(_) => drop(self.queue.retries.inc()),
            JobEventKind::Reclaimed => drop(self.queue.reclaims.inc()),
            JobEventKind::LeaseLost => drop(self.queue.lost_leases.inc()),
            JobEventKind::Dead => {
                self.queue.died.inc();
                self.count_sync(Outcome::Failed);
            }
            JobEventKind::Held | JobEventKind::HandedBack => {}
        }
    }
}

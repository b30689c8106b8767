//! Keeping release data and what follows from it up to date, beside the requests.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use module_monitor_ingestion::{
    CheckResult, Checked, Clock, FeedUrl, HttpFeed, HttpFeedOptions, Refresher, ReleaseService,
};
use module_monitor_storage::{Storage, StorageError};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::task::JoinHandle;

use crate::http::AppState;
use crate::logging::Chain;

/// The pause after one look at what is due and before the next. A new project waits so long at most, and other nodes
/// get their turn in it.
const REFRESH_PAUSE: Duration = Duration::from_secs(2);
/// How often it is looked whether accepted risks have ended or sites must be recounted.
const MAINTENANCE_PAUSE: Duration = Duration::from_secs(1);
/// How often the figures for metrics are asked for.
const FIGURES_PAUSE: Duration = Duration::from_secs(15);
/// How long a feed may take to answer.
const FEED_TIMEOUT: Duration = Duration::from_secs(60);

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
        let service = ReleaseService::new(Arc::clone(storage), Arc::clone(clock), self.interval);
        Ok(Refresher::new(service, Arc::new(source), self.pause))
    }
}

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
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Outcome {
    Fetched,
    NotModified,
    NoHistory,
    Failed,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Fetched, Self::NotModified, Self::NoHistory, Self::Failed];

    fn of(result: &CheckResult) -> Self {
        match result {
            CheckResult::Fetched(_) => Self::Fetched,
            CheckResult::NotModified => Self::NotModified,
            CheckResult::NoHistory => Self::NoHistory,
            CheckResult::Failed(_) => Self::Failed,
        }
    }
}

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        let name = match self {
            Self::Fetched => "fetched",
            Self::NotModified => "not_modified",
            Self::NoHistory => "no_history",
            Self::Failed => "failed",
        };
        name.encode(encoder)
    }
}

impl ReleaseMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        // A series that appears with its first event hides that event from `rate()`.
        for outcome in Outcome::ALL {
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

    fn count(&self, checked: &Checked) {
        self.checks.get_or_create(&CheckLabels { outcome: Outcome::of(&checked.result) }).inc();
    }

    async fn measure(&self, state: &AppState) -> Result<(), StorageError> {
        let figures = state.storage.release_figures().await?;
        let age = figures.data_as_of.map_or(time::Duration::ZERO, |as_of| state.clock.now() - as_of);
        self.data_age.set(age.as_seconds_f64().max(0.0));
        self.feeds.set(figures.projects.try_into().unwrap_or(i64::MAX));
        self.never_fetched.set(figures.never_fetched.try_into().unwrap_or(i64::MAX));
        Ok(())
    }
}

/// The tasks around release data, until the server stops.
pub(crate) struct Refreshing {
    tasks: Vec<JoinHandle<()>>,
    refresher: Option<Arc<Refresher>>,
}

impl Refreshing {
    /// Starts them. Without a `refresher` no feed is asked for; accepted risks end and sites are recounted all the same.
    pub(crate) fn start(state: &Arc<AppState>, metrics: ReleaseMetrics, refresher: Option<Refresher>) -> Self {
        let refresher = refresher.map(Arc::new);
        let mut tasks = vec![tokio::spawn(maintain(Arc::clone(state)))];
        tasks.push(tokio::spawn(measure(Arc::clone(state), metrics.clone())));
        if let Some(refresher) = &refresher {
            tasks.push(tokio::spawn(refresh(Arc::clone(state), metrics, Arc::clone(refresher))));
        }
        Self { tasks, refresher }
    }

    /// Ends them, and lets another node ask. A request for a feed in progress is dropped.
    pub(crate) async fn stop(self, state: &AppState) {
        self.tasks.iter().for_each(JoinHandle::abort);
        if let Some(refresher) = self.refresher.filter(|_| state.is_migrated())
            && let Err(error) = refresher.end_turn().await
        {
            tracing::warn!(error = %Chain(&error), "other nodes must wait before they can ask for releases");
        }
    }
}

async fn maintain(state: Arc<AppState>) {
    // The interval is for whoever asks for feeds, which this one does not.
    let service = ReleaseService::new(Arc::clone(&state.storage), Arc::clone(&state.clock), Duration::MAX);
    let work = || -> Work {
        let service = service.clone();
        Box::pin(async move { service.maintain().await })
    };
    let failed = "cannot end accepted risks or recount sites; until it works they stay as they are";
    repeat(&state, MAINTENANCE_PAUSE, failed, work).await;
}

async fn measure(state: Arc<AppState>, metrics: ReleaseMetrics) {
    let work = || -> Work {
        let (state, metrics) = (Arc::clone(&state), metrics.clone());
        Box::pin(async move { metrics.measure(&state).await })
    };
    repeat(&state, FIGURES_PAUSE, "cannot ask for the age of release data", work).await;
}

async fn refresh(state: Arc<AppState>, metrics: ReleaseMetrics, refresher: Arc<Refresher>) {
    let work = || -> Work {
        let (metrics, refresher) = (metrics.clone(), Arc::clone(&refresher));
        Box::pin(async move { refresher.refresh_due(|checked| metrics.count(checked)).await.map(|_| ()) })
    };
    repeat(&state, REFRESH_PAUSE, "cannot keep release data fresh; what is known stays", work).await;
}

type Work = Pin<Box<dyn Future<Output = Result<(), StorageError>> + Send>>;

/// Does `work` again and again with pauses. Of failures that follow each other only the first is logged, as `failed`.
async fn repeat(state: &AppState, pause: Duration, failed: &str, work: impl Fn() -> Work) {
    let mut failing = false;
    loop {
        if state.is_migrated() {
            let result = work().await;
            if let Err(error) = &result
                && !failing
            {
                tracing::warn!(error = %Chain(error), "{failed}");
            }
            failing = result.is_err();
        }
        tokio::time::sleep(pause).await;
    }
}

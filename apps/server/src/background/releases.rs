//! Keeping release data and what follows from it up to date, beside the requests.

use std::sync::Arc;
use std::time::Duration;

use module_monitor_ingestion::{Refresher, ReleaseService};

use super::repeat::Repeating;
use crate::logging::Chain;
use crate::metrics::ReleaseMetrics;
use crate::state::AppState;

/// The pause after one look at what is due and before the next. A new project waits so long at most, and other nodes
/// get their turn in it.
const REFRESH_PAUSE: Duration = Duration::from_secs(2);
/// How often it is looked whether accepted risks have ended or sites must be recounted.
const MAINTENANCE_PAUSE: Duration = Duration::from_secs(1);
/// How often it is looked whether what was postponed can be judged now.
const POSTPONED_PAUSE: Duration = Duration::from_secs(3600);
/// How often it is counted how many sites use each project.
const USAGE_PAUSE: Duration = Duration::from_secs(6 * 3600);
/// How often it is looked whether projects were left out that a site has.
const FORGOTTEN_PAUSE: Duration = Duration::from_secs(3600);
/// How often the figures for metrics are asked for.
const FIGURES_PAUSE: Duration = Duration::from_secs(15);

/// The tasks around release data, until the server stops.
pub(crate) struct Refreshing {
    tasks: Repeating,
    refresher: Option<Arc<Refresher>>,
}

impl Refreshing {
    /// Starts them. Without a `refresher` no feed is asked for; accepted risks end and sites are recounted all the same.
    pub(crate) fn start(state: &Arc<AppState>, metrics: ReleaseMetrics, refresher: Option<Refresher>) -> Self {
        let refresher = refresher.map(Arc::new);
        let tasks = Repeating::new(state);
        maintain(&tasks, state);
        judge_postponed(&tasks);
        measure(&tasks, metrics.clone());
        if let Some(refresher) = &refresher {
            introduce_forgotten(&tasks);
            count_usage(&tasks);
            refresh(&tasks, metrics, refresher);
        }
        Self { tasks, refresher }
    }

    /// Ends them, and lets another node ask. A request for a feed in progress is dropped.
    pub(crate) async fn stop(self, state: &AppState) {
        self.tasks.stop().await;
        if let Some(refresher) = self.refresher.filter(|_| state.is_migrated())
            && let Err(error) = refresher.end_turn().await
        {
            tracing::warn!(error = %Chain(&error), "other nodes must wait before they can ask for releases");
        }
    }
}

fn maintain(tasks: &Repeating, state: &AppState) {
    let service = ReleaseService::new(Arc::clone(&state.storage), Arc::clone(&state.clock));
    let failed = "cannot end accepted risks or recount sites; until it works they stay as they are";
    tasks.every(MAINTENANCE_PAUSE, failed, move |_| {
        let service = service.clone();
        async move { service.maintain().await }
    });
}

fn judge_postponed(tasks: &Repeating) {
    let failed = "cannot judge what was postponed; it stays unknown";
    tasks.every(POSTPONED_PAUSE, failed, |state| async move {
        state.storage.request_postponed(state.clock.now()).await.map(drop)
    });
}

fn count_usage(tasks: &Repeating) {
    let failed = "cannot count how many sites use each project; the last count stays";
    tasks.every(USAGE_PAUSE, failed, |state| async move { state.storage.count_usage().await.map(drop) });
}

fn introduce_forgotten(tasks: &Repeating) {
    let failed = "cannot look for projects that nobody asks about; those of the last reports may be unknown";
    tasks.every(FORGOTTEN_PAUSE, failed, |state| async move {
        state.storage.introduce_forgotten(state.clock.now()).await.map(drop)
    });
}

fn measure(tasks: &Repeating, metrics: ReleaseMetrics) {
    tasks.every(FIGURES_PAUSE, "cannot ask for the age of release data", move |state| {
        let metrics = metrics.clone();
        async move {
            let figures = state.storage.release_figures().await?;
            metrics.show(&figures, state.clock.now());
            Ok(())
        }
    });
}

fn refresh(tasks: &Repeating, metrics: ReleaseMetrics, refresher: &Arc<Refresher>) {
    let refresher = Arc::clone(refresher);
    tasks.every(REFRESH_PAUSE, "cannot keep release data fresh; what is known stays", move |_| {
        let (metrics, refresher) = (metrics.clone(), Arc::clone(&refresher));
        async move { refresher.refresh_due(|checked| metrics.count(&checked.result)).await.map(drop) }
    });
}

//! Doing something every so often until told to stop.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use module_monitor_storage::StorageError;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::logging::Chain;
use crate::state::AppState;

/// Tasks that repeat, all told to stop together.
pub(super) struct Repeating {
    state: Arc<AppState>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Repeating {
    /// None yet. `state` is what they all work with.
    pub(super) fn new(state: &Arc<AppState>) -> Self {
        Self { state: Arc::clone(state), stop: CancellationToken::new(), tasks: TaskTracker::new() }
    }

    /// Does `work` at once and then again and again, with pauses between, while the schema is up to date. Of failures
    /// that follow each other only the first is logged, as `failed`, and none where the database as a whole is to blame,
    /// which has a line of its own. Must be called on the main runtime.
    pub(super) fn every<F>(
        &self,
        pause: Duration,
        failed: &'static str,
        work: impl Fn(Arc<AppState>) -> F + Send + 'static,
    ) where
        F: Future<Output = Result<(), StorageError>> + Send,
    {
        let (state, stop) = (Arc::clone(&self.state), self.stop.clone());
        self.tasks.spawn(async move { stop.run_until_cancelled(repeat(&state, pause, failed, work)).await });
    }

    /// The same for work that deals with its failures itself.
    pub(super) fn every_quietly<F>(&self, pause: Duration, work: impl Fn(Arc<AppState>) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send,
    {
        self.every(pause, "", move |state| work(state).map(Ok));
    }

    /// Ends them. What they are at is dropped; a unit of work that has reached the database is finished there.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

async fn repeat<F>(state: &Arc<AppState>, pause: Duration, failed: &str, work: impl Fn(Arc<AppState>) -> F)
where
    F: Future<Output = Result<(), StorageError>>,
{
    let mut failing = false;
    loop {
        if state.is_migrated() {
            let result = work(Arc::clone(state)).await;
            if let Err(error) = &result
                && !state.health.note(error)
                && !failing
            {
                tracing::warn!(error = %Chain(error), "{failed}");
            }
            failing = result.is_err();
        }
        sleep(pause).await;
    }
}

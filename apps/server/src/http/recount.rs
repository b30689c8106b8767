//! Waiting for the figures of sites to follow what an administrator has done.

use std::sync::Arc;
use std::time::Duration;

use module_monitor_ingestion::ReleaseService;

use crate::logging::Chain;
use crate::state::AppState;

/// How long an answer waits for the figures of sites to be right. They become right in any case.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits a while until the figures of the sites have followed. They do so in any case: what this recount leaves undone,
/// the server's own does.
pub(super) async fn settle_figures(state: &AppState) {
    let service = ReleaseService::new(Arc::clone(&state.storage), Arc::clone(&state.clock));
    let recount = state.spawn(async move {
        if let Err(error) = service.recount(|_| {}).await {
            tracing::warn!(error = %Chain(&error), "sites are not recounted yet");
        }
    });
    let _ = tokio::time::timeout(PATIENCE, recount).await;
}

//! Letting the figures of sites follow what a command has done.

use std::sync::Arc;

use module_monitor_ingestion::{ReleaseService, SystemClock};
use module_monitor_storage::{Storage, StorageError};

use super::progress::Progress;

/// Recounts the sites that something has changed for, and says how many they were.
pub(super) async fn recount_marked(storage: &Arc<dyn Storage>) -> Result<usize, StorageError> {
    let progress = Progress::open_ended("recounting sites");
    let service = ReleaseService::new(Arc::clone(storage), Arc::new(SystemClock));
    service.recount(|sites| progress.reach(sites)).await
}

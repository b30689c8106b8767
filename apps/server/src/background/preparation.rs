//! Getting the database ready while it is not there yet, or not migrated.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use module_monitor_storage::{Storage, StorageError};

use crate::state::AppState;

/// Why the database cannot be used yet; `None` where it is ready. Migrates it where it may, and fails where it can never be
/// used.
pub(crate) async fn prepare(storage: &dyn Storage, migrate: bool) -> Result<Option<StorageError>, StorageError> {
    let prepared = if migrate { storage.migrate().await } else { storage.check().await.map(|()| 0) };
    match prepared {
        Ok(0) => Ok(None),
        Ok(applied) => {
            tracing::info!(applied, backend = storage.backend(), "the database was migrated");
            Ok(None)
        }
        // Whoever may migrate it will.
        Err(error @ StorageError::NotMigrated { .. }) => Ok(Some(error)),
        Err(error) if error.is_transient() => Ok(Some(error)),
        Err(error) => Err(error),
    }
}

/// Tries to until it works or can never work.
pub(crate) async fn keep_preparing(state: Arc<AppState>, migrate: bool) -> Result<(), StorageError> {
    let delays = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(250))
        .with_max_delay(Duration::from_secs(5))
        .with_jitter()
        .without_max_times()
        .build();
    for delay in delays {
        tokio::time::sleep(delay).await;
        if prepare(state.storage.as_ref(), migrate).await?.is_none() {
            break;
        }
    }
    state.set_migrated();
    tracing::info!("the database is ready; serving");
    Ok(())
}

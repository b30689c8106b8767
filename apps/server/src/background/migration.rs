//! Bringing the schema up to date while the database is not there yet.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use module_monitor_storage::{Storage, StorageError};

use crate::logging::Chain;
use crate::state::AppState;

/// Whether the schema is up to date now; `false` where the database cannot be reached.
pub(crate) async fn migrate_once(storage: &dyn Storage) -> Result<bool, StorageError> {
    match storage.migrate().await {
        Ok(0) => Ok(true),
        Ok(applied) => {
            tracing::info!(applied, backend = storage.backend(), "the database was migrated");
            Ok(true)
        }
        Err(error) if error.is_transient() => {
            tracing::warn!(error = %Chain(&error), "the database is not there yet; serving 503 until it is");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Tries to migrate until it works or can never work.
pub(crate) async fn keep_migrating(state: Arc<AppState>) -> Result<(), StorageError> {
    let delays = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(250))
        .with_max_delay(Duration::from_secs(5))
        .with_jitter()
        .without_max_times()
        .build();
    for delay in delays {
        tokio::time::sleep(delay).await;
        if migrate_once(state.storage.as_ref()).await? {
            break;
        }
    }
    state.set_migrated();
    tracing::info!("the database is there; serving");
    Ok(())
}

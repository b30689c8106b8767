//! The database that a command works on.

use std::sync::Arc;

use clap::Args;
use module_monitor_storage::{Storage, StorageError, StorageOptions, connect};

/// Which database to use.
#[derive(Args)]
pub(super) struct DatabaseArgs {
    /// sqlite://PATH or postgres://USER:PASSWORD@HOST/DATABASE
    // It may hold a password, so the help never shows the variable's value.
    #[arg(long, global = true, value_name = "URL", env = "MODULE_MONITOR_DATABASE_URL", hide_env_values = true)]
    #[arg(default_value = "sqlite://module-monitor.db")]
    pub(super) database_url: String,
}

impl DatabaseArgs {
    /// Opens the database and brings its schema up to date, so that commands work on a new file at once.
    pub(super) async fn open(&self) -> Result<Arc<dyn Storage>, StorageError> {
        let storage = self.connect()?;
        storage.migrate().await?;
        Ok(storage)
    }

    /// Opens the database as it is. A command needs one connection at a time.
    pub(super) fn connect(&self) -> Result<Arc<dyn Storage>, StorageError> {
        connect(&self.database_url, StorageOptions { max_connections: 1, ..StorageOptions::default() })
    }
}

//! The database that a command works on.

use std::sync::Arc;

use super::secret::{Secret, secret_file};
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
    /// A file that holds the same
    #[arg(long, global = true, value_name = "FILE", env = "MODULE_MONITOR_DATABASE_URL_FILE")]
    #[arg(value_parser = secret_file, conflicts_with = "database_url")]
    database_url_file: Option<Secret>,
}

impl DatabaseArgs {
    /// The URL, wherever it comes from.
    pub(super) fn url(&self) -> &str {
        self.database_url_file.as_ref().map_or(self.database_url.as_str(), |file| file.0.as_str())
    }

    /// Opens the database. Where it is not migrated, the error says what to run: a command that is for looking, perhaps of
    /// a newer version than the servers, must not change their schema.
    pub(super) async fn open(&self) -> Result<Arc<dyn Storage>, StorageError> {
        let storage = self.connect_with(StorageOptions::default())?;
        storage.check().await?;
        Ok(storage)
    }

    /// Opens the database as it is. A command needs one connection at a time.
    pub(super) fn connect_with(&self, options: StorageOptions) -> Result<Arc<dyn Storage>, StorageError> {
        connect(self.url(), StorageOptions { max_connections: 1, ..options })
    }
}

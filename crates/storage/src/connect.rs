//! Choosing the backend by URL.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::postgres::Postgres;
use crate::sqlite::Sqlite;
use crate::{Storage, StorageError};

/// Called with every statement that is sent to the database; formatting it gives its text.
pub type StatementObserver = Arc<dyn Fn(&dyn fmt::Display) + Send + Sync>;

/// How to use the database.
#[derive(Clone)]
pub struct StorageOptions {
    /// The most connections to hold open.
    pub max_connections: u32,
    /// How long to wait for a connection before [`StorageError::Unavailable`].
    pub checkout_timeout: Duration,
    /// Sees every statement; for metrics and tests.
    pub on_statement: Option<StatementObserver>,
}

impl Default for StorageOptions {
    fn default() -> Self {
        Self { max_connections: 10, checkout_timeout: Duration::from_secs(5), on_statement: None }
    }
}

impl fmt::Debug for StorageOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageOptions")
            .field("max_connections", &self.max_connections)
            .field("checkout_timeout", &self.checkout_timeout)
            .finish_non_exhaustive()
    }
}

/// Opens the database that `url` names: `sqlite://path/to/file.db` or `postgres://user@host/database`. Connections are
/// made when they are needed, so a database that is down is not an error here; a URL that cannot work is
/// ([`StorageError::Url`]). Call [`Storage::migrate`] before anything else.
pub fn connect(url: &str, options: StorageOptions) -> Result<Arc<dyn Storage>, StorageError> {
    if let Some(path) = url.strip_prefix("sqlite://") {
        return Ok(Arc::new(Sqlite::open(path, options)?));
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Arc::new(Postgres::open(url, options)?));
    }
    Err(StorageError::Url(
        "it starts with neither sqlite:// nor postgres://, as in sqlite://module-monitor.db".to_owned(),
    ))
}

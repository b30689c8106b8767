//! How to use the database.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::site_bounds::SiteBounds;

/// Called with every statement that is sent to the database; formatting it gives its text.
pub type StatementObserver = Arc<dyn Fn(&dyn fmt::Display) + Send + Sync>;

/// How to use the database.
#[derive(Clone)]
pub struct StorageOptions {
    /// The most connections to hold open.
    pub max_connections: u32,
    /// How long to wait for a connection before [`crate::StorageError::Unavailable`].
    pub checkout_timeout: Duration,
    /// How long to wait while another process migrates, before [`crate::StorageError::MigrationLocked`].
    pub migration_timeout: Duration,
    /// What one site may accumulate.
    pub site_bounds: SiteBounds,
    /// Sees every statement; for metrics and tests.
    pub on_statement: Option<StatementObserver>,
}

impl Default for StorageOptions {
    fn default() -> Self {
        Self {
            max_connections: 10,
            checkout_timeout: Duration::from_secs(5),
            migration_timeout: Duration::from_secs(300),
            site_bounds: SiteBounds::default(),
            on_statement: None,
        }
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

//! Choosing the backend by URL.

use std::sync::Arc;

use crate::engine::error::StorageError;
use crate::engine::options::StorageOptions;
use crate::engine::postgres::Postgres;
use crate::engine::sqlite::Sqlite;
use crate::storage::Storage;
use crate::syncs::resident::Resident;

/// Opens the database that `url` names: `sqlite://path/to/file.db` or `postgres://user@host/database`. Connections are
/// made when they are needed, so a database that is down is not an error here; a URL that cannot work is
/// ([`StorageError::Url`]). Call [`Storage::migrate`] before anything else.
pub fn connect(url: &str, options: StorageOptions) -> Result<Arc<dyn Storage>, StorageError> {
    let resident = Resident::new(options.site_bounds);
    if let Some(path) = url.strip_prefix("sqlite://") {
        return Ok(Arc::new(Sqlite::open(path, options, resident)?));
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Arc::new(Postgres::open(url, options, resident)?));
    }
    Err(StorageError::Url(
        "it starts with neither sqlite:// nor postgres://, as in sqlite://module-monitor.db".to_owned(),
    ))
}

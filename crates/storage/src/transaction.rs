//! Units of work that are more than a list of statements and still the same on both backends.

use std::future::Future;

use diesel::{RunQueryDsl, SqliteConnection};
use diesel_async::AsyncPgConnection;

use crate::StorageError;
use crate::backend::Row;
use crate::statement::{Portable, Sql};

/// A connection with a transaction open.
pub(crate) trait Transaction: Send {
    /// Reads what a sync decides by from the row of the site `$1`, and locks it.
    const LOCK_SITE: &'static str;
    /// Finds a site with a job that is due at `$1`, and locks it.
    const LOCK_CLAIMABLE: &'static str;

    /// The rows of a query.
    fn rows<R: Row>(&mut self, query: Sql<impl Portable>) -> impl Future<Output = Result<Vec<R>, StorageError>> + Send;

    /// How many rows a statement wrote.
    fn execute(&mut self, query: Sql<impl Portable>) -> impl Future<Output = Result<usize, StorageError>> + Send;
}

/// What happens in one transaction.
pub(crate) trait Unit: Send + 'static {
    type Output: Send + 'static;

    /// Runs it. An error rolls everything back.
    fn run<T: Transaction>(
        self,
        transaction: &mut T,
    ) -> impl Future<Output = Result<Self::Output, StorageError>> + Send;
}

impl Transaction for AsyncPgConnection {
    const LOCK_SITE: &'static str = include_str!("postgres/sql/lock_site.sql");
    const LOCK_CLAIMABLE: &'static str = include_str!("postgres/sql/lock_claimable.sql");

    async fn rows<R: Row>(&mut self, query: Sql<impl Portable>) -> Result<Vec<R>, StorageError> {
        Ok(diesel_async::RunQueryDsl::get_results(query, self).await?)
    }

    async fn execute(&mut self, query: Sql<impl Portable>) -> Result<usize, StorageError> {
        Ok(diesel_async::RunQueryDsl::execute(query, self).await?)
    }
}

/// Nothing here ever waits: the connection blocks its thread. See [`at_once`].
impl Transaction for SqliteConnection {
    const LOCK_SITE: &'static str = include_str!("sqlite/sql/read_site.sql");
    const LOCK_CLAIMABLE: &'static str = include_str!("sqlite/sql/find_claimable.sql");

    async fn rows<R: Row>(&mut self, query: Sql<impl Portable>) -> Result<Vec<R>, StorageError> {
        Ok(RunQueryDsl::get_results(query, self)?)
    }

    async fn execute(&mut self, query: Sql<impl Portable>) -> Result<usize, StorageError> {
        Ok(RunQueryDsl::execute(query, self)?)
    }
}

/// The result of a future that never waits.
pub(crate) fn at_once<T>(future: impl Future<Output = Result<T, StorageError>>) -> Result<T, StorageError> {
    use futures::FutureExt;
    future.now_or_never().unwrap_or_else(|| Err(StorageError::Database("a unit of work on SQLite has waited".into())))
}

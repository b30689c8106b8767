//! Units of work, which are the same on both databases.

use std::future::Future;
use std::sync::Arc;

use diesel::deserialize::QueryableByName;
use diesel::pg::Pg;
use diesel::sqlite::Sqlite;
use diesel::{RunQueryDsl, SqliteConnection};
use diesel_async::AsyncPgConnection;

use super::error::StorageError;
use super::statement::{BoxedSql, Portable, Sql};

/// A row that either database can give.
pub(crate) trait Row: QueryableByName<Pg> + QueryableByName<Sqlite> + Send + 'static {}
impl<R: QueryableByName<Pg> + QueryableByName<Sqlite> + Send + 'static> Row for R {}

/// A connection with a transaction open.
pub(crate) trait Transaction: Send {
    /// Whether other transactions write at the same time, so that rows have to be locked. SQLite has one writer: who has
    /// a transaction of a unit of work has them all.
    const LOCKS_ROWS: bool;

    /// Whether one statement may write several tables and answer from what it has written (`WITH … INSERT … RETURNING`).
    const WRITES_SEVERAL: bool;

    /// The rows of a query.
    fn rows<R: Row>(&mut self, query: Sql<impl Portable>) -> impl Future<Output = Result<Vec<R>, StorageError>> + Send;

    /// How many rows a statement wrote.
    fn execute(&mut self, query: Sql<impl Portable>) -> impl Future<Output = Result<usize, StorageError>> + Send;

    /// The row of a query that has one at the most.
    fn first<R: Row>(
        &mut self,
        query: Sql<impl Portable>,
    ) -> impl Future<Output = Result<Option<R>, StorageError>> + Send {
        async { Ok(self.rows(query).await?.pop()) }
    }

    /// Runs the statements one after the other, and says how many rows each wrote.
    fn execute_all(
        &mut self,
        statements: Vec<BoxedSql>,
    ) -> impl Future<Output = Result<Vec<usize>, StorageError>> + Send {
        async {
            let mut rows = Vec::with_capacity(statements.len());
            for statement in statements {
                rows.push(self.execute(statement).await?);
            }
            Ok(rows)
        }
    }
}

/// What happens in one transaction.
pub(crate) trait Unit: Send + 'static {
    type Output: Send + 'static;

    /// One statement that may do all of the work by itself; then there is no need for [`Unit::run`]. It is sent before the
    /// transaction begins where a statement is a transaction of its own, and else within it.
    fn shortcut<T: Transaction>(
        &self,
        _transaction: &mut T,
    ) -> impl Future<Output = Result<Option<Self::Output>, StorageError>> + Send {
        async { Ok(None) }
    }

    /// Whether the shortcut is likely to do all of it, and quick: then it may share a transaction with others.
    fn is_small(&self) -> bool {
        false
    }

    /// Runs it. An error rolls everything back.
    fn run<T: Transaction>(
        self,
        transaction: &mut T,
    ) -> impl Future<Output = Result<Self::Output, StorageError>> + Send;
}

/// A list of statements, all of which are run or none.
struct All(Vec<BoxedSql>);

impl Unit for All {
    type Output = Vec<usize>;

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<Vec<usize>, StorageError> {
        transaction.execute_all(self.0).await
    }
}

/// A database: its connections and what it is able to do. Each method is a unit of work of its own, which runs to its end
/// even if the caller stops waiting.
pub(crate) trait Backend: Send + Sync {
    /// What the areas keep in the process, beside the database.
    type Resident: Send + Sync + 'static;

    /// The one of this database.
    fn resident(&self) -> &Arc<Self::Resident>;

    /// "sqlite" or "postgres".
    fn name(&self) -> &'static str;

    /// See [`crate::Storage::migrate`].
    fn bring_up_to_date(&self) -> impl Future<Output = Result<usize, StorageError>> + Send;

    /// The rows of a query.
    fn rows<R: Row>(
        &self,
        query: Sql<impl Portable + 'static>,
    ) -> impl Future<Output = Result<Vec<R>, StorageError>> + Send;

    /// How many rows a statement wrote.
    fn execute(&self, query: Sql<impl Portable + 'static>) -> impl Future<Output = Result<usize, StorageError>> + Send;

    /// Runs a unit of work in a transaction of its own; on SQLite one that holds the write lock.
    fn transact<U: Unit>(&self, unit: U) -> impl Future<Output = Result<U::Output, StorageError>> + Send;

    /// Runs all or none, and says how many rows each wrote.
    fn execute_all(&self, statements: Vec<BoxedSql>) -> impl Future<Output = Result<Vec<usize>, StorageError>> + Send {
        self.transact(All(statements))
    }

    /// The row of a query that has one at the most.
    fn first<R: Row>(
        &self,
        query: Sql<impl Portable + 'static>,
    ) -> impl Future<Output = Result<Option<R>, StorageError>> + Send {
        async { Ok(self.rows(query).await?.pop()) }
    }
}

impl Transaction for AsyncPgConnection {
    const LOCKS_ROWS: bool = true;
    const WRITES_SEVERAL: bool = true;

    async fn rows<R: Row>(&mut self, query: Sql<impl Portable>) -> Result<Vec<R>, StorageError> {
        Ok(diesel_async::RunQueryDsl::get_results(query, self).await?)
    }

    async fn execute(&mut self, query: Sql<impl Portable>) -> Result<usize, StorageError> {
        Ok(diesel_async::RunQueryDsl::execute(query, self).await?)
    }
}

/// Nothing here ever waits: the connection blocks its thread. See [`at_once`].
impl Transaction for SqliteConnection {
    const LOCKS_ROWS: bool = false;
    const WRITES_SEVERAL: bool = false;

    async fn rows<R: Row>(&mut self, query: Sql<impl Portable>) -> Result<Vec<R>, StorageError> {
        Ok(RunQueryDsl::get_results(query, self)?)
    }

    async fn execute(&mut self, query: Sql<impl Portable>) -> Result<usize, StorageError> {
        Ok(RunQueryDsl::execute(query, self)?)
    }
}

/// The result of a future that never waits.
pub(super) fn at_once<T>(future: impl Future<Output = Result<T, StorageError>>) -> Result<T, StorageError> {
    use futures::FutureExt;
    future.now_or_never().unwrap_or_else(|| Err(StorageError::Database("a unit of work on SQLite has waited".into())))
}

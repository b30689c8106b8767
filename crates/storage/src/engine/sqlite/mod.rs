//! SQLite: the embedded default, one file.

mod connection;

use std::sync::Arc;
use std::time::Duration;

use diesel::prelude::*;
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::error::StorageError;
use super::migrations;
use super::options::StorageOptions;
use super::pool;
use super::runtime::Units;
use super::statement::{Portable, Sql};
use super::transaction::{Backend, Row, Unit, at_once};

type Pool = pool::Pool<AsyncDieselConnectionManager<SyncConnectionWrapper<SqliteConnection>>>;

/// The SQLite backend; `C` is what the areas keep beside it.
pub(crate) struct Sqlite<C> {
    units: Units,
    pool: Pool,
    /// SQLite has one writer at a time and wakes those who wait in no order. Waiting here first is fair, and a writer
    /// that waits holds no connection.
    writer: Arc<Semaphore>,
    checkout_timeout: Duration,
    resident: Arc<C>,
}

impl<C> Sqlite<C> {
    /// Checks the path. The file is created when the first unit of work needs it.
    pub(crate) fn open(path: &str, options: StorageOptions, resident: C) -> Result<Self, StorageError> {
        connection::check_path(path)?;
        let units = Units::new().map_err(|error| StorageError::Database(error.into()))?;
        let checkout_timeout = options.checkout_timeout;
        let inside = units.handle().enter();
        let max_connections = options.max_connections;
        let pool = Pool::new(connection::manager(path, options), max_connections, checkout_timeout, false);
        drop(inside);
        Ok(Self { units, pool, writer: Arc::new(Semaphore::new(1)), checkout_timeout, resident: Arc::new(resident) })
    }

    /// Runs `work` on a pooled connection on a thread that may block, to its end even if the caller stops waiting.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let pool = self.pool.clone();
        self.units.run(async move { pool.get().await?.spawn_blocking(|connection| Ok(work(connection))).await? }).await
    }

    /// The same in a transaction that takes SQLite's write lock when it begins, so that it never has to give up half
    /// way because another writer was faster.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let (pool, writer, patience) = (self.pool.clone(), Arc::clone(&self.writer), self.checkout_timeout);
        self.units
            .run(async move {
                // One limit for both waits, because the caller has only one.
                let ready = async { Ok::<_, StorageError>((writer.acquire().await, pool.get().await?)) };
                let (_turn, mut connection) =
                    timeout(patience, ready).await.map_err(|elapsed| StorageError::Unavailable(elapsed.into()))??;
                connection.spawn_blocking(|connection| Ok(connection.immediate_transaction(work))).await?
            })
            .await
    }
}

impl<C: Send + Sync + 'static> Backend for Sqlite<C> {
    type Resident = C;

    fn resident(&self) -> &Arc<C> {
        &self.resident
    }

    fn name(&self) -> &'static str {
        "sqlite"
    }

    async fn bring_up_to_date(&self) -> Result<usize, StorageError> {
        // Inside one transaction, because SQLite's write lock is the only one there is to take.
        self.write(migrations::run_sqlite).await
    }

    async fn rows<R: Row>(&self, query: Sql<impl Portable + 'static>) -> Result<Vec<R>, StorageError> {
        self.read(|connection| Ok(query.get_results(connection)?)).await
    }

    async fn execute(&self, query: Sql<impl Portable + 'static>) -> Result<usize, StorageError> {
        self.write(|connection| Ok(query.execute(connection)?)).await
    }

    async fn transact<U: Unit>(&self, unit: U) -> Result<U::Output, StorageError> {
        self.write(|connection| {
            at_once(async {
                match unit.shortcut(connection).await? {
                    Some(done) => Ok(done),
                    None => unit.run(connection).await,
                }
            })
        })
        .await
    }
}

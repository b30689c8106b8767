//! SQLite: the embedded default, one file.

mod connection;
mod group;

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
use group::{Group, Outcome, all_of};

type Pool = pool::Pool<AsyncDieselConnectionManager<SyncConnectionWrapper<SqliteConnection>>>;

/// The SQLite backend; `C` is what the areas keep beside it.
pub(crate) struct Sqlite<C> {
    units: Units,
    pool: Pool,
    writer: Writer,
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
        let turn = Arc::new(Semaphore::new(1));
        let writer = Writer { pool: pool.clone(), turn, group: Arc::default(), patience: checkout_timeout };
        Ok(Self { units, pool, writer, resident: Arc::new(resident) })
    }

    /// Runs `work` on a pooled connection on a thread that may block, to its end even if the caller stops waiting.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let pool = self.pool.clone();
        self.units.run(async move { pool.get().await?.spawn_blocking(|connection| Ok(work(connection))).await? }).await
    }

    /// The same in a transaction.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let writer = self.writer.clone();
        self.units.run(async move { writer.alone(work).await }).await
    }
}

/// SQLite has one writer at a time and wakes those who wait in no order. Waiting here first is fair, and a writer that waits
/// holds no connection.
#[derive(Clone)]
struct Writer {
    pool: Pool,
    turn: Arc<Semaphore>,
    group: Arc<Group>,
    patience: Duration,
}

impl Writer {
    /// Runs `work` in a transaction that takes SQLite's write lock when it begins, so that it never has to give up half way
    /// because another writer was faster.
    async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        // One limit for both waits, because the caller has only one.
        let ready = async { Ok::<_, StorageError>((self.turn.acquire().await, self.pool.get().await?)) };
        let (_turn, mut connection) =
            timeout(self.patience, ready).await.map_err(|elapsed| StorageError::Unavailable(elapsed.into()))??;
        connection.spawn_blocking(|connection| Ok(connection.immediate_transaction(work))).await?
    }

    /// Waits for a turn, its own or that of another which takes it along; then what is left of it goes alone.
    async fn together<U: Unit>(&self, unit: U) -> Result<U::Output, StorageError> {
        match self.in_group(unit).await? {
            Outcome::Done(result) => result,
            Outcome::NoShortcut(unit) => self.alone(|connection| at_once(unit.run(connection))).await,
            Outcome::TakenBack(unit) => self.alone(|connection| all_of(unit, connection)).await,
        }
    }

    async fn in_group<U: Unit>(&self, unit: U) -> Result<Outcome<U>, StorageError> {
        let (id, mut outcome) = self.group.join(unit);
        // Again where its turn was for others, because many were before it.
        loop {
            let turn = async { Ok::<_, StorageError>((self.turn.acquire().await, self.pool.get().await?)) };
            let ready = tokio::select! {
                biased;
                outcome = &mut outcome => return outcome.map_err(|gone| StorageError::Database(gone.into())),
                ready = timeout(self.patience, turn) => ready,
            };
            match ready.map_err(|elapsed| StorageError::Unavailable(elapsed.into())).flatten() {
                Ok((_turn, mut connection)) => {
                    let members = self.group.take();
                    let work = move |connection: &mut SqliteConnection| {
                        members.run(connection);
                        Ok(())
                    };
                    connection.spawn_blocking(work).await?;
                }
                Err(error) if self.group.leave(id) => return Err(error),
                // Somebody has taken it along just now.
                Err(_) => return outcome.await.map_err(|gone| StorageError::Database(gone.into())),
            }
        }
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
        let writer = self.writer.clone();
        let work = async move {
            match unit.is_small() {
                true => writer.together(unit).await,
                false => writer.alone(|connection| all_of(unit, connection)).await,
            }
        };
        self.units.run(work).await
    }
}

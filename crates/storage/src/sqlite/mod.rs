//! SQLite: the embedded default, one file.

mod apply_sync;
mod assess;
mod audit;
mod bulk;
mod connection;
mod history;
mod recount;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_migrations::MigrationHarness;
use module_monitor_domain::{Feed, ProjectName, ReleaseHistory, SiteId, SyncId};
use time::OffsetDateTime;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::backend::{Backend, Row, first};
use crate::id_cache::IdCache;
use crate::migrations::{SQLITE, check_version, ran};
use crate::rows::{AuditRow, MigrationRow};
use crate::runtime::Units;
use crate::statement::{BoxedSql, Portable, Sql};
use crate::transaction::{Unit, at_once};
use crate::{
    AppliedSync, Fetched, KeyUse, Rejections, Storage, StorageError, StorageOptions, StoredHistory, SyncCommand,
    SyncResult, Syncs, queries,
};

type Pool = bb8::Pool<AsyncDieselConnectionManager<SyncConnectionWrapper<SqliteConnection>>>;

/// The SQLite backend.
pub(crate) struct Sqlite {
    units: Units,
    pool: Pool,
    /// SQLite has one writer at a time and wakes those who wait in no order. Waiting here first is fair, and a writer
    /// that waits holds no connection.
    writer: Arc<Semaphore>,
    checkout_timeout: Duration,
    ids: Arc<IdCache>,
}

impl Sqlite {
    /// Checks the path. The file is created when the first unit of work needs it.
    pub(crate) fn open(path: &str, options: StorageOptions) -> Result<Self, StorageError> {
        connection::check_path(path)?;
        let units = Units::new().map_err(|error| StorageError::Database(error.into()))?;
        let checkout_timeout = options.checkout_timeout;
        let inside = units.handle().enter();
        let pool = bb8::Pool::builder()
            .max_size(options.max_connections)
            .connection_timeout(checkout_timeout)
            .test_on_check_out(false)
            .build_unchecked(connection::manager(path, options));
        drop(inside);
        Ok(Self { units, pool, writer: Arc::new(Semaphore::new(1)), checkout_timeout, ids: Arc::new(IdCache::new()) })
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

impl Backend for Sqlite {
    async fn rows<R: Row>(&self, query: Sql<impl Portable + 'static>) -> Result<Vec<R>, StorageError> {
        self.read(|connection| Ok(query.get_results(connection)?)).await
    }

    async fn execute(&self, query: Sql<impl Portable + 'static>) -> Result<usize, StorageError> {
        self.write(|connection| Ok(query.execute(connection)?)).await
    }

    async fn execute_all(&self, statements: Vec<BoxedSql>) -> Result<Vec<usize>, StorageError> {
        self.write(|connection| statements.into_iter().map(|statement| Ok(statement.execute(connection)?)).collect())
            .await
    }

    async fn transact<U: Unit>(&self, unit: U) -> Result<U::Output, StorageError> {
        self.write(|connection| at_once(unit.run(connection))).await
    }

    async fn write_rejections(&self, rejections: Vec<Rejections>) -> Result<(), StorageError> {
        self.write(move |connection| audit::write_rejections(connection, &rejections)).await
    }

    async fn write_key_uses(&self, uses: Vec<KeyUse>) -> Result<(), StorageError> {
        self.write(move |connection| audit::write_key_uses(connection, &uses)).await
    }

    async fn write_history(
        &self,
        history: Arc<ReleaseHistory>,
        fetched: Fetched,
    ) -> Result<StoredHistory, StorageError> {
        self.write(move |connection| history::store(connection, &history, &fetched)).await
    }

    async fn judge_again(&self, project: ProjectName, feed: Feed) -> Result<usize, StorageError> {
        self.write(move |connection| history::judge_again(connection, &project, feed)).await
    }

    async fn recount(
        &self,
        now: OffsetDateTime,
        sites: Vec<SiteId>,
        statements: Vec<BoxedSql>,
    ) -> Result<Vec<usize>, StorageError> {
        self.write(move |connection| {
            let rows = statements.into_iter().map(|statement| Ok(statement.execute(connection)?)).collect();
            recount::recount(connection, now, &sites)?;
            rows
        })
        .await
    }
}

#[async_trait]
impl Syncs for Sqlite {
    async fn apply_sync(&self, sync: Arc<SyncCommand>) -> Result<SyncResult, StorageError> {
        let cache = Arc::clone(&self.ids);
        let applied = self.write(move |connection| apply_sync::apply(connection, &sync, &cache)).await;
        let (result, found) = applied.inspect_err(|error| self.ids.forget_if_wrong(error))?;
        self.ids.remember(found);
        Ok(result)
    }

    async fn find_sync(&self, id: SyncId) -> Result<Option<AppliedSync>, StorageError> {
        first::<AuditRow, _>(self, queries::sync(id)).await
    }
}

#[async_trait]
impl Storage for Sqlite {
    async fn migrate(&self) -> Result<usize, StorageError> {
        // Inside one transaction, because SQLite's write lock is the only one there is to take.
        self.write(|connection| ran(connection.run_pending_migrations(SQLITE))).await
    }

    async fn check(&self) -> Result<(), StorageError> {
        let latest = self.rows::<MigrationRow>(queries::latest_migration()).await?;
        check_version(latest.into_iter().next().map(|row| row.version))
    }

    fn backend(&self) -> &'static str {
        "sqlite"
    }
}

//! PostgreSQL: for many nodes on one database.

mod apply_sync;
mod assess;
mod audit;
mod bulk;
mod connection;
mod history;
mod recount;

use std::sync::Arc;

use async_trait::async_trait;
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::{AsyncConnection, AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::MigrationHarness;
use futures::FutureExt;
use futures::future::BoxFuture;
use module_monitor_domain::{Feed, ProjectName, ReleaseHistory, SiteId, SyncId};
use time::OffsetDateTime;
use tokio::task::spawn_blocking;

use crate::backend::{Backend, Row, first};
use crate::id_cache::IdCache;
use crate::migrations::{POSTGRES, check_version, ran};
use crate::rows::{AuditRow, MigrationRow};
use crate::runtime::Units;
use crate::statement::{BoxedSql, Portable, Sql};
use crate::transaction::Unit;
use crate::{
    AppliedSync, Fetched, KeyUse, Rejections, Storage, StorageError, StorageOptions, StoredHistory, SyncCommand,
    SyncResult, Syncs, queries,
};

/// Any number that other programs on the same server are unlikely to lock.
const TAKE_MIGRATION_LOCK: &str = "SELECT pg_advisory_lock(7265113502640)";

type Pool = bb8::Pool<AsyncDieselConnectionManager<AsyncPgConnection>>;

/// The PostgreSQL backend.
pub(crate) struct Postgres {
    units: Units,
    pool: Pool,
    config: connection::Config,
    ids: Arc<IdCache>,
}

impl Postgres {
    /// Checks the URL. Connects when the first unit of work needs it.
    pub(crate) fn open(url: &str, options: StorageOptions) -> Result<Self, StorageError> {
        let config = connection::Config::parse(url, &options)?;
        let units = Units::new().map_err(|error| StorageError::Database(error.into()))?;
        let inside = units.handle().enter();
        let pool = bb8::Pool::builder()
            .max_size(options.max_connections)
            .connection_timeout(options.checkout_timeout)
            .test_on_check_out(true) // without a round trip; see connection::manager
            .build_unchecked(connection::manager(config.clone()));
        drop(inside);
        Ok(Self { units, pool, config, ids: Arc::new(IdCache::new()) })
    }

    /// Runs a unit of work on a pooled connection, to its end even if the caller stops waiting.
    async fn unit<T, F>(&self, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut AsyncPgConnection) -> BoxFuture<'c, Result<T, StorageError>> + Send + 'static,
    {
        let pool = self.pool.clone();
        self.units
            .run(async move {
                let mut connection = pool.get().await?;
                work(&mut connection).await
            })
            .await
    }
}

impl Backend for Postgres {
    async fn rows<R: Row>(&self, query: Sql<impl Portable + 'static>) -> Result<Vec<R>, StorageError> {
        self.unit(|connection| async move { Ok(query.get_results(connection).await?) }.boxed()).await
    }

    async fn execute(&self, query: Sql<impl Portable + 'static>) -> Result<usize, StorageError> {
        self.unit(|connection| async move { Ok(query.execute(connection).await?) }.boxed()).await
    }

    async fn execute_all(&self, statements: Vec<BoxedSql>) -> Result<Vec<usize>, StorageError> {
        self.unit(|connection| {
            connection
                .transaction(async |connection| {
                    let mut rows = Vec::with_capacity(statements.len());
                    for statement in statements {
                        rows.push(statement.execute(connection).await?);
                    }
                    Ok(rows)
                })
                .boxed()
        })
        .await
    }

    async fn transact<U: Unit>(&self, unit: U) -> Result<U::Output, StorageError> {
        self.unit(|connection| connection.transaction(async |connection| unit.run(connection).await).boxed()).await
    }

    async fn write_rejections(&self, rejections: Vec<Rejections>) -> Result<(), StorageError> {
        self.unit(|connection| {
            connection.transaction(async |connection| audit::write_rejections(connection, rejections).await).boxed()
        })
        .await
    }

    async fn write_key_uses(&self, uses: Vec<KeyUse>) -> Result<(), StorageError> {
        self.unit(|connection| async move { audit::write_key_uses(connection, uses).await }.boxed()).await
    }

    async fn write_history(
        &self,
        history: Arc<ReleaseHistory>,
        fetched: Fetched,
    ) -> Result<StoredHistory, StorageError> {
        self.unit(move |connection| {
            connection.transaction(async move |connection| history::store(connection, &history, &fetched).await).boxed()
        })
        .await
    }

    async fn judge_again(&self, project: ProjectName, feed: Feed) -> Result<usize, StorageError> {
        self.unit(move |connection| {
            connection
                .transaction(async move |connection| history::judge_again(connection, &project, feed).await)
                .boxed()
        })
        .await
    }

    async fn recount(
        &self,
        now: OffsetDateTime,
        sites: Vec<SiteId>,
        statements: Vec<BoxedSql>,
    ) -> Result<Vec<usize>, StorageError> {
        self.unit(move |connection| {
            connection
                .transaction(async move |connection| {
                    recount::lock_and_recount(connection, now, &sites, statements).await
                })
                .boxed()
        })
        .await
    }
}

#[async_trait]
impl Syncs for Postgres {
    async fn apply_sync(&self, sync: Arc<SyncCommand>) -> Result<SyncResult, StorageError> {
        let ids = Arc::clone(&self.ids);
        self.unit(move |connection| apply_sync::apply(connection, sync, ids).boxed()).await
    }

    async fn find_sync(&self, id: SyncId) -> Result<Option<AppliedSync>, StorageError> {
        first::<AuditRow, _>(self, queries::sync(id)).await
    }
}

#[async_trait]
impl Storage for Postgres {
    async fn migrate(&self) -> Result<usize, StorageError> {
        let config = self.config.clone();
        self.units
            .run(async move {
                let mut connection = config.connect().await.map_err(|error| StorageError::Unavailable(error.into()))?;
                connection.batch_execute(TAKE_MIGRATION_LOCK).await?;
                // The harness blocks its thread; the lock goes with the connection.
                spawn_blocking(move || run_migrations(connection))
                    .await
                    .unwrap_or_else(|panic| Err(StorageError::Migration(panic.into())))
            })
            .await
    }

    async fn check(&self) -> Result<(), StorageError> {
        let latest = self.rows::<MigrationRow>(queries::latest_migration()).await?;
        check_version(latest.into_iter().next().map(|row| row.version))
    }

    fn backend(&self) -> &'static str {
        "postgres"
    }
}

fn run_migrations(connection: AsyncPgConnection) -> Result<usize, StorageError> {
    ran(AsyncMigrationHarness::new(connection).run_pending_migrations(POSTGRES))
}

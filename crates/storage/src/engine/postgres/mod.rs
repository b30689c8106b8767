//! PostgreSQL: for many nodes on one database.

mod connection;

use std::sync::Arc;

use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use futures::FutureExt;
use futures::future::BoxFuture;

use super::error::StorageError;
use super::migrations;
use super::options::StorageOptions;
use super::runtime::Units;
use super::statement::{Portable, Sql};
use super::transaction::{Backend, Row, Unit};

/// Any number that other programs on the same server are unlikely to lock.
const TAKE_MIGRATION_LOCK: &str = "SELECT pg_advisory_lock(7265113502640)";

type Pool = bb8::Pool<AsyncDieselConnectionManager<AsyncPgConnection>>;

/// The PostgreSQL backend; `C` is what the areas keep beside it.
pub(crate) struct Postgres<C> {
    units: Units,
    pool: Pool,
    config: connection::Config,
    cache: Arc<C>,
}

impl<C> Postgres<C> {
    /// Checks the URL. Connects when the first unit of work needs it.
    pub(crate) fn open(url: &str, options: StorageOptions, cache: C) -> Result<Self, StorageError> {
        let config = connection::Config::parse(url, &options)?;
        let units = Units::new().map_err(|error| StorageError::Database(error.into()))?;
        let inside = units.handle().enter();
        let pool = bb8::Pool::builder()
            .max_size(options.max_connections)
            .connection_timeout(options.checkout_timeout)
            .test_on_check_out(true) // without a round trip; see connection::manager
            .build_unchecked(connection::manager(config.clone()));
        drop(inside);
        Ok(Self { units, pool, config, cache: Arc::new(cache) })
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

async fn transact<U: Unit>(connection: &mut AsyncPgConnection, unit: U) -> Result<U::Output, StorageError> {
    if let Some(done) = unit.shortcut(connection).await? {
        return Ok(done);
    }
    connection.transaction(async |connection| unit.run(connection).await).await
}

impl<C: Send + Sync + 'static> Backend for Postgres<C> {
    type Cache = C;

    fn cache(&self) -> &Arc<C> {
        &self.cache
    }

    fn name(&self) -> &'static str {
        "postgres"
    }

    async fn bring_up_to_date(&self) -> Result<usize, StorageError> {
        let config = self.config.clone();
        self.units
            .run(async move {
                let mut connection = config.connect().await.map_err(|error| StorageError::Unavailable(error.into()))?;
                connection.batch_execute(TAKE_MIGRATION_LOCK).await?;
                migrations::run_postgres(connection).await
            })
            .await
    }

    async fn rows<R: Row>(&self, query: Sql<impl Portable + 'static>) -> Result<Vec<R>, StorageError> {
        self.unit(|connection| async move { Ok(query.get_results(connection).await?) }.boxed()).await
    }

    async fn execute(&self, query: Sql<impl Portable + 'static>) -> Result<usize, StorageError> {
        self.unit(|connection| async move { Ok(query.execute(connection).await?) }.boxed()).await
    }

    async fn transact<U: Unit>(&self, unit: U) -> Result<U::Output, StorageError> {
        self.unit(|connection| transact(connection, unit).boxed()).await
    }
}

//! PostgreSQL: for many nodes on one database.

mod connection;
mod tls;
mod verifier;

use std::sync::Arc;
use std::time::Duration;

use diesel::sql_types::Bool;
use diesel::{QueryableByName, sql_query};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, PoolableConnection};
use diesel_async::{
    AnsiTransactionManager, AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection, TransactionManager,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::time::{sleep, timeout};

use super::error::StorageError;
use super::migrations;
use super::options::StorageOptions;
use super::pool;
use super::runtime::Units;
use super::statement::{Portable, Sql};
use super::transaction::{Backend, Row, Unit};

/// Any number that other programs on the same server are unlikely to lock. The lock ends with the transaction, which a
/// pooler in transaction mode keeps on one session.
const TRY_MIGRATION_LOCK: &str = "SELECT pg_try_advisory_xact_lock(7265113502640) AS taken";
/// A migration takes as long as it takes, whatever the role or the session of a pooler is set to.
const NO_LIMITS: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
                         SET LOCAL idle_in_transaction_session_timeout = 0";
/// The pause between two attempts to take it.
const LOCK_PAUSE: Duration = Duration::from_millis(250);

/// How often a connection that was ended is asked whether it has noticed, and for how long.
const NOTICE_PAUSE: Duration = Duration::from_millis(1);
const NOTICE_PATIENCE: Duration = Duration::from_secs(1);

/// Ends the session that says so.
const LEAVE: &str = "SELECT pg_terminate_backend(pg_backend_pid())";

type Pool = pool::Pool<AsyncDieselConnectionManager<AsyncPgConnection>>;

/// The PostgreSQL backend; `C` is what the areas keep beside it.
pub(crate) struct Postgres<C> {
    units: Units,
    pool: Pool,
    config: connection::Config,
    migration_timeout: Duration,
    resident: Arc<C>,
}

impl<C> Postgres<C> {
    /// Checks the URL. Connects when the first unit of work needs it.
    pub(crate) fn open(url: &str, options: StorageOptions, resident: C) -> Result<Self, StorageError> {
        let config = connection::Config::parse(url, &options)?;
        let units = Units::new().map_err(|error| StorageError::Database(error.into()))?;
        let inside = units.handle().enter();
        let manager = connection::manager(config.clone());
        // Tested without a round trip; see there.
        let pool = Pool::new(manager, options.max_connections, options.checkout_timeout, true);
        drop(inside);
        Ok(Self { units, pool, config, migration_timeout: options.migration_timeout, resident: Arc::new(resident) })
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
                let done = work(&mut connection).await;
                if matches!(done, Err(StorageError::Unwritable(_))) {
                    // The server may have become a standby: where the URL names several, the next connection finds the
                    // one that writes. The answer is that the connection is gone.
                    let _ = connection.batch_execute(LEAVE).await;
                    // Nobody else is to get it before it has noticed that.
                    let noticed = async {
                        while !connection.is_broken() {
                            sleep(NOTICE_PAUSE).await;
                        }
                    };
                    let _ = timeout(NOTICE_PATIENCE, noticed).await;
                }
                done
            })
            .await
    }
}

#[derive(QueryableByName)]
struct LockRow {
    #[diesel(sql_type = Bool)]
    taken: bool,
}

/// Begins a transaction that has the migration lock.
async fn begin_alone(connection: &mut AsyncPgConnection, patience: Duration) -> Result<(), StorageError> {
    if try_begin_alone(connection).await? {
        return Ok(());
    }
    tracing::info!(?patience, "another process migrates the database; waiting for it");
    let waiting = async {
        loop {
            sleep(LOCK_PAUSE).await;
            if try_begin_alone(connection).await? {
                return Ok(());
            }
        }
    };
    timeout(patience, waiting).await.unwrap_or(Err(StorageError::MigrationLocked(patience)))
}

async fn try_begin_alone(connection: &mut AsyncPgConnection) -> Result<bool, StorageError> {
    AnsiTransactionManager::begin_transaction(connection).await?;
    let taken = sql_query(TRY_MIGRATION_LOCK).get_result::<LockRow>(connection).await?.taken;
    match taken {
        true => connection.batch_execute(NO_LIMITS).await?,
        false => AnsiTransactionManager::rollback_transaction(connection).await?,
    }
    Ok(taken)
}

async fn transact<U: Unit>(connection: &mut AsyncPgConnection, unit: U) -> Result<U::Output, StorageError> {
    if let Some(done) = unit.shortcut(connection).await? {
        return Ok(done);
    }
    connection.transaction(async |connection| unit.run(connection).await).await
}

impl<C: Send + Sync + 'static> Backend for Postgres<C> {
    type Resident = C;

    fn resident(&self) -> &Arc<C> {
        &self.resident
    }

    fn name(&self) -> &'static str {
        "postgres"
    }

    async fn bring_up_to_date(&self) -> Result<usize, StorageError> {
        let (config, patience) = (self.config.clone(), self.migration_timeout);
        self.units
            .run(async move {
                let mut connection = config.connect().await.map_err(|error| StorageError::Unavailable(error.into()))?;
                begin_alone(&mut connection, patience).await?;
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

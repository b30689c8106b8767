//! Telling the workers of all nodes about new jobs through Redis. Only a hint: whoever misses one finds the job when it
//! next looks at the database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_redis::redis::{AsyncConnectionConfig, cmd, pipe};
use deadpool_redis::{Connection, Manager, Pool, PoolError};
use module_monitor_domain::SyncId;
use module_monitor_ingestion::queue::QueueSignals;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::redis_address::{RedisAddress, RedisUrlError};

/// The list of job ids.
const LIST: &str = "module_sync_queue";
/// How many ids it keeps where nobody takes them.
const KEPT: isize = 10_000;
/// How many ids are told at once.
const BATCH: usize = 100;
/// How long one question to Redis waits for an id.
const WAIT: Duration = Duration::from_secs(2);
/// How long an answer may take, beyond what the question itself waits.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long Redis is left alone after it has failed.
const PAUSE: Duration = Duration::from_secs(1);

/// Passes this process's ids on, and rings its bell when there is a job that another one has told Redis about. Connects
/// later. Must be called on the main runtime.
pub(crate) fn start(redis: &RedisAddress, signals: &Arc<QueueSignals>) -> Result<Vec<JoinHandle<()>>, RedisUrlError> {
    let health = Arc::new(Health(AtomicBool::new(true)));
    let listener = connections(redis, WAIT + PATIENCE)?;
    let mut tasks = vec![tokio::spawn(hear(listener, Arc::clone(signals), Arc::clone(&health)))];
    if let Some(ids) = signals.relay() {
        tasks.push(tokio::spawn(tell(connections(redis, PATIENCE)?, ids, health)));
    }
    Ok(tasks)
}

/// One connection, remade where it fails. A question that waits would hold up others, so those have their own.
fn connections(redis: &RedisAddress, patience: Duration) -> Result<Pool, RedisUrlError> {
    let config = AsyncConnectionConfig::new();
    let config = config.set_connection_timeout(Some(PATIENCE)).set_response_timeout(Some(patience));
    let manager = Manager::new_with_config(redis.info(), config).map_err(|error| RedisUrlError::of(&error))?;
    Pool::builder(manager).max_size(1).build().map_err(|error| RedisUrlError::of(&error))
}

/// Whether Redis works, so that the log says once when that changes.
struct Health(AtomicBool);

impl Health {
    fn note<T>(&self, result: &Result<T, PoolError>) {
        let works = result.is_ok();
        if self.0.swap(works, Ordering::Relaxed) == works {
            return;
        }
        match result {
            Ok(_) => tracing::info!("Redis tells workers about new jobs again"),
            Err(error) => tracing::warn!(%error, "Redis cannot tell workers about new jobs; they look for themselves"),
        }
    }
}

async fn tell(pool: Pool, mut ids: Receiver<SyncId>, health: Arc<Health>) {
    let mut batch = Vec::with_capacity(BATCH);
    while ids.recv_many(&mut batch, BATCH).await > 0 {
        let names: Vec<String> = batch.drain(..).map(|id| id.to_string()).collect();
        health.note(&push(&pool, &names).await);
    }
}

async fn push(pool: &Pool, names: &[String]) -> Result<(), PoolError> {
    let mut connection = pool.get().await?;
    let mut commands = pipe();
    commands.cmd("LPUSH").arg(LIST).arg(names).ignore().cmd("LTRIM").arg(LIST).arg(0).arg(KEPT - 1).ignore();
    let pushed = commands.query_async::<()>(&mut connection).await;
    keep_if(pushed.is_ok(), connection);
    Ok(pushed?)
}

/// Takes an id only while a worker of this process has nothing to do, so that it goes to one that has.
async fn hear(pool: Pool, signals: Arc<QueueSignals>, health: Arc<Health>) {
    loop {
        signals.idle().await;
        let heard = pop(&pool).await;
        health.note(&heard);
        match heard {
            Ok(true) => signals.ring(),
            Ok(false) => {}
            Err(_) => sleep(PAUSE).await,
        }
    }
}

/// Waits for an id; which one does not matter, because the database says whose turn it is.
async fn pop(pool: &Pool) -> Result<bool, PoolError> {
    let mut connection = pool.get().await?;
    let mut command = cmd("BRPOP");
    command.arg(LIST).arg(WAIT.as_secs());
    let popped = command.query_async::<Option<(String, String)>>(&mut connection).await;
    keep_if(popped.is_ok(), connection);
    Ok(popped?.is_some())
}

/// A connection that has failed is not used again.
fn keep_if(works: bool, connection: Connection) {
    if !works {
        drop(Connection::take(connection));
    }
}

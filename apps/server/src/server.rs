//! Starts and stops the HTTP server.

use std::any::Any;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZero;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::rt::net::TcpStream;
use actix_web::{HttpServer, web};
use ipnet::IpNet;
use module_monitor_ingestion::Refresher;
use module_monitor_storage::{Storage, StorageError, StorageOptions, connect};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::background::{Housekeeping, Refreshing, RunningWorker, WorkerError, keep_preparing, prepare};
use crate::config::{ReleaseRefresh, ServerConfig};
use crate::http;
use crate::limits::{Connection, Connections, RateLimiter, affordable_connections};
use crate::logging::Chain;
use crate::metrics::{Metrics, ReleaseMetrics};
use crate::redis_address::RedisUrlError;
use crate::state::{AppState, Limits};

/// How long requests and syncs in progress may take to finish once the server stops.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may take to send its headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept; longer than load balancers keep theirs, so that they close first.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a closing connection may take to read its last answer.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a server did not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The database URL is wrong or the schema cannot be brought up to date. An absent database is no reason.
    #[error("the database cannot be used")]
    Storage(#[from] StorageError),
    /// The Redis URL is wrong. An absent Redis is no reason.
    #[error("Redis cannot be used")]
    RedisUrl(#[from] RedisUrlError),
    /// The address is taken or not ours.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The system cannot make HTTP requests of its own.
    #[error("drupal.org cannot be asked for releases")]
    Feed(#[source] reqwest::Error),
    /// The HTTP server failed.
    #[error("the HTTP server failed")]
    Http(#[source] io::Error),
    /// Queued syncs are not applied any more.
    #[error("queued syncs are not applied any more")]
    Worker(#[source] WorkerError),
}

/// The HTTP server.
pub struct Server;

impl Server {
    /// Migrates the database, listens, and serves until [`RunningServer::stop`]. Where the database cannot be used yet
    /// it listens all the same, answers 503, and keeps trying. Call it on a multi-thread tokio runtime.
    pub async fn start(config: ServerConfig) -> Result<RunningServer, ServerError> {
        let mut metrics = Metrics::new();
        // What connects to Redis is so deep that the compiler would not lay out a future around all of it.
        let rate_limiter = Box::pin(rate_limiter(&config, &mut metrics)).await?;
        let release_metrics = ReleaseMetrics::register(metrics.registry());
        let storage = connect(&config.database_url, storage_options(&config, &metrics))?;
        let not_ready = prepare(storage.as_ref(), config.migrate).await?;
        if let Some(error) = &not_ready {
            tracing::warn!(error = %Chain(error), "the database is not ready; answering 503 until it is");
        }
        let migrated = not_ready.is_none();
        let limits = Limits {
            trusted_proxies: config.trusted_proxies,
            body_memory: (config.body_memory_mib as usize) << 20,
            reads: config.read_limit,
            site_bounds: config.site_bounds,
        };
        let state = AppState::new(storage, config.clock, metrics, rate_limiter, limits, &config.queue, migrated);
        let state = web::Data::new(state);
        let refresher = refresher(config.release_refresh, &state)?;
        let (listener, addr) = listen(config.listen)?;
        let connections = affordable_connections(config.max_connections, config.database_connections);
        let (http, handle) = serve(listener, state.clone(), connections).map_err(ServerError::Http)?;
        let background = state.clone().into_inner();
        let worker = RunningWorker::start(
            &config.queue,
            &state.storage,
            &state.clock,
            &state.signals,
            Arc::clone(&background) as _,
            config.redis.as_ref(),
        )?;
        let housekeeping = Housekeeping::start(&background, config.retention, config.queue.dead_letter_retention);
        let refreshing = Refreshing::start(&background, release_metrics, refresher);
        let migration = (!migrated).then(|| tokio::spawn(keep_preparing(background, config.migrate)));
        tracing::info!("listening on http://{addr}");
        Ok(RunningServer { addr, state, handle, http, migration, housekeeping, refreshing, worker })
    }
}

/// A server that is serving.
pub struct RunningServer {
    addr: SocketAddr,
    state: web::Data<AppState>,
    handle: ServerHandle,
    http: JoinHandle<io::Result<()>>,
    migration: Option<JoinHandle<Result<(), StorageError>>>,
    housekeeping: Housekeeping,
    refreshing: Refreshing,
    worker: RunningWorker,
}

impl RunningServer {
    /// The address it listens on, with the real port.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The storage it serves from.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.state.storage
    }

    /// Waits until the server ends by itself, which it does only when something is wrong.
    pub async fn failed(&mut self) -> ServerError {
        loop {
            let migration = async {
                match &mut self.migration {
                    Some(task) => task.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                error = self.worker.failed() => return ServerError::Worker(error),
                ended = &mut self.http => return ServerError::Http(ended.map_err(io::Error::other).flatten().err()
                    .unwrap_or_else(|| io::Error::other("it ended without being told to"))),
                migrated = migration => {
                    self.migration = None;
                    match migrated {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => return error.into(),
                        Err(panic) => return ServerError::Http(io::Error::other(panic)),
                    }
                }
            }
        }
    }

    /// Takes no more requests, waits for those in progress and for the syncs whose client has hung up, then returns.
    /// The worker takes no more jobs from the beginning on.
    pub async fn stop(mut self) {
        if let Some(migration) = &self.migration {
            migration.abort();
        }
        self.state.stopping.cancel();
        self.refreshing.stop(&self.state).await;
        let (handle, worker) = (&self.handle, &mut self.worker);
        tokio::join!(handle.stop(true), worker.stop());
        self.state.tasks.close();
        if timeout(SHUTDOWN_TIMEOUT, self.state.tasks.wait()).await.is_err() {
            tracing::warn!(
                unfinished = self.state.tasks.len(),
                "syncs were still running when the time to stop was up"
            );
        }
        self.housekeeping.stop(&self.state).await;
        tracing::info!("stopped");
    }
}

async fn rate_limiter(config: &ServerConfig, metrics: &mut Metrics) -> Result<RateLimiter, RedisUrlError> {
    let mut limiter = RateLimiter::new(Arc::clone(&config.clock), config.rate_limit, config.rate_limit_window);
    if let Some(redis) = &config.redis {
        limiter.share(redis, metrics.registry()).await?;
    }
    Ok(limiter)
}

fn refresher(settings: Option<ReleaseRefresh>, state: &AppState) -> Result<Option<Refresher>, ServerError> {
    let refresher = settings.map(|settings| settings.refresher(&state.storage, &state.clock));
    refresher.transpose().map_err(ServerError::Feed)
}

fn storage_options(config: &ServerConfig, metrics: &Metrics) -> StorageOptions {
    let statements = metrics.database_statements.clone();
    StorageOptions {
        max_connections: config.database_connections,
        checkout_timeout: config.database_checkout_timeout,
        migration_timeout: config.migration_timeout,
        site_bounds: config.site_bounds,
        on_statement: Some(Arc::new(move |_| {
            statements.inc();
        })),
    }
}

fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServerError> {
    let failed = |source| ServerError::Listen { address, source };
    let listener = TcpListener::bind(address).map_err(failed)?;
    let real = listener.local_addr().map_err(failed)?;
    Ok((listener, real))
}

type Http = (JoinHandle<io::Result<()>>, ServerHandle);

fn serve(listener: TcpListener, state: web::Data<AppState>, max_connections: u32) -> io::Result<Http> {
    let workers = thread::available_parallelism().map_or(2, NonZero::get);
    let share = (max_connections as usize).div_ceil(workers);
    let connections = Arc::new(Connections::new(max_connections as usize));
    let observed = state.clone();
    let server = HttpServer::new(move || http::app(state.clone()))
        .on_connect(move |io, data| {
            if let Some(connection) = opened(io, &connections, &observed.trusted_proxies) {
                data.insert(connection);
            }
        })
        .workers(workers)
        .max_connections(share)
        .backlog(1024)
        .client_request_timeout(HEADER_TIMEOUT)
        .client_disconnect_timeout(DISCONNECT_TIMEOUT)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(SHUTDOWN_TIMEOUT.as_secs())
        .disable_signals()
        .listen(listener)?
        .run();
    let handle = server.handle();
    Ok((tokio::spawn(server), handle))
}

/// Counts a connection that has been opened. `None` where the system has no file left for it.
fn opened(io: &dyn Any, connections: &Arc<Connections>, proxies: &[IpNet]) -> Option<Connection> {
    let stream = io.downcast_ref::<TcpStream>()?;
    let peer = stream.peer_addr().ok()?.ip().to_canonical();
    let is_proxy = proxies.iter().any(|net| net.contains(&peer));
    let socket = stream.as_fd().try_clone_to_owned().ok()?;
    Some(connections.open((!is_proxy).then_some(peer), socket))
}

//! `module-monitor serve`.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::database::DatabaseArgs;
use crate::{RunningServer, Server, ServerConfig};

const EXAMPLES: &str = "\
Examples:
  module-monitor serve                               an SQLite file in this folder, on http://127.0.0.1:8080
  module-monitor serve --listen 0.0.0.0:8080 --database-url postgres://mm@db/mm --log-format json
  MODULE_MONITOR_DATABASE_URL=sqlite:///var/lib/module-monitor/data.db module-monitor serve

SIGTERM and SIGINT finish the requests in progress first; a second one does not wait.";

/// What `serve` takes.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ServeArgs {
    /// Where to listen; port 0 takes a free one and logs it
    #[arg(long, value_name = "ADDRESS", env = "MODULE_MONITOR_LISTEN", default_value = "127.0.0.1:8080")]
    #[arg(value_parser = address)]
    listen: SocketAddr,
    /// Do not bring the database's schema up to date first
    #[arg(long, env = "MODULE_MONITOR_NO_MIGRATE", value_parser = BoolishValueParser::new())]
    no_migrate: bool,
    /// How many connections to keep to the database at most
    #[arg(long, value_name = "N", env = "MODULE_MONITOR_DATABASE_CONNECTIONS", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    database_connections: u32,
    /// How long a request waits for one of them before it is answered 503
    #[arg(long, value_name = "TIME", env = "MODULE_MONITOR_DATABASE_CHECKOUT_TIMEOUT", default_value = "5s")]
    #[arg(value_parser = checkout_timeout)]
    database_checkout_timeout: Duration,
}

/// Serves until it is told to stop.
pub(super) async fn run(args: ServeArgs, database: &DatabaseArgs) -> anyhow::Result<()> {
    // Before anything is started, so that no signal is missed.
    let signals = Signals::new()?;
    let config = ServerConfig {
        database_connections: args.database_connections,
        database_checkout_timeout: args.database_checkout_timeout,
        migrate: !args.no_migrate,
        ..ServerConfig::new(args.listen, &database.database_url)
    };
    run_until_told(Server::start(config).await?, signals).await
}

/// Keeps `server` up until SIGTERM or SIGINT, then lets it finish what it is doing. Fails where the server does.
pub(super) async fn run_until_told(mut server: RunningServer, mut signals: Signals) -> anyhow::Result<()> {
    tokio::select! {
        error = server.failed() => return Err(error.into()),
        () = signals.next() => tracing::info!("stopping once the requests in progress are done"),
    }
    tokio::select! {
        () = server.stop() => {}
        () = signals.next() => tracing::warn!("told to stop twice; not waiting any longer"),
    }
    Ok(())
}

/// SIGTERM and SIGINT, which no longer end the process once this exists.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Starts listening for them.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next of them.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Resolves `HOST:PORT`.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let mut found = text.to_socket_addrs().map_err(|error| format!("{error}; expected is HOST:PORT"))?;
    found.next().ok_or_else(|| "the name has no address".to_owned())
}

fn checkout_timeout(text: &str) -> Result<Duration, String> {
    let timeout = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if (Duration::from_millis(1)..=Duration::from_secs(600)).contains(&timeout) {
        Ok(timeout)
    } else {
        Err("it must be from 1ms to 10m".to_owned())
    }
}

//! `module-monitor serve`.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;
use ipnet::IpNet;

use super::database::DatabaseArgs;
use super::migrate::MigrationArgs;
use super::redis::RedisArgs;
use super::releases::SourceArgs;
use super::signals::{Signals, run_until_told};
use super::values::{address, time_between};
use super::worker::{IntakeArgs, WorkerArgs};
use crate::config::{RetentionConfig, ServerConfig};
use crate::server::Server;

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
    /// Do not bring the database's schema up to date first; until somebody else does, requests are answered 503
    #[arg(long, env = "MODULE_MONITOR_NO_MIGRATE", value_parser = BoolishValueParser::new())]
    no_migrate: bool,
    #[command(flatten)]
    migration: MigrationArgs,
    /// How many connections to keep to the database at most
    #[arg(long, value_name = "N", env = "MODULE_MONITOR_DATABASE_CONNECTIONS", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    database_connections: u32,
    /// How long a request waits for one of them before it is answered 503
    #[arg(long, value_name = "TIME", env = "MODULE_MONITOR_DATABASE_CHECKOUT_TIMEOUT", default_value = "5s")]
    #[arg(value_parser = checkout_timeout)]
    database_checkout_timeout: Duration,
    /// How many syncs a site may send in any window of time
    #[arg(long, value_name = "N", env = "MODULE_MONITOR_RATE_LIMIT", default_value_t = 60)]
    #[arg(value_parser = rate_limit)]
    rate_limit: u32,
    /// How long that window is; it moves with the clock
    #[arg(long, value_name = "TIME", env = "MODULE_MONITOR_RATE_LIMIT_WINDOW", default_value = "1h")]
    #[arg(value_parser = rate_limit_window)]
    rate_limit_window: Duration,
    /// How often a key may read (GET) in any minute on this node; an admin key ten times as often
    #[arg(long, value_name = "N", env = "MODULE_MONITOR_READ_LIMIT", default_value_t = 600)]
    #[arg(value_parser = rate_limit)]
    read_limit: u32,
    /// A proxy, or a net of them, whose X-Forwarded-For tells the client's address; may be given several times
    #[arg(long = "trusted-proxy", value_name = "ADDRESS[/BITS]", env = "MODULE_MONITOR_TRUSTED_PROXY")]
    #[arg(value_parser = proxy, value_delimiter = ',')]
    trusted_proxies: Vec<IpNet>,
    /// How much memory the bodies of requests and what is decoded from them may take at once, in MiB; a key may take a
    /// quarter or 48 MiB; beyond it requests are answered 503
    #[arg(long, value_name = "MIB", env = "MODULE_MONITOR_BODY_MEMORY", default_value_t = 256)]
    #[arg(value_parser = clap::value_parser!(u32).range(64..=65_536))]
    body_memory: u32,
    /// How many connections to serve at once, half of them before a key is known; more wait. Fewer where the system allows
    /// fewer open files
    #[arg(long, value_name = "N", env = "MODULE_MONITOR_MAX_CONNECTIONS", default_value_t = 4096)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_connections: u32,
    /// How long the audit log is kept: syncs, refused ones, and what administrators did
    #[arg(long, value_name = "TIME", env = "MODULE_MONITOR_AUDIT_RETENTION", default_value = "90d")]
    #[arg(value_parser = audit_retention)]
    audit_retention: Duration,
    /// How long the history of sites is kept: changes of their modules, events, closed findings, removed modules, and
    /// accepted risks that have ended
    #[arg(long, value_name = "TIME", env = "MODULE_MONITOR_HISTORY_RETENTION", default_value = "1095d")]
    #[arg(value_parser = history_retention)]
    history_retention: Duration,
    #[command(flatten)]
    intake: IntakeArgs,
    #[command(flatten)]
    worker: WorkerArgs,
    /// Do not ask drupal.org for releases; `releases import` brings them in without it
    #[arg(long, env = "MODULE_MONITOR_NO_RELEASE_REFRESH", value_parser = BoolishValueParser::new())]
    no_release_refresh: bool,
    #[command(flatten)]
    releases: SourceArgs,
}

/// Serves until it is told to stop.
pub(super) async fn run(args: ServeArgs, database: &DatabaseArgs, redis: RedisArgs) -> anyhow::Result<()> {
    // Before anything is started, so that no signal is missed.
    let mut signals = Signals::new()?;
    let config = ServerConfig {
        database_connections: args.database_connections,
        database_checkout_timeout: args.database_checkout_timeout,
        migrate: !args.no_migrate,
        migration_timeout: args.migration.migration_timeout,
        rate_limit: args.rate_limit,
        rate_limit_window: args.rate_limit_window,
        read_limit: args.read_limit,
        redis: redis.address()?,
        trusted_proxies: args.trusted_proxies,
        body_memory_mib: args.body_memory,
        max_connections: args.max_connections,
        retention: RetentionConfig { audit: args.audit_retention, history: args.history_retention },
        site_bounds: args.worker.bounds.into(),
        queue: args.intake.with(args.worker),
        release_refresh: (!args.no_release_refresh).then(|| args.releases.into()),
        ..ServerConfig::new(args.listen, database.url())
    };
    // It may wait for another process that migrates.
    let server = tokio::select! {
        started = Server::start(config) => started?,
        () = signals.next() => {
            tracing::info!("told to stop before it had started");
            return Ok(());
        }
    };
    run_until_told(server, signals).await
}

fn checkout_timeout(text: &str) -> Result<Duration, String> {
    time_between(text, "1ms", "10m")
}

fn rate_limit(text: &str) -> Result<u32, String> {
    let limit = text.parse().ok().filter(|limit| (1..=1_000_000).contains(limit));
    limit.ok_or_else(|| "it must be from 1 to 1000000; there is no way to have no limit".to_owned())
}

fn rate_limit_window(text: &str) -> Result<Duration, String> {
    time_between(text, "1s", "30d")
}

fn audit_retention(text: &str) -> Result<Duration, String> {
    time_between(text, "1h", "100y")
}

fn history_retention(text: &str) -> Result<Duration, String> {
    time_between(text, "1d", "100y")
}

fn proxy(text: &str) -> Result<IpNet, String> {
    let address = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    address.ok_or_else(|| "expected is an address or a net, such as 10.0.0.0/8".to_owned())
}

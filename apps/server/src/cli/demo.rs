//! `module-monitor demo`.

use std::io::{self, ErrorKind, IsTerminal};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use module_monitor_ingestion::SystemClock;

use super::output::print_line;
use super::signals::{Signals, run_until_told};
use super::values::address;
use crate::config::ServerConfig;
use crate::demo::Demo;
use crate::server::{RunningServer, Server, ServerError};

const HELP: &str = "\
It keeps its data in a temporary folder, whatever --database-url says, and removes it at the end.";

const LEGEND: &str = "\
Processed are the modules that a report names; Insecure and Unknown are those in use on the site
that need a security update, and whose security status is not known yet: the demo asks nobody, and
brings the releases of one project, key_auth. In the words of the server, each kind of warning once:";

/// What `demo` takes.
#[derive(Args)]
#[command(after_help = HELP)]
pub(super) struct DemoArgs {
    /// Where to listen; where the port is taken, a free one is used
    #[arg(long, value_name = "ADDRESS", env = "MODULE_MONITOR_LISTEN", default_value = "127.0.0.1:8080")]
    #[arg(value_parser = address)]
    listen: SocketAddr,
    /// Stop once the sample sites have reported; fails where an answer is not the expected one
    #[arg(long)]
    exit: bool,
}

/// Shows what sample sites report to a server on a database of its own, which goes away at the end.
pub(super) async fn run(args: DemoArgs) -> anyhow::Result<()> {
    // Before there is anything to clean up.
    let mut signals = Signals::new()?;
    let folder = tempfile::Builder::new().prefix("module-monitor-demo-").tempdir();
    let folder = folder.context("there is no place for a temporary database")?;
    let database = format!("sqlite://{}", folder.path().join("demo.db").display());
    let server = start(args.listen, &database).await?;
    let shown = tokio::select! {
        shown = show(&server, args.exit) => shown.map(|()| !args.exit),
        () = signals.next() => Ok(false),
    };
    match shown {
        Ok(true) => run_until_told(server, signals).await?,
        result => {
            server.stop().await;
            result?;
        }
    }
    folder.close().context("the temporary database could not be removed")
}

async fn start(listen: SocketAddr, database: &str) -> Result<RunningServer, ServerError> {
    match Server::start(ServerConfig::new(listen, database)).await {
        Err(ServerError::Listen { source, .. }) if source.kind() == ErrorKind::AddrInUse => {
            let server = Server::start(ServerConfig::new(SocketAddr::new(listen.ip(), 0), database)).await?;
            tracing::warn!("{listen} is taken, so the demo listens on {}", server.addr());
            Ok(server)
        }
        started => started,
    }
}

/// Lets the sites report, and prints what came of it and, unless the server `exits` then, what to try.
async fn show(server: &RunningServer, exits: bool) -> anyhow::Result<()> {
    let base = format!("http://{}", reachable(server.addr()));
    print_line(&format!("Three sample sites report to {base}, which keeps a throw-away SQLite file.\n"))?;
    let demo = Demo::play(server.storage(), Arc::new(SystemClock), &base).await?;
    print_line(&format!("{}\n", demo.table()))?;
    print_line(&format!("{LEGEND}\n\n{}", demo.remarks()))?;
    demo.check()?;
    if !exits {
        suggest(&demo, &base)?;
    }
    Ok(())
}

fn suggest(demo: &Demo, base: &str) -> anyhow::Result<()> {
    let on_terminal = io::stdout().is_terminal();
    print_line("\nThings to try:")?;
    for suggestion in demo.suggestions() {
        print_line(&format!("\n# {}\n{}", suggestion.title, suggestion.command(on_terminal)))?;
    }
    print_line(&format!("\nServing on {base} (see also {base}/metrics).\nCtrl-C ends it and removes its database."))
}

/// The address to reach a server at that listens on `address`, which may stand for every address of this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

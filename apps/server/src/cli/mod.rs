//! The command line.

mod acceptance;
mod check;
mod database;
mod demo;
mod identity;
mod key;
mod migrate;
mod output;
mod pages;
mod progress;
mod queue;
mod recount;
mod redis;
mod releases;
mod secret;
mod security;
mod serve;
mod signals;
mod site;
mod site_bounds;
mod values;
mod worker;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use module_monitor_storage::StorageError;
use tracing_subscriber::EnvFilter;

use crate::logging::{self, Chain, LogFormat};
use crate::redis_address::RedisUrlError;
use database::DatabaseArgs;
use redis::RedisArgs;

/// The exit code for settings that cannot be used.
const BAD_SETTING: u8 = 2;

const EXAMPLES: &str = "\
Examples:
  module-monitor demo                               sample sites on a server that leaves nothing behind
  module-monitor migrate                            make the database, or bring it up to date; serve does it, too
  module-monitor site create --name \"My site\"       register a site; prints its id and its API key
  module-monitor serve --listen 0.0.0.0:8080        take reports from everywhere
  module-monitor key create --admin                 a key for all sites
  module-monitor security list                      what needs a security update, on which sites
  module-monitor --database-url postgres://mm@db/mm serve

Every option has an environment variable; an option on the command line wins. URLs with a password need be neither: the
-file options take them from a file.
Logs go to standard error, data to standard output.";

/// Keeps track of the modules that Drupal sites have installed.
#[derive(Parser)]
#[command(name = "module-monitor", version, after_help = EXAMPLES, max_term_width = 110)]
#[command(propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes, before or after its own arguments.
#[derive(Args)]
#[command(next_help_heading = "Options of every command")]
struct GlobalArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    redis: RedisArgs,
    /// How log lines look
    #[arg(long, global = true, value_name = "FORMAT", env = "MODULE_MONITOR_LOG_FORMAT", default_value = "pretty")]
    log_format: LogFormat,
    /// What to log: error, warn, info, debug or trace, also for single parts, as in info,module_monitor_storage=debug
    /// [default: info,actix_server=warn; for the demo: warn; for releases: error]
    #[arg(long, global = true, value_name = "LEVEL", env = "MODULE_MONITOR_LOG_LEVEL")]
    #[arg(value_parser = log_filter)]
    log_level: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::ServeArgs),
    /// Apply queued syncs beside the server, on this or another machine
    Worker(worker::WorkerArgs),
    /// Bring the database's schema up to date
    Migrate(migrate::MigrationArgs),
    /// Register and list sites
    #[command(subcommand)]
    Site(site::SiteCommand),
    /// Issue, revoke and list API keys
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Look after the queue of large reports: how it is doing, and what it could not do
    #[command(subcommand, after_help = queue::ABOUT)]
    Queue(queue::QueueCommand),
    /// Accept risks until some time, list them and end them
    #[command(subcommand)]
    Acceptance(acceptance::AcceptanceCommand),
    /// Say what unidentified extensions are
    #[command(subcommand)]
    Identity(identity::IdentityCommand),
    /// List what needs a security update, and recount the figures
    #[command(subcommand)]
    Security(security::SecurityCommand),
    /// Take in what drupal.org says of projects and their releases
    #[command(subcommand)]
    Releases(releases::ReleasesCommand),
    /// Look for rows that name others which are not there
    #[command(after_help = check::ABOUT)]
    Check,
    /// Try it out: sample sites report to a server on a throw-away SQLite database
    Demo(demo::DemoArgs),
}

impl Command {
    fn default_log_level(&self) -> &'static str {
        match self {
            // It says itself what came of each.
            Self::Releases(_) => "error",
            Self::Demo(_) => "warn,actix_http=off",
            _ => "info,actix_server=warn,actix_http=off",
        }
    }
}

/// Reads the command line, does what it says, and returns the exit code: 0, or 1 where it failed, or 2 where a setting
/// cannot be used.
pub async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return explain(&error),
    };
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    let Cli { global, command } = cli;
    let log_level = global.log_level.as_deref().unwrap_or(command.default_log_level());
    logging::init(global.log_format, EnvFilter::try_new(log_level)?);
    match command {
        Command::Serve(args) => serve::run(args, &global.database, global.redis).await,
        Command::Worker(args) => worker::run(args, &global.database, global.redis).await,
        Command::Migrate(args) => migrate::run(args, &global.database).await,
        Command::Site(command) => site::run(command, &global.database).await,
        Command::Key(command) => key::run(command, &global.database).await,
        Command::Queue(command) => queue::run(command, &global.database).await,
        Command::Acceptance(command) => acceptance::run(command, &global.database).await,
        Command::Identity(command) => identity::run(command, &global.database).await,
        Command::Security(command) => security::run(command, &global.database).await,
        Command::Releases(command) => releases::run(command, &global.database).await,
        Command::Check => check::run(&global.database).await,
        Command::Demo(args) => demo::run(args).await,
    }
}

fn log_filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// Help and versions as they are; mistakes as one line without the usage, which is what `--help` is for.
fn explain(error: &clap::Error) -> ExitCode {
    let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if asked_for || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return ExitCode::from(if asked_for { 0 } else { BAD_SETTING });
    }
    let text = error.to_string();
    let said = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let said: Vec<&str> = said.filter(|line| !line.is_empty() && !line.starts_with("For more information")).collect();
    complain(&said.join(" ").replace(" tip: ", "; tip: "));
    ExitCode::from(BAD_SETTING)
}

/// One line with the error and everything behind it.
fn report(error: &anyhow::Error) -> ExitCode {
    if let Some((flag, why)) = error.chain().find_map(bad_url) {
        complain(&format!("error: invalid value for '{flag} <URL>': {why}"));
        return ExitCode::from(BAD_SETTING);
    }
    complain(&format!("error: {}", Chain(error.as_ref())));
    ExitCode::FAILURE
}

/// The flag whose URL caused the error, and what is wrong with it. The URL itself may hold a password.
fn bad_url(cause: &(dyn Error + 'static)) -> Option<(&'static str, String)> {
    if let Some(StorageError::Url(why)) = cause.downcast_ref() {
        return Some(("--database-url", why.to_string()));
    }
    cause.downcast_ref::<RedisUrlError>().map(|why| ("--redis-url", why.to_string()))
}

/// Where nobody reads standard error, there is nobody to tell that either.
fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "{}", line.replace('\n', " "));
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_setting_of_serve_has_a_variable() {
        let command = Cli::command();
        let serve = command.find_subcommand("serve").unwrap();
        for arg in command.get_arguments().chain(serve.get_arguments()) {
            let long = arg.get_long().unwrap_or_default();
            let expected = format!("MODULE_MONITOR_{}", long.to_uppercase().replace('-', "_"));
            let env = arg.get_env().map(|env| env.to_string_lossy().into_owned());
            assert!(["help", "version"].contains(&long) || env == Some(expected), "--{long}: {env:?}");
        }
    }

    #[test]
    fn a_limit_that_cannot_be_is_refused_with_the_flag_and_the_reason() {
        let serve = |args: &[&str]| Cli::try_parse_from(["x", "serve"].iter().chain(args)).map(|_| ());
        for (flag, value, reason) in [
            ("--rate-limit", "0", "it must be from 1 to 1000000"),
            ("--rate-limit", "-1", "it must be"),
            ("--rate-limit", "many", "it must be"),
            ("--rate-limit-window", "10ms", "it must be from 1s to 30d"),
            ("--rate-limit-window", "an hour", "expected"),
        ] {
            let text = serve(&[&format!("{flag}={value}")]).unwrap_err().to_string();
            assert!(text.contains(flag) && text.contains(reason), "{text}");
        }
        assert!(serve(&["--rate-limit", "1", "--rate-limit-window", "90m"]).is_ok());
    }

    #[test]
    fn the_database_is_named_before_or_after_the_command() {
        for line in [["x", "--database-url", "sqlite://a", "migrate"], ["x", "migrate", "--database-url", "sqlite://a"]]
        {
            let cli = Cli::try_parse_from(line).ok().unwrap();
            assert_eq!(cli.global.database.database_url, "sqlite://a");
        }
    }
}

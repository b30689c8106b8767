//! `module-monitor migrate`.

use std::time::Duration;

use clap::Args;
use module_monitor_storage::StorageOptions;

use super::database::DatabaseArgs;
use super::output::{count_of, print_line};
use super::values::time_between;

/// What `migrate` takes, and `serve`, which migrates first.
#[derive(Args)]
pub(super) struct MigrationArgs {
    /// How long to wait while another process migrates the database
    #[arg(long, value_name = "TIME", env = "MODULE_MONITOR_MIGRATION_TIMEOUT", default_value = "5m")]
    #[arg(value_parser = migration_timeout)]
    pub(super) migration_timeout: Duration,
}

pub(super) async fn run(args: MigrationArgs, database: &DatabaseArgs) -> anyhow::Result<()> {
    let options = StorageOptions { migration_timeout: args.migration_timeout, ..StorageOptions::default() };
    match database.connect_with(options)?.migrate().await? {
        0 => print_line("The database is up to date."),
        n => print_line(&format!("Ran {}; the database is up to date.", count_of(n as u64, "migration"))),
    }
}

fn migration_timeout(text: &str) -> Result<Duration, String> {
    time_between(text, "0s", "1d")
}

//! What one site may accumulate, as the programs that apply reports take it.

use clap::{Args, value_parser};
use module_monitor_storage::SiteBounds;

/// What one site may accumulate; the same everywhere where reports of the database are applied.
#[derive(Args, Clone, Copy)]
#[command(next_help_heading = "Bounds of a site")]
pub(super) struct SiteBoundsArgs {
    /// How many modules that a site has or had are kept; those that were removed first are forgotten
    #[arg(long, value_name = "N", env = "MODULE_MONITOR_SITE_MODULES", default_value_t = usual().modules as u32)]
    #[arg(value_parser = value_parser!(u32).range(4_000..=1_000_000))]
    site_modules: u32,
    /// How many MiB of descriptions, dependencies and the like are kept for a site, and taken from it for the registry in a
    /// day; of what is beyond only the name is kept
    #[arg(long, value_name = "MIB", env = "MODULE_MONITOR_SITE_DETAILS", default_value_t = mib(usual().details_bytes))]
    #[arg(value_parser = value_parser!(u32).range(1..=1024))]
    site_details: u32,
    /// How many MiB the history of a site's modules and the answers to its syncs may take; the oldest goes first
    #[arg(long, value_name = "MIB", env = "MODULE_MONITOR_SITE_HISTORY", default_value_t = mib(usual().history_bytes))]
    #[arg(value_parser = value_parser!(u32).range(4..=1024))]
    site_history: u32,
    /// How many modules of a site may change within a minute before its next reports wait in the queue
    #[arg(long, value_name = "N", env = "MODULE_MONITOR_SITE_CHANGES", default_value_t = usual().changes_a_minute as u32)]
    #[arg(value_parser = value_parser!(u32).range(1_000..=1_000_000_000))]
    site_changes: u32,
}

fn usual() -> SiteBounds {
    SiteBounds::default()
}

fn mib(bytes: usize) -> u32 {
    (bytes >> 20) as u32
}

impl From<SiteBoundsArgs> for SiteBounds {
    fn from(args: SiteBoundsArgs) -> Self {
        Self {
            modules: args.site_modules as usize,
            details_bytes: (args.site_details as usize) << 20,
            history_bytes: (args.site_history as usize) << 20,
            changes_a_minute: args.site_changes as usize,
        }
    }
}

//! `module-monitor identity`.

use anyhow::bail;
use clap::{ArgGroup, Args, Subcommand};
use module_monitor_domain::{MachineName, ProjectName, Settlement, SiteId};
use module_monitor_ingestion::{Clock, SystemClock};

use super::database::DatabaseArgs;
use super::output::print_line;
use super::recount::recount_marked;
use super::values::project;
use crate::admin::COMMAND_LINE;

const EXAMPLES: &str = "\
Examples:
  module-monitor identity set our_blocks --own                  the sites' own code, whoever has it
  module-monitor identity set ctools --project ctools           code of a project, by which it is judged
  module-monitor identity set shop --project commerce --site 7  on one site only
  module-monitor identity set shop --open --site 7              take it back

`module-monitor security list --status unknown` shows what is unidentified.";

#[derive(Subcommand)]
pub(super) enum IdentityCommand {
    /// Settle what an extension is that its sites do not say of themselves
    #[command(after_help = EXAMPLES)]
    Set(SetArgs),
}

#[derive(Args)]
#[command(group = ArgGroup::new("what").args(["own", "project", "open"]).required(true))]
pub(super) struct SetArgs {
    /// The machine name of the extension
    #[arg(value_parser = |name: &str| MachineName::parse(name).map_err(|error| error.to_string()))]
    name: MachineName,
    /// It is own code; never said of what a site reports as contrib, unless with --site
    #[arg(long)]
    own: bool,
    /// It belongs to this project of drupal.org
    #[arg(long, value_name = "NAME", value_parser = project)]
    project: Option<ProjectName>,
    /// Nothing is settled any more
    #[arg(long)]
    open: bool,
    /// On this site only; without, on all
    #[arg(long, value_name = "ID")]
    site: Option<SiteId>,
}

pub(super) async fn run(command: IdentityCommand, database: &DatabaseArgs) -> anyhow::Result<()> {
    let IdentityCommand::Set(SetArgs { name, own, project, open: _, site }) = command;
    let storage = database.open().await?;
    let settlement = if own { Some(Settlement::Own) } else { project.map(Settlement::Project) };
    let now = SystemClock.now();
    let settled = match site {
        Some(site) => storage.settle_for_site(site, &name, settlement, now, COMMAND_LINE).await?,
        None => storage.settle_for_all(&name, settlement, now, COMMAND_LINE).await?,
    };
    if !settled {
        bail!(
            "there is no extension {name} of which that could be said; see `module-monitor security list --status unknown`"
        );
    }
    let recounted = recount_marked(&storage).await?;
    match site {
        Some(site) => print_line(&format!("Settled for {name} on site {site}.")),
        None => print_line(&format!("Settled for {name}. Sites recounted: {recounted}.")),
    }
}

//! `module-monitor site`.

use clap::{Args, Subcommand};
use module_monitor_domain::{Reporting, SiteName, SiteUrl, Tag};
use module_monitor_ingestion::{Clock, SystemClock};
use module_monitor_storage::{SiteChange, SiteFilter, Storage};
use serde_json::json;
use time::OffsetDateTime;

use super::database::DatabaseArgs;
use super::output::{print_json, print_line, print_table, time_cell};
use super::pages::read_all;
use crate::admin::{COMMAND_LINE, register_site};
use crate::api::sites::SiteView;

#[derive(Subcommand)]
pub(super) enum SiteCommand {
    /// Register a site and print its id and its first API key, which is shown only now
    #[command(
        after_help = "Example:\n  module-monitor site create --name \"City library\" --url https://library.example"
    )]
    Create(CreateArgs),
    /// List the sites in the order of their registration
    List(ListArgs),
}

#[derive(Args)]
pub(super) struct CreateArgs {
    /// What people call the site
    #[arg(long)]
    name: SiteName,
    /// Its address
    #[arg(long)]
    url: Option<SiteUrl>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Several filters together list the sites that meet all of them.
#[derive(Args)]
pub(super) struct ListArgs {
    /// Only sites with this tag
    #[arg(long)]
    tag: Option<Tag>,
    /// Only sites that should have reported and have not
    #[arg(long)]
    silent: bool,
    /// Only sites whose reports arrive (ok), arrive in part (partial), are refused (failing), or have never come (never)
    #[arg(long, value_name = "HOW", value_parser = reporting)]
    reporting: Option<Reporting>,
    /// Only sites that need security updates
    #[arg(long)]
    security: bool,
    /// Only sites that have reported under more than one identity
    #[arg(long)]
    conflict: bool,
    /// Only sites whose last full report removed most of their modules
    #[arg(long)]
    mass_removal: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

impl ListArgs {
    fn filter(self, now: OffsetDateTime) -> SiteFilter {
        let only = |wanted: bool| wanted.then_some(true);
        SiteFilter {
            tag: self.tag,
            silent: only(self.silent).map(|silent| (silent, now)),
            reporting: self.reporting,
            conflict: only(self.conflict),
            security: only(self.security),
            mass_removal: only(self.mass_removal),
            active: None,
        }
    }
}

fn reporting(name: &str) -> Result<Reporting, String> {
    Reporting::from_name(name).ok_or_else(|| "it must be ok, partial, failing or never".to_owned())
}

pub(super) async fn run(command: SiteCommand, database: &DatabaseArgs) -> anyhow::Result<()> {
    let storage = database.open().await?;
    match command {
        SiteCommand::Create(args) => create(args, storage.as_ref()).await,
        SiteCommand::List(args) => list(args, storage.as_ref()).await,
    }
}

async fn create(args: CreateArgs, storage: &dyn Storage) -> anyhow::Result<()> {
    let settings = SiteChange { url: args.url.map(Some), ..SiteChange::default() };
    let (site, key) = register_site(storage, &SystemClock, COMMAND_LINE, args.name, settings).await?;
    let (site, key) = (site.id, key.text);
    if args.json {
        return print_json(&json!({"site_id": site.0, "api_key": key.reveal()}));
    }
    print_line(&format!("Site id:  {site}\nAPI key:  {}\n\nThe key is not shown again.", key.reveal()))
}

async fn list(args: ListArgs, storage: &dyn Storage) -> anyhow::Result<()> {
    let (now, json) = (SystemClock.now(), args.json);
    let filter = args.filter(now);
    let sites = read_all(async |page| storage.list_sites(filter.clone(), page).await, |site| site.id).await?;
    let sites: Vec<SiteView> = sites.into_iter().map(|site| SiteView::of(site, now, None)).collect();
    if json {
        return print_json(&sites);
    }
    let rows = sites.into_iter().map(|site| {
        let notes = site.notes();
        [site.id.to_string(), site.name, site.drupal_version.unwrap_or_default(), time_cell(site.last_sync_at), notes]
    });
    print_table(["ID", "NAME", "DRUPAL", "LAST SYNC", "NOTES"], rows)
}

//! `module-monitor site`.

use clap::{Args, Subcommand};
use module_monitor_domain::Site;
use module_monitor_ingestion::SystemClock;
use module_monitor_storage::{Page, Storage, StorageError};
use serde_json::json;

use super::database::DatabaseArgs;
use super::output::{print_json, print_line, print_table, time_cell};
use crate::admin::{COMMAND_LINE, register_site};
use crate::site_view::SiteView;

/// How many rows are read at once.
const PAGE: usize = 500;

#[derive(Subcommand)]
pub(super) enum SiteCommand {
    /// Register a site and print its id and its first API key, which is shown only now
    #[command(
        after_help = "Example:\n  module-monitor site create --name \"City library\" --url https://library.example"
    )]
    Create(CreateArgs),
    /// List the sites in the order of their registration
    List {
        /// Print JSON instead of a table
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
pub(super) struct CreateArgs {
    /// What people call the site
    #[arg(long, value_parser = name)]
    name: String,
    /// Its address
    #[arg(long, value_parser = url)]
    url: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: SiteCommand, database: &DatabaseArgs) -> anyhow::Result<()> {
    let storage = database.open().await?;
    match command {
        SiteCommand::Create(args) => create(args, storage.as_ref()).await,
        SiteCommand::List { json } => list(storage.as_ref(), json).await,
    }
}

async fn create(args: CreateArgs, storage: &dyn Storage) -> anyhow::Result<()> {
    let (site, key) = register_site(storage, &SystemClock, COMMAND_LINE, args.name, args.url).await?;
    if args.json {
        return print_json(&json!({"site_id": site.to_string(), "api_key": key.reveal()}));
    }
    print_line(&format!("Site id:  {site}\nAPI key:  {}\n\nThe key is not shown again.", key.reveal()))
}

async fn list(storage: &dyn Storage, json: bool) -> anyhow::Result<()> {
    let sites: Vec<SiteView> = all_sites(storage).await?.into_iter().map(SiteView::from).collect();
    if json {
        return print_json(&sites);
    }
    let rows = sites.into_iter().map(|site| {
        let notes = site.notes();
        [site.id, site.name, site.drupal_version.unwrap_or_default(), time_cell(site.last_sync_at), notes]
    });
    print_table(["ID", "NAME", "DRUPAL", "LAST SYNC", "NOTES"], rows)
}

async fn all_sites(storage: &dyn Storage) -> Result<Vec<Site>, StorageError> {
    let mut sites: Vec<Site> = Vec::new();
    loop {
        let after = sites.last().map(|site| site.id);
        let page = storage.list_sites(Page { limit: PAGE, after }).await?;
        let is_last = page.len() < PAGE;
        sites.extend(page);
        if is_last {
            return Ok(sites);
        }
    }
}

/// A name for people: 1 to 255 characters on one line.
pub(super) fn name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > 255 || name.chars().any(char::is_control) {
        return Err("it must have 1 to 255 characters on one line".to_owned());
    }
    Ok(name.to_owned())
}

fn url(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let clean = !text.chars().any(|c| c.is_control() || c.is_whitespace());
    if host.is_empty() || host.starts_with('/') || !clean || text.chars().count() > 2048 {
        return Err("it must be an address such as https://example.org, of at most 2048 characters".to_owned());
    }
    Ok(text.to_owned())
}

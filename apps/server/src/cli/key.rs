//! `module-monitor key`.

use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand};
use module_monitor_domain::{KeyName, SiteId};
use module_monitor_ingestion::{Clock, SystemClock};
use module_monitor_storage::Storage;
use serde_json::json;

use super::database::DatabaseArgs;
use super::output::{print_json, print_line, print_table, time_cell};
use super::pages::read_all;
use crate::admin::{COMMAND_LINE, issue_key};
use crate::api::keys::KeyView;

const CREATE_EXAMPLES: &str = "\
Examples:
  module-monitor key create --admin --name \"dashboard\" --expires-in 90d
  module-monitor key create --site 0198c5f2-0000-7000-8000-000000000000     a second key, to replace the first";

#[derive(Subcommand)]
pub(super) enum KeyCommand {
    /// Issue an API key and print it; it is shown only now
    #[command(after_help = CREATE_EXAMPLES)]
    Create(CreateArgs),
    /// Revoke a key for good
    Revoke {
        /// The id of the key: the middle part of mm_ID_SECRET, as `key list` shows it
        id: String,
    },
    /// List the keys, without their secrets
    List {
        /// Print JSON instead of a table
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
#[command(group = ArgGroup::new("scope").args(["site", "admin"]).required(true))]
pub(super) struct CreateArgs {
    /// The site it is for
    #[arg(long, value_name = "ID")]
    site: Option<SiteId>,
    /// For all sites and everything else
    #[arg(long)]
    admin: bool,
    /// What people call the key
    #[arg(long)]
    name: Option<KeyName>,
    /// How long it works, as in 90d or 12h; for good if not given
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    expires_in: Option<Duration>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: KeyCommand, database: &DatabaseArgs) -> anyhow::Result<()> {
    let storage = database.open().await?;
    match command {
        KeyCommand::Create(args) => create(args, storage.as_ref()).await,
        KeyCommand::Revoke { id } => revoke(&id, storage.as_ref()).await,
        KeyCommand::List { json } => list(storage.as_ref(), json).await,
    }
}

async fn create(args: CreateArgs, storage: &dyn Storage) -> anyhow::Result<()> {
    let key = issue_key(storage, &SystemClock, COMMAND_LINE, args.site, args.name, args.expires_in).await?;
    let (id, text) = (key.record.id, key.text);
    if args.json {
        return print_json(&json!({"id": id, "api_key": text.reveal()}));
    }
    print_line(&format!("Key id:   {id}\nAPI key:  {}\n\nThe key is not shown again.", text.reveal()))
}

async fn revoke(id: &str, storage: &dyn Storage) -> anyhow::Result<()> {
    if !storage.revoke_key(id, SystemClock.now(), COMMAND_LINE).await? {
        anyhow::bail!("there is no key with that id; `module-monitor key list` shows the ids");
    }
    print_line(&format!("Key {id} is revoked."))
}

async fn list(storage: &dyn Storage, json: bool) -> anyhow::Result<()> {
    let keys: Vec<KeyView> = read_all(async |page| storage.list_keys(page).await, |key| key.id.clone())
        .await?
        .into_iter()
        .map(KeyView::from)
        .collect();
    if json {
        return print_json(&keys);
    }
    let rows = keys.into_iter().map(|key| {
        let site = key.site_id.map_or_else(|| "admin".to_owned(), |site| site.to_string());
        let name = key.name.unwrap_or_default();
        let [created, used, expires, revoked] =
            [Some(key.created_at), key.last_used_at, key.expires_at, key.revoked_at].map(time_cell);
        [key.id, site, name, created, used, expires, revoked]
    });
    print_table(["ID", "SITE", "NAME", "CREATED", "LAST USED", "EXPIRES", "REVOKED"], rows)
}

fn lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if lifetime.is_zero() { Err("it must be longer than no time".to_owned()) } else { Ok(lifetime) }
}

//! `module-monitor acceptance`.

use std::sync::Arc;

use anyhow::bail;
use clap::{Args, Subcommand};
use module_monitor_domain::{ProjectName, SiteId};
use module_monitor_ingestion::{Clock, SystemClock};
use module_monitor_storage::{Storage, StorageError};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::database::DatabaseArgs;
use super::output::{print_json, print_line, print_table, time_cell};
use super::pages::read_all;
use super::recount::recount_marked;
use super::values::project;
use crate::admin::COMMAND_LINE;
use crate::api::acceptances::{AcceptanceView, WantedAcceptance, WantedVersions};
use crate::api::time::rfc3339;

const EXAMPLES: &str = "\
Examples:
  module-monitor acceptance add --project token --until 30d --reason \"behind a firewall\"
  module-monitor acceptance add --project token --to 8.x-1.15 --site 7 --until 2027-01-31T00:00:00Z --reason \"replaced soon\"
  module-monitor acceptance add --project acme --status unknown --until 365d --reason \"we wrote it\"

What is accepted leaves the figures of sites and stays in the lists, marked as accepted.";

#[derive(Subcommand)]
pub(super) enum AcceptanceCommand {
    /// Accept a risk until some time, and print its id
    #[command(after_help = EXAMPLES)]
    Add(AddArgs),
    /// List the accepted risks, newest first
    List(ListArgs),
    /// Accept a risk no longer
    End {
        /// The id, as `acceptance list` shows it
        id: Uuid,
    },
}

#[derive(Args)]
pub(super) struct AddArgs {
    /// The project; of code that is of none, its machine name
    #[arg(long, value_name = "NAME", value_parser = project)]
    project: ProjectName,
    /// The class that it is for; it covers nothing of another
    #[arg(long, value_name = "CLASS", default_value = "insecure", value_parser = ["insecure", "unsupported", "unknown"])]
    status: String,
    /// From this version on
    #[arg(long, value_name = "VERSION")]
    from: Option<String>,
    /// Up to this version
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    /// On this site only; without, on all
    #[arg(long, value_name = "ID")]
    site: Option<SiteId>,
    /// Until when: a time such as 2027-01-31T00:00:00Z, or how long from now, as in 30d
    #[arg(long, value_name = "TIME", value_parser = until)]
    until: Until,
    /// Why the risk can be taken, for those who come later
    #[arg(long)]
    reason: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct ListArgs {
    /// Also those that have ended
    #[arg(long)]
    ended: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// When something ends.
#[derive(Clone, Copy)]
enum Until {
    Time(OffsetDateTime),
    In(std::time::Duration),
}

fn until(text: &str) -> Result<Until, String> {
    if let Ok(at) = OffsetDateTime::parse(text, &Rfc3339) {
        return Ok(Until::Time(at));
    }
    let duration = humantime::parse_duration(text);
    duration
        .map(Until::In)
        .map_err(|_| "it must be a time such as 2027-01-31T00:00:00Z, or how long, as in 30d".to_owned())
}

impl Until {
    /// The time; `None` where it is beyond all calendars.
    fn from(self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        match self {
            Self::Time(at) => Some(at),
            Self::In(duration) => now.checked_add(duration.try_into().ok()?),
        }
    }
}

pub(super) async fn run(command: AcceptanceCommand, database: &DatabaseArgs) -> anyhow::Result<()> {
    let storage = database.open().await?;
    match command {
        AcceptanceCommand::Add(args) => add(args, storage).await,
        AcceptanceCommand::List(args) => list(args, storage.as_ref()).await,
        AcceptanceCommand::End { id } => end(id, storage).await,
    }
}

async fn add(args: AddArgs, storage: Arc<dyn Storage>) -> anyhow::Result<()> {
    let AddArgs { project, status, from, to, site, until, reason, json } = args;
    let now = SystemClock.now();
    let wanted = WantedAcceptance {
        project: project.to_string(),
        status: Some(status),
        versions: Some(WantedVersions { from, to }),
        site_id: site.map(|site| site.0),
        until: until.from(now).map(rfc3339).unwrap_or_default(),
        reason,
    };
    let acceptance = match wanted.checked(now) {
        Ok(acceptance) => acceptance,
        Err(faults) => {
            let said: Vec<String> =
                faults.iter().map(|fault| format!("{}: {}", flag(&fault.pointer), fault.detail)).collect();
            bail!("{}", said.join("; "));
        }
    };
    let id = acceptance.id;
    match storage.create_acceptance(acceptance, COMMAND_LINE).await {
        Err(StorageError::MissingReference(_)) => {
            bail!("there is no such site; `module-monitor site list` shows the ids")
        }
        created => created?,
    }
    recount_marked(&storage).await?;
    let made = storage.find_acceptance(id).await?.map(AcceptanceView::from);
    match made.filter(|_| json) {
        Some(made) => print_json(&made),
        None => print_line(&format!("Accepted as {id}.")),
    }
}

/// The option that a pointer into the body of the same request over HTTP means.
fn flag(pointer: &str) -> String {
    let field = pointer.rsplit('/').next().unwrap_or_default();
    format!("--{}", field.strip_suffix("_id").unwrap_or(field))
}

async fn list(args: ListArgs, storage: &dyn Storage) -> anyhow::Result<()> {
    let read = async |page| storage.list_acceptances(args.ended, page).await;
    let found = read_all(read, |acceptance| acceptance.id).await?.into_iter().map(AcceptanceView::from);
    if args.json {
        return print_json(&found.collect::<Vec<_>>());
    }
    let rows = found.map(|acceptance| {
        let versions = match (acceptance.versions.from, acceptance.versions.to) {
            (None, None) => "all".to_owned(),
            (from, to) => format!("{} to {}", from.as_deref().unwrap_or("any"), to.as_deref().unwrap_or("any")),
        };
        let site = acceptance.site_id.map_or_else(|| "all".to_owned(), |site| site.to_string());
        let ended = acceptance.ended_reason.map(|why| format!("{why} {}", time_cell(acceptance.ended_at)));
        [
            acceptance.id,
            acceptance.project,
            acceptance.status.to_owned(),
            versions,
            site,
            time_cell(Some(acceptance.until)),
            acceptance.reason,
            ended.unwrap_or_default(),
        ]
    });
    print_table(["ID", "PROJECT", "STATUS", "VERSIONS", "SITE", "UNTIL", "REASON", "ENDED"], rows)
}

async fn end(id: Uuid, storage: Arc<dyn Storage>) -> anyhow::Result<()> {
    if !storage.withdraw_acceptance(id, SystemClock.now(), COMMAND_LINE).await? {
        bail!("there is none of that id, or it has ended; `module-monitor acceptance list` shows the ids");
    }
    recount_marked(&storage).await?;
    print_line(&format!("Ended: {id}."))
}

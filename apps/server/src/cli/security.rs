//! `module-monitor security`.

use std::sync::Arc;

use clap::{ArgGroup, Args, Subcommand};
use module_monitor_domain::{CoverageClass, ProjectName, SecurityCounts, SiteId, Tag, UpdateStatus};
use module_monitor_ingestion::{Clock, ReleaseService, SystemClock};
use module_monitor_storage::{
    Page, RecountDifference, SecurityFilter, SecurityTotals, SecurityUpdate, Storage, StorageError, TotalsFilter,
};
use serde::Serialize;

use super::database::DatabaseArgs;
use super::output::{count_of, print_bytes, print_json, print_line, print_table, time_cell};
use super::pages::read_all;
use super::progress::Progress;
use super::values::project;
use crate::api::csv::{csv_header, csv_rows};
use crate::api::security::SecurityUpdateView;

/// How many sites are recounted at once.
const RECOUNTED: usize = 100;

const RECOUNT_HELP: &str = "\
Acceptances whose time is up are ended first, and what an import has left to recount is recounted. With --check nothing
else is changed; the exit code is 1 where a site's figures are not those of its modules.";

#[derive(Subcommand)]
pub(super) enum SecurityCommand {
    /// List what needs a security update: a line for each site and project
    List(ListArgs),
    /// Recount the security figures of all sites from their modules
    #[command(after_help = RECOUNT_HELP)]
    Recount(RecountArgs),
}

#[derive(Args)]
#[command(group = ArgGroup::new("form").args(["json", "csv"]))]
pub(super) struct ListArgs {
    /// What needs a security update (insecure), what nobody publishes them for any more (unsupported), what could not be
    /// judged (unknown), or all of these
    #[arg(long, value_name = "CLASS", default_value = "insecure", value_parser = ["insecure", "unsupported", "unknown", "all"])]
    status: String,
    /// Of this site only
    #[arg(long, value_name = "ID")]
    site: Option<SiteId>,
    /// Of this project only
    #[arg(long, value_name = "NAME", value_parser = project)]
    project: Option<ProjectName>,
    /// Of sites with this tag only
    #[arg(long, value_name = "TAG", value_parser = Tag::parse)]
    tag: Option<Tag>,
    /// Also where only disabled modules need one
    #[arg(long)]
    include_disabled: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Print CSV instead of a table
    #[arg(long)]
    csv: bool,
}

#[derive(Args)]
pub(super) struct RecountArgs {
    /// Only say what is wrong
    #[arg(long)]
    check: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: SecurityCommand, database: &DatabaseArgs) -> anyhow::Result<()> {
    let storage = database.open().await?;
    match command {
        SecurityCommand::List(args) => list(args, storage.as_ref()).await,
        SecurityCommand::Recount(args) => recount(args, storage).await,
    }
}

async fn list(args: ListArgs, storage: &dyn Storage) -> anyhow::Result<()> {
    let ListArgs { status, site, project, tag, include_disabled, json, csv } = args;
    // `all` is no class.
    let class = CoverageClass::from_name(&status);
    let about = TotalsFilter { site_id: site, tag: tag.clone(), inactive: true };
    let filter = SecurityFilter { class, site_id: site, project, tag, include_disabled };
    let read = async |page| storage.security_updates(filter.clone(), page).await;
    let position = |update: &SecurityUpdate| (update.site_id, update.place());
    let found = read_all(read, position).await?.into_iter().map(SecurityUpdateView::from);
    if json {
        return print_json(&found.collect::<Vec<_>>());
    }
    if csv {
        return print_bytes(&[csv_header::<SecurityUpdateView>()?, csv_rows(found)?].concat());
    }
    if found.len() == 0 {
        return print_line(&nothing(&storage.security_totals(about).await?));
    }
    let rows = found.map(|update| {
        let fixes = update.fixes();
        let since = time_cell(update.insecure_since);
        let accepted = update.accepted.map(|risk| format!("accepted until {}", time_cell(Some(risk.until))));
        let note = accepted.or(update.unknown_reason.map(|reason| format!("unknown: {reason}")));
        [
            update.site_name,
            update.project.unwrap_or_default(),
            update.version.unwrap_or_default(),
            update.recommended.unwrap_or_default(),
            update.status.map(UpdateStatus::as_str).unwrap_or_default().to_owned(),
            fixes,
            since,
            note.unwrap_or_default(),
        ]
    });
    print_table(["SITE", "PROJECT", "VERSION", "RECOMMENDED", "STATUS", "FIXED IN", "SINCE", "NOTES"], rows)
}

/// A site whose figures were not right, in a listing.
#[derive(Serialize)]
struct Difference {
    site_id: i64,
    site_name: String,
    stored: Figures,
    counted: Figures,
    /// Projects that were taken for insecure or fixed without being it.
    findings: i64,
}

#[derive(Serialize)]
struct Figures {
    security_updates_found: i32,
    security_projects: i32,
    security_unsupported: i32,
    security_unknown: i32,
}

impl From<SecurityCounts> for Figures {
    fn from(counts: SecurityCounts) -> Self {
        Self {
            security_updates_found: counts.updates_found,
            security_projects: counts.projects,
            security_unsupported: counts.unsupported,
            security_unknown: counts.unknown,
        }
    }
}

impl From<RecountDifference> for Difference {
    fn from(difference: RecountDifference) -> Self {
        Self {
            site_id: difference.site_id.0,
            site_name: difference.site_name,
            stored: difference.stored.into(),
            counted: difference.counted.into(),
            findings: difference.findings,
        }
    }
}

impl Figures {
    fn line(&self) -> String {
        let Self { security_updates_found, security_projects, security_unsupported, security_unknown } = self;
        format!(
            "{security_updates_found} in {security_projects}, {security_unsupported} unsupported, {security_unknown} unknown"
        )
    }
}

/// What an empty list says: nothing, and how much it could not have said.
fn nothing(totals: &SecurityTotals) -> String {
    match totals.security.unknown {
        0 => "There is nothing of that kind, and everything in use could be judged.".to_owned(),
        unknown => format!(
            "There is nothing of that kind, but {} on {} could not be judged: \
             `module-monitor security list --status unknown` says which.",
            count_of(unknown, "extension"),
            count_of(totals.sites_with_unknown, "site")
        ),
    }
}

async fn recount(args: RecountArgs, storage: Arc<dyn Storage>) -> anyhow::Result<()> {
    let (sites, differences) = compare_all(storage, args.check).await?;
    let wrong = differences.len();
    if args.json {
        print_json(&differences)?;
    } else if wrong > 0 {
        let rows = differences.into_iter().map(|difference| {
            let (stored, counted) = (difference.stored.line(), difference.counted.line());
            [difference.site_id.to_string(), difference.site_name, stored, counted, difference.findings.to_string()]
        });
        print_table(["SITE ID", "SITE", "STORED", "COUNTED", "FINDINGS"], rows)?;
    }
    if args.check && wrong > 0 {
        anyhow::bail!(
            "the figures of {wrong} of {sites} sites are wrong; `module-monitor security recount` repairs them"
        );
    }
    if args.json {
        return Ok(());
    }
    print_line(&match (args.check, wrong) {
        (true, _) => format!("Sites compared: {sites}. All figures are right."),
        (false, 0) => format!("Sites recounted: {sites}. All figures were right."),
        (false, _) => format!("Sites recounted: {sites}. Wrong before: {wrong}."),
    })
}

/// Finishes what is known to be left to do, and compares every site. Says how many sites there are, and which differed.
async fn compare_all(storage: Arc<dyn Storage>, only_check: bool) -> Result<(usize, Vec<Difference>), StorageError> {
    let service = ReleaseService::new(Arc::clone(&storage), Arc::new(SystemClock));
    service.maintain().await?;
    let progress = Progress::open_ended(if only_check { "sites compared" } else { "sites recounted" });
    let (mut sites, mut found, mut after) = (0, Vec::new(), None);
    loop {
        let page = Page { limit: RECOUNTED, after };
        let compared = match only_check {
            true => storage.recount_check(page).await?,
            false => storage.recount_all(SystemClock.now(), page).await?,
        };
        sites += compared.sites;
        found.extend(compared.differences.into_iter().map(Difference::from));
        progress.reach(sites);
        after = compared.next;
        if after.is_none() {
            return Ok((sites, found));
        }
    }
}

//! `module-monitor queue`.

use std::time::Duration;

use clap::{Args, Subcommand};
use module_monitor_domain::SyncId;
use module_monitor_ingestion::{Clock, SystemClock};
use module_monitor_storage::{JobState, Storage};

use super::database::DatabaseArgs;
use super::output::{print_json, print_line, print_table, time_cell};
use super::pages::read_all;
use crate::admin::COMMAND_LINE;
use crate::api::queue::{AttemptView, DeadLetterItem, DeadLetterView, QueueView, Settled};

/// How much of an error a table shows, in characters; `show` and --json have all of it.
const ERROR_SHOWN: usize = 80;

/// What belongs to `queue --help`.
pub(super) const ABOUT: &str = "\
Large reports, and those sent with `Prefer: respond-async`, are stored as jobs, and workers
apply them: those of `module-monitor serve` and of `module-monitor worker`. A job that fails
at every attempt becomes a dead letter and stays until somebody retries or discards it.

Examples:
  module-monitor queue status               is anything waiting, and is anybody at work?
  module-monitor queue dead-letters         what could not be applied, newest first
  module-monitor queue show sync_0198c5f…   why not; with --json also the report itself
  module-monitor queue retry sync_0198c5f…  once the cause is gone";

#[derive(Subcommand)]
pub(super) enum QueueCommand {
    /// Show how many jobs wait, how long the oldest has, and who is at work
    Status(Format),
    /// List the jobs that could not be applied, newest first
    DeadLetters(Format),
    /// Show a dead letter, with the error of every attempt
    Show(One),
    /// Put a dead letter back into the queue; if the site has sent newer reports, it ends as superseded
    Retry(One),
    /// Give a dead letter up for good; only the audit log keeps that it was there
    Discard(One),
}

#[derive(Args)]
pub(super) struct Format {
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct One {
    /// The id of the sync, as `queue dead-letters` shows it
    id: SyncId,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(command: QueueCommand, database: &DatabaseArgs) -> anyhow::Result<()> {
    let storage = database.open().await?;
    let storage = storage.as_ref();
    match command {
        QueueCommand::Status(format) => status(storage, format.json).await,
        QueueCommand::DeadLetters(format) => dead_letters(storage, format.json).await,
        QueueCommand::Show(one) => show(storage, one.id, one.format.json).await,
        QueueCommand::Retry(one) => retry(storage, one.id, one.format.json).await,
        QueueCommand::Discard(one) => discard(storage, one.id, one.format.json).await,
    }
}

async fn status(storage: &dyn Storage, json: bool) -> anyhow::Result<()> {
    let queue = QueueView::read(storage, SystemClock.now()).await?;
    if json {
        return print_json(&queue);
    }
    // Whole seconds are what people read.
    let age = Duration::from_secs(queue.oldest_seconds as u64);
    let oldest = queue.oldest_at.map_or("-".to_owned(), |_| humantime::format_duration(age).to_string());
    let rows = [
        ("Queued", queue.queued.to_string(), "wait for a worker"),
        ("  of these retrying", queue.retrying.to_string(), "failed, and wait for their next attempt"),
        ("Running", queue.running.to_string(), "a worker is at them"),
        ("Oldest", oldest, "how long it has waited"),
        ("Payload bytes", queue.bytes.to_string(), "of what waits and runs, compressed"),
        ("Dead letters", queue.dead_letters.to_string(), "see `module-monitor queue dead-letters`"),
        ("Failed attempts", queue.failed_attempts.to_string(), "of all jobs in the audit log"),
        ("Lease reclaims", queue.lease_reclaims.to_string(), "attempts whose worker died or was cut off"),
        ("Workers", queue.workers.to_string(), "processes that take jobs"),
    ];
    print_table(["QUEUE", "", ""], rows.map(|(name, figure, meaning)| [name.to_owned(), figure, meaning.to_owned()]))
}

async fn dead_letters(storage: &dyn Storage, json: bool) -> anyhow::Result<()> {
    let items: Vec<DeadLetterItem> = read_all(async |page| storage.dead_letters(page).await, |job| job.id.0)
        .await?
        .into_iter()
        .map(DeadLetterItem::from)
        .collect();
    if json {
        return print_json(&items);
    }
    let rows = items.into_iter().map(|item| {
        let attempts = item.attempts.to_string();
        let error = item.last_error.as_deref().map(one_line).unwrap_or_default();
        [
            item.sync_id,
            item.site_id.to_string(),
            time_cell(item.dead_at),
            attempts,
            item.reason.unwrap_or_default(),
            error,
        ]
    });
    print_table(["ID", "SITE", "DEAD SINCE", "ATTEMPTS", "REASON", "LAST ERROR"], rows)
}

async fn show(storage: &dyn Storage, id: SyncId, json: bool) -> anyhow::Result<()> {
    let letter = DeadLetterView::find(storage, id).await?.ok_or_else(no_such_dead_letter)?;
    if json {
        return print_json(&letter);
    }
    let DeadLetterView { item, errors, payload } = letter;
    let report = match payload {
        Some(json) => format!("{} bytes of JSON; --json shows them", json.get().len()),
        None => "cannot be read".to_owned(),
    };
    let sent = format!("{} from {}", time_cell(Some(item.received_at)), item.client_address.unwrap_or_default());
    let lines = [
        ("Sync", item.sync_id),
        ("Site", item.site_id.to_string()),
        ("Reason", item.reason.unwrap_or_default()),
        ("Report", format!("{}, made {}, {report}", item.sync_type, time_cell(Some(item.sync_timestamp)))),
        ("Received", format!("{sent}, key {}", item.key_id.unwrap_or_default())),
        ("Dead since", time_cell(item.dead_at)),
        ("Attempts", item.attempts.to_string()),
    ];
    for (name, value) in lines {
        print_line(&format!("{name:<12}{value}"))?;
    }
    print_line("")?;
    let rows = errors.into_iter().map(|AttemptView { attempt, at, worker, lost, error }| {
        let outcome = if lost { "worker lost" } else { "failed" };
        [attempt.to_string(), time_cell(Some(at)), worker.unwrap_or_default(), outcome.to_owned(), error]
    });
    print_table(["ATTEMPT", "AT", "WORKER", "OUTCOME", "ERROR"], rows)
}

async fn retry(storage: &dyn Storage, id: SyncId, json: bool) -> anyhow::Result<()> {
    let became = storage.retry_dead_letter(id, SystemClock.now(), COMMAND_LINE).await?;
    let became = became.ok_or_else(no_such_dead_letter)?;
    if json {
        return print_json(&Settled::new(id, became));
    }
    match became {
        JobState::Superseded => print_line(&format!(
            "{id} is not applied any more: the site has sent a newer report since. It is out of the dead letters."
        )),
        _ => print_line(&format!("{id} is in the queue again; a worker takes it within seconds.")),
    }
}

async fn discard(storage: &dyn Storage, id: SyncId, json: bool) -> anyhow::Result<()> {
    if !storage.discard_dead_letter(id, SystemClock.now(), COMMAND_LINE).await? {
        return Err(no_such_dead_letter());
    }
    if json {
        return print_json(&Settled::new(id, JobState::Failed));
    }
    print_line(&format!("{id} is discarded."))
}

fn no_such_dead_letter() -> anyhow::Error {
    anyhow::anyhow!("there is no dead letter with that id; `module-monitor queue dead-letters` shows the ids")
}

/// The beginning of an error, for a table.
fn one_line(error: &str) -> String {
    let mut shown: String = error.chars().take(ERROR_SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if shown.len() < error.len() {
        shown.push('…');
    }
    shown
}

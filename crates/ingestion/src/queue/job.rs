//! One job in the hands of a worker.

use std::any::Any;
use std::sync::Arc;

use module_monitor_domain::{Refusal, SiteId, SyncId, SyncOutcome, next_sync_after};
use module_monitor_storage::{ClaimedJob, StorageError, SyncCommand, SyncResult, Via};
use time::OffsetDateTime;
use tokio::task::{JoinError, spawn_blocking};

use super::payload::unpack;
use crate::{Chain, Clock, Handling, SyncRequest, SyncService};

/// The longest text of an error that is kept.
const MAX_ERROR: usize = 4_000;

/// What happened to a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobEvent {
    /// The sync.
    pub id: SyncId,
    /// Its site.
    pub site: SiteId,
    /// What.
    pub kind: JobEventKind,
}

/// What may happen to a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobEventKind {
    /// It has been applied.
    Applied(Box<SyncOutcome>),
    /// It has been refused for good.
    Refused(Refusal),
    /// Its site is not active; it waits until it is.
    Held,
    /// An attempt has failed; the next one begins at that time.
    Retried(OffsetDateTime),
    /// It is dead.
    Dead,
    /// Taken from a worker that was lost; more follows.
    Reclaimed,
    /// Given back because the worker stops.
    HandedBack,
    /// Somebody else has it: the lease was not renewed in time, or the site has been deleted.
    LeaseLost,
}

/// Hears of everything that a worker does.
pub trait QueueObserver: Send + Sync {
    /// Called once for each event, after it is in the database. Must not block.
    fn observe(&self, event: &JobEvent);

    /// Called when the queue cannot be used; `true` where that is in the log already.
    fn trouble(&self, _error: &StorageError) -> bool {
        false
    }
}

/// Why an attempt has failed.
pub(super) enum Failure {
    /// The next one may go better.
    Passing(String),
    /// No attempt will go better.
    Lasting(String, &'static str),
}

impl Failure {
    fn of(error: &StorageError) -> Self {
        let text = shorten(Chain(error).to_string());
        match error {
            StorageError::Corrupt { .. } => Self::Lasting(text, "corrupt-data"),
            StorageError::Duplicate(_) => Self::Lasting(text, "duplicate"),
            _ => Self::Passing(text),
        }
    }

    /// An attempt that panicked.
    pub(super) fn panic(error: JoinError) -> Self {
        let text = error.try_into_panic().map_or_else(
            |error| error.to_string(),
            |payload| format!("it panicked: {}", panic_text(payload.as_ref()).unwrap_or("without a text")),
        );
        Self::Passing(shorten(text))
    }
}

fn panic_text(payload: &(dyn Any + Send)) -> Option<&str> {
    payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

/// Reads and applies a job. The job is ended in the transaction that applies or refuses it.
pub(super) async fn apply(service: SyncService, clock: Arc<dyn Clock>, job: ClaimedJob) -> Result<SyncResult, Failure> {
    let ClaimedJob { lease, origin, lenient, received_at, payload, .. } = job;
    let handling = if lenient { Handling::Lenient } else { Handling::Strict };
    let reading = spawn_blocking(move || read(&payload, handling)).await;
    let request = reading.map_err(Failure::panic)??;
    let now = clock.now();
    let waited = (now - received_at).try_into().unwrap_or_default();
    let instant = clock.instant();
    let command = SyncCommand {
        sync_id: lease.id,
        site_id: lease.site_id,
        origin,
        // Stored with the job.
        idempotency: None,
        report: request.report,
        received_at,
        received: instant.checked_sub(waited).unwrap_or(instant),
        next_sync_after: next_sync_after(lease.site_id, now),
        via: Via::Queue { lease, now },
    };
    service.apply(&Arc::new(command)).await.map_err(|error| Failure::of(&error))
}

fn read(payload: &[u8], handling: Handling) -> Result<SyncRequest, Failure> {
    let unreadable = |text| Failure::Lasting(shorten(text), "unreadable");
    let body = unpack(payload).map_err(|error| unreadable(format!("the stored body cannot be unpacked: {error}")))?;
    SyncRequest::from_json(&body, handling)
        .map_err(|error| unreadable(format!("the stored body cannot be read: {error}")))
}

/// A text that every database takes, cut where it is too long.
fn shorten(mut text: String) -> String {
    let cut = (0..=MAX_ERROR.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.truncate(cut);
    // PostgreSQL has no text with this character.
    text.replace('\0', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_attempt_that_failed_and_says_why() {
        for (task, expected) in [
            (tokio::spawn(async { panic!("no {}", "more") }), "it panicked: no more"),
            (tokio::spawn(async { std::panic::panic_any(7) }), "it panicked: without a text"),
        ] {
            let Failure::Passing(text) = Failure::panic(task.await.unwrap_err()) else { panic!("it may go better") };
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn errors_have_a_length_that_can_be_kept() {
        let long = shorten("é".repeat(MAX_ERROR));
        assert!(long.len() <= MAX_ERROR && long.len() > MAX_ERROR - 4);
        assert_eq!(shorten("a\0b".to_owned()), "ab");
    }

    #[test]
    fn what_was_not_stored_by_us_cannot_be_read() {
        for payload in [&b""[..], b"{}", &super::super::payload::pack(b"{}").unwrap()] {
            let Err(Failure::Lasting(text, "unreadable")) = read(payload, Handling::Strict) else { panic!("read") };
            assert!(text.starts_with("the stored body cannot be "), "{text}");
        }
    }
}

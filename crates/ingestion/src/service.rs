//! Applying a report.

use std::io;
use std::sync::Arc;
use std::time::Duration as StdDuration;

use module_monitor_domain::{Refusal, Reported, SiteId, SyncId, next_sync_after};
use module_monitor_storage::{GlancedReport, Storage, StorageError, SyncCommand, SyncOrigin, SyncResult, Via};
use time::{Duration, OffsetDateTime};

use crate::retry::{retried, stored_once, worth_repeating};
use crate::{Clock, FieldError, SyncRequest, SyncResponse, uuid_at};

/// How far a site's clock may run ahead of ours.
const FUTURE_TOLERANCE: Duration = Duration::minutes(10);

/// How long a report that another transaction is in the way of is tried again. One that took longer has waited for a
/// lock or a busy file already, with a connection in its hands that others may need.
const RETRY_FOR: StdDuration = StdDuration::from_secs(2);

/// Why a report was not applied. Nothing of it was stored.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The report contradicts the server: here, a time stamp from the future.
    #[error("the report is not valid")]
    Invalid(Vec<FieldError>),
    /// The site may not report this, or not now.
    #[error("the report was refused")]
    Refused(Refusal),
    /// The site has reports in the queue, and this one must join them: use [`crate::queue::Queue`].
    #[error("the site has reports in the queue, and this one must join them")]
    MustQueue,
    /// There is no room in the queue.
    #[error("the queue is full")]
    QueueFull,
    /// The body could not be prepared for the queue.
    #[error("the report could not be compressed")]
    Payload(#[source] io::Error),
    /// The database did not do it, even when asked again.
    #[error("the report could not be stored")]
    Storage(#[from] StorageError),
}

/// What became of a report that was accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct Synced {
    /// What to tell the site.
    pub response: SyncResponse,
    /// It had been applied before, under the same idempotency key.
    pub replayed: bool,
}

/// Applies reports to a storage. Cheap to clone; all clones work on the same storage.
#[derive(Clone)]
pub struct SyncService {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
}

impl SyncService {
    /// A service that stores in `storage` and takes the time from `clock`.
    pub fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>) -> Self {
        Self { storage, clock }
    }

    /// Applies `request` as the newest report of `site`, in one transaction. Transient failures of the database are
    /// tried again, six times with growing pauses that add up to two seconds; whatever else happens is returned once. Sending the same report again is safe.
    pub async fn sync(&self, site: SiteId, request: SyncRequest, origin: SyncOrigin) -> Result<Synced, SyncError> {
        let command = Arc::new(self.command(site, request, origin)?);
        match self.apply(&command).await? {
            SyncResult::Applied(outcome) => Ok(Synced { response: outcome.into(), replayed: false }),
            SyncResult::Replayed(outcome) => Ok(Synced { response: outcome.into(), replayed: true }),
            SyncResult::Refused(refusal) => Err(SyncError::Refused(refusal)),
            SyncResult::Waiting(_) | SyncResult::MustQueue | SyncResult::LeaseLost => Err(SyncError::MustQueue),
        }
    }

    /// Applies a report whose modules nobody has read, where they are those of the last one and nothing else asks for a
    /// closer look. `None`, with nothing stored: read all of it, and use [`SyncService::sync`], which says more.
    pub async fn sync_glanced(
        &self,
        site: SiteId,
        request: SyncRequest<GlancedReport>,
        origin: SyncOrigin,
    ) -> Result<Option<SyncResponse>, SyncError> {
        let Ok(command) = self.command(site, request, origin) else { return Ok(None) };
        let command = Arc::new(command);
        let store = || self.storage.apply_glanced(Arc::clone(&command));
        let find = async || {
            let applied = self.storage.find_sync(command.sync_id).await?;
            Ok(applied.map(|applied| Some(applied.outcome)))
        };
        let outcome = stored_once(store, find, self.again()).await?;
        Ok(outcome.map(SyncResponse::from))
    }

    /// What `request` is to the storage; fails where it comes from the future.
    pub(crate) fn command<R: Reported>(
        &self,
        site: SiteId,
        request: SyncRequest<R>,
        origin: SyncOrigin,
    ) -> Result<SyncCommand<R>, SyncError> {
        let received = self.clock.instant();
        let received_at = self.clock.now();
        if request.report.head().sync_timestamp > received_at + FUTURE_TOLERANCE {
            return Err(SyncError::Invalid(vec![from_the_future(received_at)]));
        }
        Ok(SyncCommand {
            sync_id: SyncId(uuid_at(received_at)),
            site_id: site,
            origin,
            idempotency: request.idempotency,
            report: request.report,
            received_at,
            received,
            next_sync_after: next_sync_after(site, received_at),
            via: Via::Direct,
        })
    }

    /// Applies `command`, and tries again what failed for a transient reason.
    pub(crate) async fn apply(&self, command: &Arc<SyncCommand>) -> Result<SyncResult, StorageError> {
        let store = || self.storage.apply_sync(Arc::clone(command));
        // What has been applied is in the audit log.
        let find = async || {
            let applied = self.storage.find_sync(command.sync_id).await?;
            Ok(applied.map(|applied| SyncResult::Applied(applied.outcome)))
        };
        stored_once(store, find, self.again()).await
    }

    /// Runs what is safe to repeat until it fails for no transient reason.
    pub(crate) async fn retried<T, F>(&self, attempt: impl FnMut() -> F) -> Result<T, StorageError>
    where
        F: Future<Output = Result<T, StorageError>>,
    {
        retried(attempt, self.again()).await
    }

    fn again(&self) -> impl Fn(&StorageError) -> bool {
        let started = self.clock.instant();
        move |error| match error {
            StorageError::Contention(_) => self.clock.instant().duration_since(started) < RETRY_FOR,
            error => worth_repeating(error),
        }
    }
}

fn from_the_future(received_at: OffsetDateTime) -> FieldError {
    FieldError {
        pointer: "/sync_timestamp".to_owned(),
        code: "in-the-future".to_owned(),
        detail: format!(
            "sync_timestamp is more than 10 minutes ahead of the server's clock, which says {received_at}; check the site's clock and its time zone"
        ),
    }
}

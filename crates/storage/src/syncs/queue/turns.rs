//! Whose turn it is: taking jobs, leaving them, and what keeps a sync from being applied as it comes.

use module_monitor_domain::{Decision, Refusal, SiteId, SyncId, WebhookEvent};
use time::OffsetDateTime;

use super::queries::Ending;
use super::reads::{find_job, head, lock_site};
use super::rows::{ClaimedRow, HeadRow};
use super::{Claim, Claimant, Departure, JobState, queries};
use crate::engine::error::StorageError;
use crate::engine::transaction::{Transaction, Unit};
use crate::outbox;
use crate::sites::rows::SiteIdRow;
use crate::syncs::command::{JobLease, SyncCommand, Via};
use crate::syncs::result::SyncResult;

const ATTEMPTS_USED_UP: &str = "attempts-used-up";

const LEASE_LOST: &str = "the worker lost its lease without a word: it was killed, or cut off from the database";

/// Why a job ended without being applied.
pub(super) const NEWER_REPORT: &str = "newer-report-applied";

/// What keeps a sync from being applied as it comes, once its site is locked; a job that is not applied ends here. `waits`: what
/// the site sends has to wait, because other reports of it do, or because it has changed too much lately.
pub(crate) async fn pass<T: Transaction>(
    transaction: &mut T,
    command: &SyncCommand,
    waits: bool,
    decision: &Decision,
) -> Result<Option<SyncResult>, StorageError> {
    let refusal = match decision {
        Decision::Refuse(refusal) => Some(SyncResult::Refused(refusal.clone())),
        Decision::Unchanged | Decision::Compare => None,
    };
    match command.via {
        Via::Direct | Via::DirectIfUnchanged if refusal.is_some() => Ok(refusal),
        Via::Direct | Via::DirectIfUnchanged if waits => Ok(Some(SyncResult::MustQueue)),
        Via::DirectIfUnchanged if *decision == Decision::Compare => Ok(Some(SyncResult::MustQueue)),
        Via::Direct | Via::DirectIfUnchanged => Ok(None),
        Via::Queue { lease, now } => {
            let ending = match &refusal {
                Some(SyncResult::Refused(refusal)) => ending_of(transaction, lease, refusal, now).await?,
                _ => Ending { state: JobState::Succeeded, reason: None, due_at: now, uncounted: false },
            };
            let ended = end_lease(transaction, lease, ending, now).await?;
            Ok(if ended { refusal } else { Some(SyncResult::LeaseLost) })
        }
    }
}

/// What becomes of a job whose report is refused.
async fn ending_of<T: Transaction>(
    transaction: &mut T,
    lease: JobLease,
    refusal: &Refusal,
    now: OffsetDateTime,
) -> Result<Ending, StorageError> {
    let (state, reason) = match refusal {
        // Held until the site is active again.
        Refusal::InactiveSite => (JobState::Queued, None),
        Refusal::Stale { .. } if find_job(transaction, lease.id).await?.is_some_and(|job| job.retried) => {
            (JobState::Superseded, Some(NEWER_REPORT))
        }
        refusal => (JobState::Failed, Some(refusal.code())),
    };
    Ok(Ending { state, reason, due_at: now, uncounted: state == JobState::Queued })
}

/// Ends a lease, and with it what an applied job takes the place of; recounts the site's jobs, and tells whoever wants to
/// know. `false` where the lease is another by now, or nobody's.
async fn end_lease<T: Transaction>(
    transaction: &mut T,
    lease: JobLease,
    ending: Ending,
    now: OffsetDateTime,
) -> Result<bool, StorageError> {
    let (state, reason) = (ending.state, ending.reason);
    if transaction.execute(queries::end_lease(lease, ending, now)).await? == 0 {
        return Ok(false);
    }
    if state == JobState::Succeeded {
        transaction.execute(queries::supersede_jobs(lease, now)).await?;
    }
    transaction.execute(queries::recount_jobs(lease.site_id)).await?;
    tell(transaction, lease.site_id, lease.id, state, reason, now).await?;
    Ok(true)
}

/// Tells of a job that has failed or is dead.
async fn tell<T: Transaction>(
    transaction: &mut T,
    site: SiteId,
    id: SyncId,
    state: JobState,
    reason: Option<&str>,
    now: OffsetDateTime,
) -> Result<(), StorageError> {
    let kind = match state {
        JobState::Failed => WebhookEvent::SyncFailed,
        JobState::Dead => WebhookEvent::QueueDeadLetter,
        _ => return Ok(()),
    };
    let data = outbox::job_ended(id, reason.unwrap_or_default());
    transaction.execute(outbox::record(kind, site, now, data)).await.map(drop)
}

/// Takes a job of the site that has one due longest.
pub(super) struct TakeNext(pub(super) Claimant);

impl Unit for TakeNext {
    type Output = Claim;

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<Claim, StorageError> {
        let Self(claimant) = self;
        let now = claimant.now;
        let found = transaction.rows::<SiteIdRow>(queries::lock_claimable(now)).await?.pop();
        let Some(site) = found.map(SiteId::from) else { return Ok(Claim::Nothing) };
        let Some(mut next) = head(transaction, site, now).await? else { return Ok(Claim::Nothing) };
        if let Some(lost) = next.lease() {
            transaction.execute(queries::insert_job_error(lost, true, LEASE_LOST, now)).await?;
            if next.attempts < claimant.max_attempts {
                next = put_back(transaction, lost, now).await?;
            }
        }
        if next.attempts >= claimant.max_attempts {
            transaction.execute(queries::end_expired_job(next.seq, JobState::Dead, ATTEMPTS_USED_UP, now)).await?;
            transaction.execute(queries::recount_jobs(site)).await?;
            tell(transaction, site, next.id(), JobState::Dead, Some(ATTEMPTS_USED_UP), now).await?;
            return Ok(Claim::Dead(next.id(), site));
        }
        let taken = transaction.rows::<ClaimedRow>(queries::start_job(next.seq, &claimant)).await?.pop();
        let taken = taken.ok_or_else(|| StorageError::corrupt("head of a queue", next.seq))?;
        Ok(Claim::Job(Box::new(taken.claimed())))
    }
}

/// Puts a job whose worker was lost back into the queue, and looks whose turn it is: a newer one that covers goes first.
async fn put_back<T: Transaction>(
    transaction: &mut T,
    lost: JobLease,
    now: OffsetDateTime,
) -> Result<HeadRow, StorageError> {
    let queued = Ending { state: JobState::Queued, reason: None, due_at: now, uncounted: false };
    transaction.execute(queries::end_lease(lost, queued, now)).await?;
    head(transaction, lost.site_id, now).await?.ok_or_else(|| StorageError::corrupt("queue of a site", lost.site_id))
}

/// Ends a worker's lease of a job that it has not applied.
pub(super) struct Leave {
    pub(super) lease: JobLease,
    pub(super) departure: Departure,
    pub(super) now: OffsetDateTime,
}

impl Unit for Leave {
    type Output = Option<JobState>;

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<Option<JobState>, StorageError> {
        let Self { lease, departure, now } = self;
        if lock_site(transaction, lease.site_id).await?.is_none() {
            return Ok(None);
        }
        let ending = |state, reason, due_at| Ending { state, reason, due_at, uncounted: false };
        let (ending, error) = match departure {
            Departure::GiveUp { error, reason } => (ending(JobState::Dead, Some(reason), now), Some(error)),
            Departure::Retry { error, due_at } => (ending(JobState::Queued, None, due_at), Some(error)),
            Departure::HandBack => (Ending { uncounted: true, ..ending(JobState::Queued, None, now) }, None),
        };
        let state = ending.state;
        // Before the lease ends, because it says whose attempt it was.
        if let Some(error) = error {
            transaction.execute(queries::insert_job_error(lease, false, &error, now)).await?;
        }
        let left = end_lease(transaction, lease, ending, now).await?;
        Ok(left.then_some(state))
    }
}

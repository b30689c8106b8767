//! What happens to jobs, each in one transaction that holds the lock on the site's row.

use module_monitor_domain::{Decision, Refusal, SiteId, SyncId, decide};
use time::OffsetDateTime;

use super::queries::{self, Ending};
use super::{Claim, Claimant, Departure, Enqueued, Job, JobLease, JobState, NewJob};
use crate::rows::{AheadRow, AuditRow, ClaimedRow, HeadRow, IdempotencyRow, JobRow, LoadRow, SiteIdRow, SiteStateRow};
use crate::sql_types::{DbId, Id};
use crate::statement::sql;
use crate::transaction::{Transaction, Unit};
use crate::{AppliedSync, IdempotencyKey, StorageError, SyncCommand, SyncResult, Via, audit_queries};

pub(super) const NEWER_FULL_REPORT: &str = "newer-full-report";
const NEWER_REPORT: &str = "newer-report-applied";
const ATTEMPTS_USED_UP: &str = "attempts-used-up";
const DISCARDED: &str = "discarded";
const LEASE_LOST: &str = "the worker lost its lease without a word: it was killed, or cut off from the database";

async fn lock_site<T: Transaction>(transaction: &mut T, site: SiteId) -> Result<Option<SiteStateRow>, StorageError> {
    let rows = transaction.rows::<SiteStateRow>(sql(T::LOCK_SITE).bind::<Id, _>(DbId::from(site)));
    Ok(rows.await?.pop())
}

async fn find_job<T: Transaction>(transaction: &mut T, id: SyncId) -> Result<Option<Job>, StorageError> {
    transaction.rows::<JobRow>(queries::job(id)).await?.pop().map(Job::try_from).transpose()
}

async fn head<T: Transaction>(transaction: &mut T, site: SiteId) -> Result<Option<HeadRow>, StorageError> {
    Ok(transaction.rows::<HeadRow>(queries::queue_head(site)).await?.pop())
}

async fn ahead<T: Transaction>(transaction: &mut T, site: SiteId) -> Result<AheadRow, StorageError> {
    Ok(transaction.rows::<AheadRow>(queries::queue_ahead(site)).await?.pop().unwrap_or_default())
}

/// What the idempotency key of a sync stands for already.
pub(crate) enum Earlier {
    Applied(Box<AppliedSync>),
    Job(Box<Job>),
    AnotherBody,
}

impl From<Earlier> for SyncResult {
    fn from(earlier: Earlier) -> Self {
        match earlier {
            Earlier::Applied(sync) => Self::Replayed(sync.outcome),
            Earlier::Job(job) => Self::Waiting(job),
            Earlier::AnotherBody => Self::Refused(Refusal::IdempotencyKeyReused),
        }
    }
}

/// Looks for what came with the same idempotency key before.
pub(crate) async fn find_earlier<T: Transaction>(
    transaction: &mut T,
    command: &SyncCommand,
) -> Result<Option<Earlier>, StorageError> {
    let Some(key @ IdempotencyKey { body_hash, .. }) = &command.idempotency else { return Ok(None) };
    let rows = transaction.rows::<IdempotencyRow>(audit_queries::find_idempotency_key(command, key));
    let Some(row) = rows.await?.pop() else { return Ok(None) };
    if row.body_hash != *body_hash {
        return Ok(Some(Earlier::AnotherBody));
    }
    let id = row.sync_id();
    if let Some(applied) = transaction.rows::<AuditRow>(crate::queries::sync(id)).await?.pop() {
        return Ok(Some(Earlier::Applied(Box::new(applied.try_into()?))));
    }
    let job = find_job(transaction, id).await?;
    job.map(|job| Some(Earlier::Job(Box::new(job)))).ok_or_else(|| StorageError::corrupt("idempotency key", id))
}

/// What keeps a sync from being applied as it comes, once its site is locked; a job that is not applied ends here.
pub(crate) async fn pass<T: Transaction>(
    transaction: &mut T,
    command: &SyncCommand,
    pending_jobs: i32,
    decision: &Decision,
) -> Result<Option<SyncResult>, StorageError> {
    let refusal = match decision {
        Decision::Refuse(refusal) => Some(SyncResult::Refused(refusal.clone())),
        Decision::Unchanged | Decision::Compare => None,
    };
    match command.via {
        Via::Direct | Via::DirectIfUnchanged if refusal.is_some() => Ok(refusal),
        Via::Direct | Via::DirectIfUnchanged if pending_jobs > 0 => Ok(Some(SyncResult::MustQueue)),
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

/// Ends a lease, and recounts the site's jobs. `false` where the lease is another by now, or nobody's.
async fn end_lease<T: Transaction>(
    transaction: &mut T,
    lease: JobLease,
    ending: Ending,
    now: OffsetDateTime,
) -> Result<bool, StorageError> {
    if transaction.execute(queries::end_lease(lease, ending, now)).await? == 0 {
        return Ok(false);
    }
    transaction.execute(queries::recount_jobs(lease.site_id)).await?;
    Ok(true)
}

/// Accepts a sync into the queue, or says why not.
pub(crate) struct Enqueue(pub(crate) NewJob);

impl Unit for Enqueue {
    type Output = Enqueued;

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<Enqueued, StorageError> {
        let Self(job) = self;
        let (site_id, bounds) = (job.sync.site_id, job.bounds);
        let load = transaction.rows::<LoadRow>(queries::queue_load()).await?.pop().unwrap_or_default();
        let Some(site) = lock_site(transaction, site_id).await? else {
            return Ok(Enqueued::Refused(Refusal::UnknownSite));
        };
        // An attempt whose answer was lost may have been the one that stored it.
        if let Some(stored) = find_job(transaction, job.sync.sync_id).await? {
            return Ok(Enqueued::Accepted(stored.state));
        }
        match find_earlier(transaction, &job.sync).await? {
            Some(Earlier::Applied(sync)) => return Ok(Enqueued::Replayed(sync.outcome)),
            Some(Earlier::Job(job)) => return Ok(Enqueued::Waiting(job)),
            Some(Earlier::AnotherBody) => return Ok(Enqueued::Refused(Refusal::IdempotencyKeyReused)),
            None => {}
        }
        if let Decision::Refuse(refusal) = decide(&site.state(), &job.sync.report) {
            return Ok(Enqueued::Refused(refusal));
        }
        let made = job.sync.report.sync_timestamp();
        let ahead = if site.pending_jobs > 0 { ahead(transaction, site_id).await? } else { AheadRow::default() };
        // It would be stale when its turn comes; better its sender hears of it now.
        if let Some(last_applied) = ahead.running().filter(|running| made < *running) {
            return Ok(Enqueued::Refused(Refusal::Stale { last_applied }));
        }
        if load.jobs >= bounds.jobs
            || load.bytes.saturating_add(crate::queries::limit(job.payload.len())) > bounds.bytes
        {
            return Ok(Enqueued::Full);
        }
        store(transaction, job, ahead).await.map(Enqueued::Accepted)
    }
}

async fn store<T: Transaction>(transaction: &mut T, job: NewJob, ahead: AheadRow) -> Result<JobState, StorageError> {
    let sync = std::sync::Arc::clone(&job.sync);
    let (site, made, now) = (sync.site_id, sync.report.sync_timestamp(), sync.received_at);
    let superseded = ahead.covering().is_some_and(|covering| made < covering);
    let state = if superseded { JobState::Superseded } else { JobState::Queued };
    if sync.report.is_exact() && !superseded {
        transaction.execute(queries::supersede_jobs(site, made, now)).await?;
    }
    transaction.execute(queries::insert_job(job, state)).await?;
    transaction.execute(queries::recount_jobs(site)).await?;
    if let Some(key) = &sync.idempotency {
        transaction.execute(audit_queries::write_idempotency_key(&sync, key)).await?;
    }
    Ok(state)
}

/// Takes the job that has been due longest.
pub(crate) struct TakeNext(pub(crate) Claimant);

impl Unit for TakeNext {
    type Output = Claim;

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<Claim, StorageError> {
        let Self(claimant) = self;
        let now = claimant.now;
        let found = transaction.rows::<SiteIdRow>(queries::claimable(T::LOCK_CLAIMABLE, now)).await?.pop();
        let Some(site) = found.map(SiteId::from) else { return Ok(Claim::Nothing) };
        let Some(head) = head(transaction, site).await?.filter(|head| head.due_at() <= now) else {
            return Ok(Claim::Nothing);
        };
        let reclaimed = head.lease().is_some();
        if reclaimed {
            transaction.execute(queries::insert_job_error(head.id(), true, LEASE_LOST, now)).await?;
        }
        let ended = match head {
            HeadRow { covered: true, .. } if reclaimed => Some((JobState::Superseded, NEWER_FULL_REPORT)),
            HeadRow { attempts, .. } if attempts >= claimant.max_attempts => Some((JobState::Dead, ATTEMPTS_USED_UP)),
            _ => None,
        };
        if let Some((state, reason)) = ended {
            transaction.execute(queries::end_expired_job(head.seq, state, reason, now)).await?;
            transaction.execute(queries::recount_jobs(site)).await?;
            return Ok(Claim::Ended(head.id(), site, state));
        }
        let taken = transaction.rows::<ClaimedRow>(queries::start_job(head.seq, &claimant)).await?.pop();
        let taken = taken.ok_or_else(|| StorageError::corrupt("head of a queue", head.seq))?;
        Ok(Claim::Job(Box::new(taken.claimed(reclaimed))))
    }
}

/// Ends a worker's lease of a job that it has not applied.
pub(crate) struct Leave {
    pub(crate) lease: JobLease,
    pub(crate) departure: Departure,
    pub(crate) now: OffsetDateTime,
}

impl Unit for Leave {
    type Output = Option<JobState>;

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<Option<JobState>, StorageError> {
        let Self { lease, departure, now } = self;
        if lock_site(transaction, lease.site_id).await?.is_none() {
            return Ok(None);
        }
        let Some(head) = head(transaction, lease.site_id).await?.filter(|head| head.lease() == Some(lease)) else {
            return Ok(None);
        };
        let ending = |state, reason, due_at| Ending { state, reason, due_at, uncounted: false };
        let (ending, error) = match departure {
            Departure::GiveUp { error, reason } => (ending(JobState::Dead, Some(reason), now), Some(error)),
            Departure::Retry { error, .. } if head.covered => {
                (ending(JobState::Superseded, Some(NEWER_FULL_REPORT), now), Some(error))
            }
            Departure::HandBack if head.covered => (ending(JobState::Superseded, Some(NEWER_FULL_REPORT), now), None),
            Departure::Retry { error, due_at } => (ending(JobState::Queued, None, due_at), Some(error)),
            Departure::HandBack => (Ending { uncounted: true, ..ending(JobState::Queued, None, now) }, None),
        };
        let state = ending.state;
        // Before the lease ends, because it says whose attempt it was.
        if let Some(error) = error {
            transaction.execute(queries::insert_job_error(lease.id, false, &error, now)).await?;
        }
        let left = end_lease(transaction, lease, ending, now).await?;
        Ok(left.then_some(state))
    }
}

/// Takes a job back from the dead letters, or discards it; an administrator's doing.
pub(crate) struct DeadLetter {
    pub(crate) id: SyncId,
    pub(crate) retry: bool,
    pub(crate) actor: String,
    pub(crate) now: OffsetDateTime,
}

impl Unit for DeadLetter {
    type Output = Option<JobState>;

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<Option<JobState>, StorageError> {
        let Self { id, retry, actor, now } = self;
        let Some(job) = find_job(transaction, id).await? else { return Ok(None) };
        let Some(site) = lock_site(transaction, job.site_id).await? else { return Ok(None) };
        let ending =
            if retry { outdated(transaction, &job, &site).await? } else { Some((JobState::Failed, DISCARDED)) };
        let written = match ending {
            Some((state, reason)) => transaction.execute(queries::end_dead_job(id, state, reason, now)).await?,
            None => transaction.execute(queries::requeue_dead_job(id, now)).await?,
        };
        if written == 0 {
            return Ok(None);
        }
        transaction.execute(queries::recount_jobs(job.site_id)).await?;
        let action = if retry { "job.retried" } else { "job.discarded" };
        let detail = job.reason.as_deref();
        transaction
            .execute(audit_queries::insert_admin_event(now, &actor, action, Some(job.site_id), id, detail))
            .await?;
        Ok(Some(ending.map_or(JobState::Queued, |(state, _)| state)))
    }
}

/// Whether what a dead letter says has been said anew.
async fn outdated<T: Transaction>(
    transaction: &mut T,
    job: &Job,
    site: &SiteStateRow,
) -> Result<Option<(JobState, &'static str)>, StorageError> {
    if site.state().last_sync_timestamp.is_some_and(|applied| job.sync_timestamp < applied) {
        return Ok(Some((JobState::Superseded, NEWER_REPORT)));
    }
    let covering = ahead(transaction, job.site_id).await?.covering();
    let covered = covering.is_some_and(|covering| job.sync_timestamp < covering);
    Ok(covered.then_some((JobState::Superseded, NEWER_FULL_REPORT)))
}

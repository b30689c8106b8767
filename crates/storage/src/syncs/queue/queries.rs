//! The statements of the queue.

use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
use module_monitor_domain::{SiteId, SyncId};
use time::OffsetDateTime;

use uuid::Uuid;

use super::{Claimant, JobState, NewJob};
use crate::engine::sql_types::{At, DbId, Id, Moment};
use crate::engine::statement::{BoxedSql, Portable, Sql, statement};
use crate::page::{Page, limit};
use crate::retention::statements::older;
use crate::syncs::command::JobLease;
use crate::syncs::rest::rests;

/// How an attempt ends.
pub(super) struct Ending {
    pub(super) state: JobState,
    pub(super) reason: Option<&'static str>,
    /// When it is due again, where it is queued.
    pub(super) due_at: OffsetDateTime,
    /// This attempt does not count.
    pub(super) uncounted: bool,
}

/// What is not waiting has ended now.
fn finished(state: JobState, now: OffsetDateTime) -> Option<At> {
    state.is_final().then_some(At(now))
}

/// Dead letters keep their payload, because they may be retried.
fn drops_payload(state: JobState) -> bool {
    state.is_final() && state != JobState::Dead
}

pub(super) fn insert_job(job: NewJob) -> Sql<impl Portable> {
    let (sync, report) = (&job.sync, &job.sync.report);
    let bytes = limit(job.payload.len());
    statement!("insert_job")
        .bind::<Id, _>(DbId::from(sync.sync_id))
        .bind::<BigInt, _>(sync.site_id.0)
        .bind::<Nullable<Text>, _>(sync.origin.key_id.clone())
        .bind::<Nullable<Text>, _>(sync.origin.client_address.clone())
        .bind::<Nullable<BigInt>, _>(sync.origin.body_bytes)
        .bind::<Text, _>(report.scope().as_str())
        .bind::<Bool, _>(job.lenient)
        .bind::<Bool, _>(report.is_exact())
        .bind::<Moment, _>(At(report.sync_timestamp()))
        .bind::<Moment, _>(At(sync.received_at))
        .bind::<Binary, _>(job.payload)
        .bind::<BigInt, _>(bytes)
}

/// Does nothing where the applied job does not cover.
pub(super) fn supersede_jobs(applied: JobLease, now: OffsetDateTime) -> Sql<impl Portable> {
    statement!("supersede_jobs")
        .bind::<BigInt, _>(applied.site_id.0)
        .bind::<Id, _>(DbId::from(applied.id))
        .bind::<Moment, _>(At(now))
}

pub(super) fn queue_ahead(site: SiteId) -> Sql<impl Portable> {
    statement!("queue_ahead").bind::<BigInt, _>(site.0)
}

pub(super) fn queue_load() -> Sql<impl Portable> {
    statement!("queue_load")
}

pub(super) fn recount_jobs(site: SiteId) -> Sql<impl Portable> {
    statement!("recount_jobs").bind::<BigInt, _>(site.0)
}

pub(super) fn queue_head(site: SiteId, now: OffsetDateTime) -> Sql<impl Portable> {
    statement!("queue_head").bind::<BigInt, _>(site.0).bind::<Moment, _>(At(now))
}

/// Finds a site with a job that is due, which does not have to rest, and locks it.
pub(super) fn lock_claimable(now: OffsetDateTime) -> Sql<impl Portable> {
    let (rest, wrong) = rests(now);
    statement!(pair "lock_claimable")
        .bind::<Moment, _>(At(now))
        .bind::<Moment, _>(At(rest))
        .bind::<Moment, _>(At(wrong))
}

pub(super) fn start_job(seq: i64, claimant: &Claimant) -> Sql<impl Portable + use<>> {
    statement!("start_job")
        .bind::<BigInt, _>(seq)
        .bind::<Moment, _>(At(claimant.lease_until))
        .bind::<Text, _>(claimant.worker.clone())
}

pub(super) fn end_lease(lease: JobLease, ending: Ending, now: OffsetDateTime) -> Sql<impl Portable> {
    statement!("end_lease")
        .bind::<BigInt, _>(lease.site_id.0)
        .bind::<Id, _>(DbId::from(lease.id))
        .bind::<BigInt, _>(lease.token)
        .bind::<Text, _>(ending.state.as_str())
        .bind::<Nullable<Text>, _>(ending.reason)
        .bind::<Moment, _>(At(ending.due_at))
        .bind::<Nullable<Moment>, _>(finished(ending.state, now))
        .bind::<Bool, _>(ending.uncounted)
        .bind::<Bool, _>(drops_payload(ending.state))
}

pub(super) fn end_expired_job(
    seq: i64,
    state: JobState,
    reason: &'static str,
    now: OffsetDateTime,
) -> Sql<impl Portable> {
    statement!("end_expired_job")
        .bind::<BigInt, _>(seq)
        .bind::<Text, _>(state.as_str())
        .bind::<Text, _>(reason)
        .bind::<Moment, _>(At(now))
        .bind::<Bool, _>(drops_payload(state))
}

pub(super) fn insert_job_error(
    lease: JobLease,
    lost: bool,
    message: &str,
    now: OffsetDateTime,
) -> Sql<impl Portable + use<>> {
    statement!("insert_job_error")
        .bind::<Id, _>(DbId::from(lease.id))
        .bind::<BigInt, _>(lease.token)
        .bind::<Bool, _>(lost)
        .bind::<Text, _>(message.to_owned())
        .bind::<Moment, _>(At(now))
}

pub(super) fn requeue_dead_job(id: SyncId, now: OffsetDateTime) -> Sql<impl Portable> {
    statement!("requeue_dead_job").bind::<Id, _>(DbId::from(id)).bind::<Moment, _>(At(now))
}

pub(super) fn end_dead_job(
    id: SyncId,
    state: JobState,
    reason: &'static str,
    now: OffsetDateTime,
) -> Sql<impl Portable> {
    statement!("end_dead_job")
        .bind::<Id, _>(DbId::from(id))
        .bind::<Moment, _>(At(now))
        .bind::<Text, _>(state.as_str())
        .bind::<Text, _>(reason)
}

pub(super) fn job(id: SyncId) -> Sql<impl Portable> {
    statement!("job").bind::<Id, _>(DbId::from(id))
}

pub(crate) fn site_jobs(site: SiteId, page: &Page<Uuid>) -> Sql<impl Portable + use<>> {
    statement!("site_jobs_before")
        .cut()
        .bind::<BigInt, _>(site.0)
        .bind::<Id, _>(DbId(page.after.unwrap_or(Uuid::max())))
        .bind::<BigInt, _>(page.rows())
}

pub(super) fn dead_jobs(page: &Page<Uuid>) -> Sql<impl Portable + use<>> {
    statement!("dead_jobs_before")
        .cut()
        .bind::<Id, _>(DbId(page.after.unwrap_or(Uuid::max())))
        .bind::<BigInt, _>(page.rows())
}

pub(super) fn job_errors(id: SyncId) -> Sql<impl Portable> {
    statement!("job_errors").bind::<Id, _>(DbId::from(id))
}

pub(super) fn job_payload(id: SyncId) -> Sql<impl Portable> {
    statement!("job_payload").bind::<Id, _>(DbId::from(id))
}

pub(super) fn renew_lease(lease: JobLease, until: OffsetDateTime) -> Sql<impl Portable> {
    statement!("renew_lease")
        .bind::<Id, _>(DbId::from(lease.id))
        .bind::<BigInt, _>(lease.token)
        .bind::<Moment, _>(At(until))
}

pub(super) fn bring_forward(until: OffsetDateTime, latest: OffsetDateTime) -> Sql<impl Portable> {
    statement!("bring_forward").bind::<Moment, _>(At(until)).bind::<Moment, _>(At(latest))
}

/// `alive_since`: a worker that was seen later lives.
pub(super) fn figures(now: OffsetDateTime, alive_since: OffsetDateTime) -> Sql<impl Portable> {
    statement!("queue_figures").bind::<Moment, _>(At(now)).bind::<Moment, _>(At(alive_since))
}

pub(crate) fn prune_jobs(before: OffsetDateTime, batch: usize) -> BoxedSql {
    older(statement!("prune_jobs"), before, batch)
}

pub(super) fn expire_dead_jobs(before: OffsetDateTime, batch: usize) -> Sql<impl Portable> {
    statement!("expire_dead_jobs").bind::<Moment, _>(At(before)).bind::<BigInt, _>(limit(batch))
}

pub(super) fn worker_seen(worker: &str, now: OffsetDateTime) -> Sql<impl Portable + use<>> {
    statement!("worker_seen").bind::<Text, _>(worker.to_owned()).bind::<Moment, _>(At(now))
}

/// Also forgets those that were last seen before `before`.
pub(super) fn forget_worker(worker: &str, before: OffsetDateTime) -> Sql<impl Portable + use<>> {
    statement!("worker_gone").bind::<Text, _>(worker.to_owned()).bind::<Moment, _>(At(before))
}

pub(super) fn live_workers(since: OffsetDateTime) -> Sql<impl Portable> {
    statement!("live_workers").bind::<Moment, _>(At(since))
}

/// Of a site that is removed.
pub(crate) fn cancel_site_jobs(site: SiteId, now: OffsetDateTime) -> Sql<impl Portable> {
    statement!("cancel_site_jobs").bind::<BigInt, _>(site.0).bind::<Moment, _>(At(now))
}

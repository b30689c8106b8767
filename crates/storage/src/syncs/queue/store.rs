//! The units of work of the queue.

use async_trait::async_trait;
use module_monitor_domain::SyncId;
use time::OffsetDateTime;
use uuid::Uuid;

use super::dead_letters::DeadLetter;
use super::enqueue::Enqueue;
use super::rows::{ExpiredRow, JobErrorRow, JobRow, PayloadRow, QueueFiguresRow};
use super::turns::{Leave, TakeNext};
use super::{
    Claim, Claimant, Departure, Enqueued, ExpiredLetter, Job, JobError, JobState, Jobs, NewJob, QueueFigures, queries,
};
use crate::engine::error::StorageError;
use crate::engine::read::{CountRow, all, one, part};
use crate::engine::transaction::Backend;
use crate::page::{Page, Part};
use crate::syncs::command::JobLease;

#[async_trait]
impl<B: Backend> Jobs for B {
    async fn enqueue(&self, job: NewJob) -> Result<Enqueued, StorageError> {
        self.transact(Enqueue(job)).await
    }

    async fn claim(&self, claimant: Claimant) -> Result<Claim, StorageError> {
        self.transact(TakeNext(claimant)).await
    }

    async fn renew(&self, lease: JobLease, until: OffsetDateTime) -> Result<bool, StorageError> {
        self.execute(queries::renew_lease(lease, until)).await.map(|renewed| renewed == 1)
    }

    async fn leave(
        &self,
        lease: JobLease,
        departure: Departure,
        now: OffsetDateTime,
    ) -> Result<Option<JobState>, StorageError> {
        self.transact(Leave { lease, departure, now }).await
    }

    async fn find_job(&self, id: SyncId) -> Result<Option<Job>, StorageError> {
        one::<JobRow, _>(self, queries::job(id)).await
    }

    async fn job_errors(&self, id: SyncId) -> Result<Vec<JobError>, StorageError> {
        all::<JobErrorRow, _>(self, queries::job_errors(id)).await
    }

    async fn job_payload(&self, id: SyncId) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.rows::<PayloadRow>(queries::job_payload(id)).await?.pop().map(|row| row.payload))
    }

    async fn dead_letters(&self, page: Page<Uuid>) -> Result<Part<Job>, StorageError> {
        part::<JobRow, _, _>(self, queries::dead_jobs(&page), &page).await
    }

    async fn retry_dead_letter(
        &self,
        id: SyncId,
        now: OffsetDateTime,
        actor: &str,
    ) -> Result<Option<JobState>, StorageError> {
        self.transact(DeadLetter { id, retry: true, actor: actor.to_owned(), now }).await
    }

    async fn discard_dead_letter(&self, id: SyncId, now: OffsetDateTime, actor: &str) -> Result<bool, StorageError> {
        let discarded = self.transact(DeadLetter { id, retry: false, actor: actor.to_owned(), now }).await?;
        Ok(discarded.is_some())
    }

    async fn expire_dead_letters(
        &self,
        before: OffsetDateTime,
        batch: usize,
    ) -> Result<Vec<ExpiredLetter>, StorageError> {
        let rows = self.rows::<ExpiredRow>(queries::expire_dead_jobs(before, batch)).await?;
        Ok(rows.into_iter().map(ExpiredLetter::from).collect())
    }

    async fn queue_figures(
        &self,
        now: OffsetDateTime,
        alive_since: OffsetDateTime,
    ) -> Result<QueueFigures, StorageError> {
        let row = self.rows::<QueueFiguresRow>(queries::figures(now, alive_since)).await?.pop();
        Ok(row.map(QueueFigures::from).unwrap_or_default())
    }

    async fn bring_forward(&self, until: OffsetDateTime, latest: OffsetDateTime) -> Result<usize, StorageError> {
        self.execute(queries::bring_forward(until, latest)).await
    }

    async fn worker_seen(&self, worker: &str, now: OffsetDateTime) -> Result<(), StorageError> {
        self.execute(queries::worker_seen(worker, now)).await.map(drop)
    }

    async fn worker_gone(&self, worker: &str, before: OffsetDateTime) -> Result<(), StorageError> {
        self.execute(queries::forget_worker(worker, before)).await.map(drop)
    }

    async fn live_workers(&self, since: OffsetDateTime) -> Result<usize, StorageError> {
        let count = self.rows::<CountRow>(queries::live_workers(since)).await?.pop();
        Ok(count.map_or(0, |row| usize::try_from(row.count).unwrap_or(0)))
    }
}

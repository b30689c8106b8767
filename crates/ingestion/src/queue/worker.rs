//! Taking jobs and applying them.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder, Retryable};
use module_monitor_domain::{Refusal, SiteId, SyncId};
use module_monitor_storage::{
    Claim, Claimant, ClaimedJob, Departure, JobLease, JobState, Storage, StorageError, SyncResult,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::job::{Failure, apply};
use super::{ALIVE, JobEvent, JobEventKind, QueueObserver, QueueSignals};
use crate::{Chain, Clock, SyncService};

/// No job is put off for longer, and no lease is longer, than this, also where clocks of nodes differ by minutes.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// How a worker works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerOptions {
    /// Its name: in the jobs that it is at, and in their errors. No other worker may have it.
    pub name: String,
    /// How many jobs it is at in one moment.
    pub concurrency: usize,
    /// How long a job stays its own without a heartbeat. Also how long a killed worker's job waits.
    pub lease: Duration,
    /// How often it renews that.
    pub heartbeat: Duration,
    /// How often it looks for jobs that nobody has told it about.
    pub poll: Duration,
    /// How many times a job is tried.
    pub max_attempts: i32,
    /// How long a job waits after its first failed attempt; twice as long after each further one.
    pub first_pause: Duration,
    /// How long it waits at most.
    pub longest_pause: Duration,
    /// How long jobs may go on once the worker is told to stop.
    pub grace: Duration,
}

impl WorkerOptions {
    /// What is good for most, for a worker of that name.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            concurrency: 2,
            lease: Duration::from_secs(6),
            heartbeat: Duration::from_secs(2),
            poll: Duration::from_secs(1),
            max_attempts: 5,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
            grace: Duration::from_secs(20),
        }
    }
}

/// Takes jobs from the queue and applies them, several at a time, one at a time of each site.
#[derive(Clone)]
pub struct Worker {
    service: SyncService,
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    signals: Arc<QueueSignals>,
    observer: Arc<dyn QueueObserver>,
    options: Arc<WorkerOptions>,
    /// No more time for the jobs in hand.
    time_up: CancellationToken,
}

impl Worker {
    /// A worker on the queue in `storage`.
    pub fn new(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        signals: Arc<QueueSignals>,
        observer: Arc<dyn QueueObserver>,
        options: WorkerOptions,
    ) -> Self {
        let service = SyncService::new(Arc::clone(&storage), Arc::clone(&clock));
        let options = Arc::new(options);
        Self { service, storage, clock, signals, observer, options, time_up: CancellationToken::new() }
    }

    /// Works until `stop`, then finishes the jobs in hand, hands back those that take longer than the grace period, and
    /// returns. Needs a multi-thread runtime.
    pub async fn run(self, stop: CancellationToken) {
        self.forget_me().await;
        let life = tokio::spawn(self.clone().show_life());
        let jobs = TaskTracker::new();
        self.take_jobs(&jobs, &stop).await;
        jobs.close();
        if timeout(self.options.grace, jobs.wait()).await.is_err() {
            tracing::warn!(jobs = jobs.len(), "handing back jobs that take longer than the time to stop");
            self.time_up.cancel();
            jobs.wait().await;
        }
        life.abort();
        self.forget_me().await;
    }

    /// Makes nobody wait for this worker, nor for those that were killed.
    async fn forget_me(&self) {
        let forgotten = self.storage.worker_gone(&self.options.name, self.clock.now() - 4 * ALIVE).await;
        if let Err(error) = forgotten {
            tracing::debug!(
                error = %Chain(&error),
                "the worker's sign of life could not be removed; it runs out by itself"
            );
        }
    }

    async fn take_jobs(&self, jobs: &TaskTracker, stop: &CancellationToken) {
        let slots = Arc::new(Semaphore::new(self.options.concurrency));
        let mut in_trouble = false;
        loop {
            let slot = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                slot = Arc::clone(&slots).acquire_owned() => slot,
            };
            let claim = self.claim().await;
            match &claim {
                Err(error) if self.observer.trouble(error) || in_trouble => {}
                Err(error) => tracing::warn!(error = %Chain(error), "no jobs can be taken for now"),
                Ok(_) if in_trouble => tracing::info!("jobs can be taken again"),
                _ => {}
            }
            in_trouble = claim.is_err();
            match claim {
                Ok(Claim::Job(job)) => {
                    // Whatever ended its last worker must not end another job with it, or the two would be taken
                    // together again, and again, until both are dead.
                    let others = if job.reclaimed { self.others_done(&slots, job.lease, stop).await } else { None };
                    let worker = self.clone();
                    drop(jobs.spawn(async move {
                        worker.work(*job).await;
                        drop((slot, others));
                        // The next job of the same site may begin.
                        worker.signals.ring();
                    }));
                }
                Ok(Claim::Dead(id, site)) => self.lost_for_good(id, site),
                Ok(Claim::Nothing) | Err(_) => {
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = self.signals.listen(self.options.poll) => {}
                    }
                }
            }
        }
    }

    /// Waits until nothing but the job of `lease` is in hand, and keeps it so while the permit lives. Where the lease is lost
    /// or the worker is to stop, there is no point in waiting.
    async fn others_done(
        &self,
        slots: &Arc<Semaphore>,
        lease: JobLease,
        stop: &CancellationToken,
    ) -> Option<OwnedSemaphorePermit> {
        let others = u32::try_from(self.options.concurrency).unwrap_or(u32::MAX).saturating_sub(1);
        tokio::select! {
            permit = Arc::clone(slots).acquire_many_owned(others) => permit.ok(),
            () = self.keep(lease) => None,
            () = stop.cancelled() => None,
        }
    }

    async fn claim(&self) -> Result<Claim, StorageError> {
        let now = self.clock.now();
        let claimant = Claimant {
            worker: self.options.name.clone(),
            now,
            lease_until: now + self.options.lease,
            max_attempts: self.options.max_attempts,
        };
        self.storage.claim(claimant).await
    }

    async fn work(&self, job: ClaimedJob) {
        let (lease, attempts) = (job.lease, job.attempts);
        if job.reclaimed {
            tracing::warn!(sync_id = %lease.id, attempts, "took a job from a worker that was lost");
            self.tell(lease.id, lease.site_id, JobEventKind::Reclaimed);
        }
        // A task of its own, so that a panic ends the attempt and nothing else.
        let mut attempt = tokio::spawn(apply(self.service.clone(), Arc::clone(&self.clock), job));
        let ended = tokio::select! {
            ended = &mut attempt => Some(ended),
            // The lease is kept until the attempt has ended. Whether it still held, the attempt itself finds out.
            () = self.keep(lease) => Some((&mut attempt).await),
            () = self.time_up.cancelled() => None,
        };
        let event = match ended {
            None => self.hand_back(lease, &attempt).await,
            Some(Ok(Ok(result))) => Some(of_result(result)),
            Some(Ok(Err(failure))) => self.fail(lease, attempts, failure).await,
            Some(Err(panic)) => self.fail(lease, attempts, Failure::panic(panic)).await,
        };
        if let Some(event) = event {
            self.tell(lease.id, lease.site_id, event);
        }
    }

    /// Renews a lease until it is lost.
    async fn keep(&self, lease: JobLease) {
        loop {
            sleep(self.options.heartbeat).await;
            match self.storage.renew(lease, self.clock.now() + self.options.lease).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::debug!(error = %Chain(&error), sync_id = %lease.id, "a lease was not renewed"),
            }
        }
    }

    async fn hand_back<T>(&self, lease: JobLease, attempt: &JoinHandle<T>) -> Option<JobEventKind> {
        attempt.abort();
        self.leave(lease, Departure::HandBack).await.map(|state| match state {
            Some(_) => JobEventKind::HandedBack,
            None => JobEventKind::LeaseLost,
        })
    }

    async fn fail(&self, lease: JobLease, attempts: i32, failure: Failure) -> Option<JobEventKind> {
        let last = attempts >= self.options.max_attempts;
        let due_at = self.clock.now() + self.pause_after(attempts);
        let (error, departure) = match failure {
            Failure::Lasting(error, reason) => (error.clone(), Departure::GiveUp { error, reason }),
            Failure::Passing(error) if last => (error.clone(), Departure::GiveUp { error, reason: "attempts-used-up" }),
            Failure::Passing(error) => (error.clone(), Departure::Retry { error, due_at }),
        };
        let state = self.leave(lease, departure).await?;
        tracing::warn!(
            sync_id = %lease.id, site = %lease.site_id, attempts, error,
            state = state.map(JobState::as_str), "a job has failed"
        );
        Some(match state {
            Some(JobState::Queued) => JobEventKind::Retried(due_at),
            Some(_) => JobEventKind::Dead,
            None => JobEventKind::LeaseLost,
        })
    }

    /// Grows with every attempt, and differs from job to job, so that jobs that failed together do not come back together.
    fn pause_after(&self, attempts: i32) -> Duration {
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(self.options.first_pause)
            .with_max_delay(self.options.longest_pause)
            .without_max_times()
            .with_jitter()
            .build();
        let nth = usize::try_from(attempts - 1).unwrap_or(0);
        pauses.nth(nth).unwrap_or(self.options.longest_pause)
    }

    /// Leaves a job. `None` where the database cannot be told: then the lease ends by itself, and the attempt counts.
    async fn leave(&self, lease: JobLease, departure: Departure) -> Option<Option<JobState>> {
        let attempt = async || self.storage.leave(lease, departure.clone(), self.clock.now()).await;
        let pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(50))
            .with_max_delay(self.options.heartbeat)
            .with_max_times(5)
            .with_jitter();
        let left = attempt.retry(pauses).when(StorageError::is_transient).await;
        left.inspect_err(|error| {
            tracing::warn!(error = %Chain(error), sync_id = %lease.id, "a job could not be left; its lease will end");
        })
        .ok()
    }

    fn lost_for_good(&self, id: SyncId, site: SiteId) {
        tracing::warn!(sync_id = %id, %site, "a job is dead after its attempts, the last of which lost its worker");
        self.tell(id, site, JobEventKind::Reclaimed);
        self.tell(id, site, JobEventKind::Dead);
    }

    fn tell(&self, id: SyncId, site: SiteId, kind: JobEventKind) {
        match &kind {
            JobEventKind::Applied(outcome) => tracing::info!(
                %site,
                sync_id = %id,
                processed = outcome.counts.processed,
                new = outcome.counts.new,
                updated = outcome.counts.updated,
                removed = outcome.counts.removed,
                rejected = outcome.rejected.len(),
                ms = outcome.processing_time_ms,
                "queued sync applied"
            ),
            kind => tracing::info!(%site, sync_id = %id, ?kind, "queued sync not applied"),
        }
        self.observer.observe(&JobEvent { id, site, kind });
        self.signals.finish(id);
    }

    /// Tells intake everywhere that there is somebody to wait for.
    async fn show_life(self) {
        loop {
            if let Err(error) = self.storage.worker_seen(&self.options.name, self.clock.now()).await {
                tracing::debug!(error = %Chain(&error), "the worker could not show that it lives");
            }
            self.heed_clock().await;
            sleep(ALIVE / 3).await;
        }
    }

    /// Makes nothing wait until a clock that was set back is where it has been. Whoever holds a lease renews it before it ends.
    async fn heed_clock(&self) {
        let now = self.clock.now();
        match self.storage.bring_forward(now + self.options.lease, now + LONGEST_WAIT).await {
            Ok(0) => {}
            Ok(jobs) => tracing::warn!(jobs, "jobs were put off by a clock that has been set back; they are due now"),
            Err(error) => tracing::debug!(error = %Chain(&error), "jobs were not brought forward"),
        }
    }
}

fn of_result(result: SyncResult) -> JobEventKind {
    match result {
        SyncResult::Applied(outcome) | SyncResult::Replayed(outcome) => JobEventKind::Applied(Box::new(outcome)),
        SyncResult::Refused(Refusal::InactiveSite) => JobEventKind::Held,
        SyncResult::Refused(refusal) => JobEventKind::Refused(refusal),
        SyncResult::Waiting(_) | SyncResult::MustQueue | SyncResult::LeaseLost => JobEventKind::LeaseLost,
    }
}

//! Taking syncs: at once where that is quick, else into the queue.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use module_monitor_domain::{SiteId, SyncId};
use module_monitor_storage::{
    Enqueued, GlancedReport, Job, JobState, NewJob, QueueBounds, Storage, StorageError, SyncCommand, SyncOrigin,
    SyncResult, Via,
};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

use super::payload::pack;
use super::{ALIVE, QueueSignals};
use crate::{Clock, Handling, SyncError, SyncRequest, SyncResponse, SyncService};

/// How often a job is looked at while somebody waits for it; a worker of this process reports at once.
const POLL: Duration = Duration::from_millis(200);

/// What goes to the queue, and how much may be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueOptions {
    /// Reports of more modules go there, unless they change nothing.
    pub threshold: usize,
    /// How much may wait or run at once.
    pub bounds: QueueBounds,
}

impl Default for QueueOptions {
    fn default() -> Self {
        Self { threshold: 1000, bounds: QueueBounds { jobs: 10_000, bytes: 1 << 30 } }
    }
}

/// A report as it was sent, and what was read from it.
#[derive(Debug)]
pub struct Submission {
    /// What was read.
    pub request: SyncRequest,
    /// What it was read from, for the queue.
    pub body: SentBody,
    /// How it was read.
    pub handling: Handling,
    /// Whether the sender would rather not wait for the result.
    pub respond_async: bool,
}

/// The body of a report, until it is known whether the queue needs it.
#[derive(Debug)]
pub struct SentBody(Kept);

#[derive(Debug)]
enum Kept {
    Plain(Vec<u8>),
    Packed(io::Result<Vec<u8>>),
}

impl SentBody {
    /// Above this, in bytes, a body is large: it is kept packed.
    pub const LARGE: usize = 1 << 20;

    /// Keeps a decompressed body. A large one is packed at once, so that it does not take memory while the report is
    /// applied: call it on a thread that may block.
    pub fn keep(body: Vec<u8>) -> Self {
        if body.len() <= Self::LARGE { Self(Kept::Plain(body)) } else { Self(Kept::Packed(pack(&body))) }
    }

    async fn packed(self) -> io::Result<Vec<u8>> {
        match self.0 {
            Kept::Plain(body) => {
                tokio::task::spawn_blocking(move || pack(&body)).await.map_err(io::Error::other).flatten()
            }
            Kept::Packed(packed) => packed,
        }
    }
}

/// What became of a report.
#[derive(Clone, Debug, PartialEq)]
pub enum Submitted {
    /// It has been applied.
    Applied {
        /// The answer.
        response: Box<SyncResponse>,
        /// It was applied under the same idempotency key by an earlier request.
        replayed: bool,
    },
    /// It is in the queue, or has been: ask [`Queue::wait`].
    Queued {
        /// The sync.
        id: SyncId,
        /// It is there under the same idempotency key from an earlier request.
        replayed: bool,
    },
}

/// How a queued sync is doing.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// It has been applied.
    Applied(Box<SyncResponse>),
    /// It has not, or not yet.
    Job(Box<Job>),
}

/// Takes reports of which some are applied later. The process needs no worker of its own.
#[derive(Clone)]
pub struct Queue {
    service: SyncService,
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    signals: Arc<QueueSignals>,
    options: QueueOptions,
}

impl Queue {
    /// A queue in `storage`. Workers of the same process should have the same `signals`.
    pub fn new(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        signals: Arc<QueueSignals>,
        options: QueueOptions,
    ) -> Self {
        let service = SyncService::new(Arc::clone(&storage), Arc::clone(&clock));
        Self { service, storage, clock, signals, options }
    }

    /// Applies a report at once, as [`SyncService::sync`] does, or stores it in the queue: where it changes something
    /// and names many modules, where its site has a job there already, and where its sender asks for that.
    pub async fn submit(
        &self,
        site: SiteId,
        submission: Submission,
        origin: SyncOrigin,
    ) -> Result<Submitted, SyncError> {
        let Submission { request, body, handling, respond_async } = submission;
        let mut command = self.service.command(site, request, origin)?;
        if command.report.modules().len() > self.options.threshold {
            command.via = Via::DirectIfUnchanged;
        }
        let command = Arc::new(command);
        if !respond_async {
            match self.service.apply(&command).await? {
                SyncResult::Applied(outcome) => return Ok(applied(outcome.into(), false)),
                SyncResult::Replayed(outcome) => return Ok(applied(outcome.into(), true)),
                SyncResult::Refused(refusal) => return Err(SyncError::Refused(refusal)),
                SyncResult::Waiting(job) => return Ok(Submitted::Queued { id: job.id, replayed: true }),
                SyncResult::MustQueue | SyncResult::LeaseLost => {}
            }
        }
        self.enqueue(command, handling, body).await
    }

    /// Applies a report whose modules nobody has read, as [`SyncService::sync_glanced`] does, however many they are: what is
    /// unchanged does not go to the queue.
    pub async fn submit_glanced(
        &self,
        site: SiteId,
        request: SyncRequest<GlancedReport>,
        origin: SyncOrigin,
    ) -> Result<Option<Submitted>, SyncError> {
        let response = self.service.sync_glanced(site, request, origin).await?;
        Ok(response.map(|response| applied(response, false)))
    }

    async fn enqueue(
        &self,
        sync: Arc<SyncCommand>,
        handling: Handling,
        body: SentBody,
    ) -> Result<Submitted, SyncError> {
        let payload = body.packed().await.map_err(SyncError::Payload)?;
        let id = sync.sync_id;
        let job = NewJob { sync, lenient: handling == Handling::Lenient, payload, bounds: self.options.bounds };
        match self.service.retried(async || self.storage.enqueue(job.clone()).await).await? {
            Enqueued::Accepted(state) => {
                if state == JobState::Queued {
                    self.signals.announce(id);
                }
                Ok(Submitted::Queued { id, replayed: false })
            }
            Enqueued::Replayed(outcome) => Ok(applied(outcome.into(), true)),
            Enqueued::Waiting(job) => Ok(Submitted::Queued { id: job.id, replayed: true }),
            Enqueued::Refused(refusal) => Err(SyncError::Refused(refusal)),
            Enqueued::Full => Err(SyncError::QueueFull),
        }
    }

    /// Waits until a job has ended, but no longer than `patience`, and says how it is doing. `None` where there is none.
    pub async fn wait(&self, id: SyncId, patience: Duration) -> Result<Option<Progress>, StorageError> {
        let mut finished = self.signals.finished();
        let ended = async {
            loop {
                match self.progress(id).await? {
                    Some(Progress::Job(job)) if !job.state.is_final() => {
                        let _ = timeout(POLL, news_of(id, &mut finished)).await;
                    }
                    progress => return Ok(progress),
                }
            }
        };
        match timeout(patience, ended).await {
            Ok(progress) => progress,
            Err(_) => self.progress(id).await,
        }
    }

    /// How a job is doing; `None` where there is none.
    pub async fn progress(&self, id: SyncId) -> Result<Option<Progress>, StorageError> {
        let Some(job) = self.storage.find_job(id).await? else { return Ok(None) };
        if job.state == JobState::Succeeded
            && let Some(sync) = self.storage.find_sync(id).await?
        {
            return Ok(Some(Progress::Applied(Box::new(sync.outcome.into()))));
        }
        Ok(Some(Progress::Job(Box::new(job))))
    }

    /// Whether somebody takes jobs out of the queue, on this node or another.
    pub async fn is_served(&self) -> Result<bool, StorageError> {
        self.storage.live_workers(self.clock.now() - ALIVE).await.map(|workers| workers > 0)
    }
}

fn applied(response: SyncResponse, replayed: bool) -> Submitted {
    Submitted::Applied { response: Box::new(response), replayed }
}

/// Waits for the end of a job of this process, or for so much else that this one may have been missed.
async fn news_of(id: SyncId, finished: &mut Receiver<SyncId>) {
    loop {
        match finished.recv().await {
            Ok(ended) if ended != id => {}
            Ok(_) | Err(RecvError::Lagged(_)) => return,
            // Nothing more will be heard; the caller's patience ends this.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

//! Taking in release data.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::try_join_all;
use module_monitor_domain::{Feed, ProjectName, ReleaseHistory};
use module_monitor_storage::{
    Check, CheckOutcome, Fetched, ProjectFeed, Storage, StorageError, StoredHistory, Validators,
};
use time::OffsetDateTime;

use super::schedule::Schedule;
use crate::{Clock, FeedAnswer, FeedSource, retry};

/// How many sites are recounted in one transaction, so that no sync waits long for it.
const RECOUNT_BATCH: usize = 100;
/// How many such transactions there are at once.
const SIDE_BY_SIDE: usize = 3;

/// A feed to ask for, and what is known of it.
#[derive(Clone, Debug)]
pub struct FeedTarget {
    /// The project.
    pub project: ProjectName,
    /// Which of its feeds.
    pub feed: Feed,
    validators: Validators,
    has_data: bool,
    failures: u32,
}

impl FeedTarget {
    /// A feed that nothing is known of.
    pub fn new(project: ProjectName, feed: Feed) -> Self {
        Self { project, feed, validators: Validators::default(), has_data: false, failures: 0 }
    }
}

impl From<ProjectFeed> for FeedTarget {
    fn from(known: ProjectFeed) -> Self {
        Self {
            project: known.project,
            feed: known.feed,
            validators: known.validators,
            has_data: known.fetched_at.is_some(),
            failures: known.failures,
        }
    }
}

/// What a request for a feed came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckResult {
    /// Its history is stored.
    Fetched(StoredHistory),
    /// What is stored is still right.
    NotModified,
    /// drupal.org has nothing of it.
    NoHistory,
    /// No usable answer, and why. What is stored stays.
    Failed(String),
}

impl CheckResult {
    /// All of the names.
    pub const NAMES: [&str; 4] = ["fetched", "not_modified", "no_history", "failed"];

    /// The name in metrics and listings.
    pub const fn name(&self) -> &'static str {
        let [fetched, not_modified, no_history, failed] = Self::NAMES;
        match self {
            Self::Fetched(_) => fetched,
            Self::NotModified => not_modified,
            Self::NoHistory => no_history,
            Self::Failed(_) => failed,
        }
    }
}

/// Brings release data into a storage. Cheap to clone; all clones work on the same storage.
#[derive(Clone)]
pub struct ReleaseService {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
}

impl ReleaseService {
    /// A service that stores in `storage` and takes the time from `clock`.
    pub fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>) -> Self {
        Self { storage, clock }
    }

    /// What it stores in.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// The time of day.
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// Stores the history of a file. When its feed is asked for stays as planned; a new one is due at once. Call
    /// [`ReleaseService::recount`] afterwards.
    pub async fn import(&self, history: ReleaseHistory) -> Result<StoredHistory, StorageError> {
        let at = self.clock.now();
        let known = self.storage.project_feeds(&history.project).await?;
        let planned = known.into_iter().find(|known| known.feed == history.feed).map(|known| known.next_check_at);
        let next_check_at = planned.unwrap_or(at);
        self.store(history, Fetched { at, next_check_at, validators: Validators::default() }).await
    }

    /// Asks `source` for a feed and stores what it says, or that it said nothing; plans the next request by `schedule`.
    /// Stored releases are only ever replaced by a whole history. Call [`ReleaseService::recount`] afterwards.
    pub(super) async fn check(
        &self,
        source: &dyn FeedSource,
        target: &FeedTarget,
        schedule: Schedule,
    ) -> Result<CheckResult, StorageError> {
        let FeedTarget { project, feed, .. } = target;
        let answer = source.fetch(project, *feed, &target.validators).await;
        let at = self.clock.now();
        let answered = schedule.after_answer(project, *feed, at);
        let (next_check_at, outcome, result) = match answer {
            FeedAnswer::History(history, validators) => {
                let fetched = Fetched { at, next_check_at: answered, validators };
                return self.take_in(target, schedule, *history, fetched).await;
            }
            FeedAnswer::NotModified => (answered, CheckOutcome::NotModified, CheckResult::NotModified),
            // In an outage drupal.org has said so of projects that exist.
            FeedAnswer::NoHistory if target.has_data => {
                return self.failed(target, schedule, at, "the feed no longer knows the project".to_owned()).await;
            }
            FeedAnswer::NoHistory => {
                let later = schedule.after_no_history(project, *feed, at);
                (later, CheckOutcome::NoHistory, CheckResult::NoHistory)
            }
            FeedAnswer::Failed(why) => return self.failed(target, schedule, at, why).await,
        };
        self.note(target, at, next_check_at, outcome).await?;
        Ok(result)
    }

    /// Recounts the sites that release data or an accepted risk has changed something for, in small transactions, several at
    /// once; then identifies those that have to be. `progress` is told after each of them how many sites were recounted in all.
    pub async fn recount(&self, progress: impl FnMut(usize) + Send) -> Result<usize, StorageError> {
        let recounted = Mutex::new((0, progress));
        let more = |sites| {
            let (count, progress) = &mut *recounted.lock().unwrap_or_else(PoisonError::into_inner);
            *count += sites;
            progress(*count);
        };
        loop {
            let counting = (0..SIDE_BY_SIDE).map(|_| async {
                loop {
                    match retried(|| self.storage.count_step(self.clock.now(), RECOUNT_BATCH)).await? {
                        0 => return Ok::<_, StorageError>(()),
                        sites => more(sites),
                    }
                }
            });
            try_join_all(counting).await?;
            // What has been marked meanwhile is counted first: what one site needs identified is in nobody's way.
            if !retried(|| self.storage.identify_step(self.clock.now())).await? {
                break;
            }
            more(1);
        }
        Ok(recounted.into_inner().unwrap_or_else(PoisonError::into_inner).0)
    }

    /// Ends the acceptances whose time is up, and recounts what there is to recount.
    pub async fn maintain(&self) -> Result<(), StorageError> {
        let now = self.clock.now();
        let ended = self.storage.end_due_acceptances(now).await?;
        if ended > 0 {
            tracing::info!(ended, "accepted risks have expired");
        }
        let sites = self.recount(|_| {}).await?;
        if sites > 0 {
            tracing::info!(sites, "security figures were recounted");
        }
        Ok(())
    }

    async fn take_in(
        &self,
        target: &FeedTarget,
        schedule: Schedule,
        history: ReleaseHistory,
        fetched: Fetched,
    ) -> Result<CheckResult, StorageError> {
        let at = fetched.at;
        match self.store(history, fetched).await {
            Ok(stored) => Ok(CheckResult::Fetched(stored)),
            // It would be asked for again at once and fail again, in the way of all others.
            Err(error) if !error.is_transient() => {
                tracing::error!(error = &error as &(dyn Error + 'static), project = %target.project, "not stored");
                let why = format!("the release history could not be stored: {error}");
                self.failed(target, schedule, at, why).await
            }
            Err(error) => Err(error),
        }
    }

    async fn failed(
        &self,
        target: &FeedTarget,
        schedule: Schedule,
        at: OffsetDateTime,
        why: String,
    ) -> Result<CheckResult, StorageError> {
        let next = schedule.after_failure(&target.project, target.feed, target.failures, at);
        self.note(target, at, next, CheckOutcome::Failed(why.clone())).await?;
        Ok(CheckResult::Failed(why))
    }

    async fn store(&self, history: ReleaseHistory, fetched: Fetched) -> Result<StoredHistory, StorageError> {
        let history = Arc::new(history);
        retried(|| self.storage.store_history(Arc::clone(&history), fetched.clone())).await
    }

    async fn note(
        &self,
        target: &FeedTarget,
        at: OffsetDateTime,
        next_check_at: OffsetDateTime,
        outcome: CheckOutcome,
    ) -> Result<(), StorageError> {
        let check = Check { project: target.project.clone(), feed: target.feed, at, next_check_at, outcome };
        retried(|| self.storage.note_check(check.clone())).await
    }
}

/// Tries again what another transaction was in the way of, or a connection broke under: doing it twice is harmless.
async fn retried<T, F>(work: impl FnMut() -> F) -> Result<T, StorageError>
where
    F: Future<Output = Result<T, StorageError>>,
{
    retry::retried(work, retry::worth_repeating).await
}

//! Asking for what is due.

use std::sync::Arc;
use std::time::Duration as StdDuration;

use module_monitor_domain::{Feed, ProjectName};
use module_monitor_storage::StorageError;
use time::Duration;
use uuid::Uuid;

use super::schedule::Schedule;
use super::service::{CheckResult, FeedTarget, ReleaseService};
use crate::{FeedSource, uuid_at};

/// The lease that whoever asks must hold, so that all nodes together ask no faster than one.
const LEASE: &str = "release-refresh";
/// How long the lease is taken for; longer than a feed may take to answer twice.
const LEASE_TIME: Duration = Duration::minutes(5);
/// How many feeds are asked for before it is looked again what is due.
const BATCH: usize = 20;

/// Keeps release data fresh: one request at a time, by one node at a time.
pub struct Refresher {
    service: ReleaseService,
    source: Arc<dyn FeedSource>,
    schedule: Schedule,
    pause: StdDuration,
    holder: Uuid,
}

/// A feed that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The project.
    pub project: ProjectName,
    /// Which of its feeds.
    pub feed: Feed,
    /// What came of it.
    pub result: CheckResult,
}

impl Refresher {
    /// Asks `source`, which leaves a `pause` between its requests, for each feed every `interval`, and stores through
    /// `service`.
    pub fn new(
        service: ReleaseService,
        source: Arc<dyn FeedSource>,
        interval: StdDuration,
        pause: StdDuration,
    ) -> Self {
        let holder = uuid_at(service.now());
        // What does not come round in our time might as well never do.
        let schedule = Schedule { interval: Duration::try_from(interval).unwrap_or(Duration::MAX) };
        Self { service, source, schedule, pause, holder }
    }

    /// Takes the lease, or renews it; `false` while another node holds it.
    pub async fn take_turn(&self) -> Result<bool, StorageError> {
        let now = self.service.now();
        self.service.storage().try_lease(LEASE, self.holder, now, now + LEASE_TIME).await
    }

    /// Gives the lease back, once the pause after the last request is over.
    pub async fn end_turn(&self) -> Result<(), StorageError> {
        let now = self.service.now();
        self.service.storage().try_lease(LEASE, self.holder, now, now + self.pause).await.map(|_| ())
    }

    /// The feeds that are due, at most `limit`, the longest overdue first.
    pub async fn due(&self, limit: usize) -> Result<Vec<FeedTarget>, StorageError> {
        let due = self.service.storage().due_projects(self.service.now(), limit).await?;
        Ok(due.into_iter().map(FeedTarget::from).collect())
    }

    /// Asks for one feed. Whoever calls it holds the lease.
    pub async fn check(&self, target: &FeedTarget) -> Result<Checked, StorageError> {
        let result = self.service.check(self.source.as_ref(), target, self.schedule).await?;
        let (project, feed) = (target.project.clone(), target.feed);
        match &result {
            CheckResult::Failed(why) => {
                tracing::warn!(%project, feed = feed.as_str(), why, "no release history; what is known stays");
            }
            CheckResult::Fetched(stored) if stored.changed => {
                let (releases, judged_anew) = (stored.releases, stored.assessments);
                tracing::info!(%project, feed = feed.as_str(), releases, judged_anew, "release data changed");
            }
            _ => tracing::debug!(%project, feed = feed.as_str(), ?result, "release data checked"),
        }
        Ok(Checked { project, feed, result })
    }

    /// Asks for some of what is due, and tells `checked` of each; how many there were. 0 also where another node is at
    /// it. May be dropped at any moment; then call [`Refresher::end_turn`].
    pub async fn refresh_due(&self, mut checked: impl FnMut(&Checked)) -> Result<usize, StorageError> {
        if self.due(1).await?.is_empty() || !self.take_turn().await? {
            return Ok(0);
        }
        // What was due before may have been another node's last work.
        let due = self.due(BATCH).await?;
        for (done, target) in due.iter().enumerate() {
            if !self.take_turn().await? {
                return Ok(done);
            }
            checked(&self.check(target).await?);
        }
        self.end_turn().await?;
        Ok(due.len())
    }
}

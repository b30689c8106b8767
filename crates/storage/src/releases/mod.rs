//! What drupal.org says of projects: their feeds, when to ask for them, and what follows for installed versions
//! ([`assessments`]).

pub(crate) mod assessments;
pub(crate) mod queries;
mod rows;
mod store;
mod take_in;
mod writes;

use std::sync::Arc;

use async_trait::async_trait;
use module_monitor_domain::{Feed, ProjectName, ProjectStatus, Release, ReleaseHistory, Support};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::engine::error::StorageError;
use crate::page::{Page, Part};

/// What drupal.org says of projects. Syncs introduce the projects that their site uses.
#[async_trait]
pub trait Releases: Send + Sync {
    /// Replaces what is stored of a project's feed and judges anew every installed version of it, in one transaction that
    /// holds the project's row: syncs that begin to use the project wait for it, others do not. Sites whose figures may
    /// differ now are left to [`crate::Security::count_step`]. An unknown project becomes known.
    async fn store_history(
        &self,
        history: Arc<ReleaseHistory>,
        fetched: Fetched,
    ) -> Result<StoredHistory, StorageError>;

    /// Remembers a request that brought no history. Stored releases stay, whatever was found. Locks the project's row; an
    /// unknown project becomes known.
    async fn note_check(&self, check: Check) -> Result<(), StorageError>;

    /// Feeds that are to be asked for at `now`, the longest overdue first. Of the projects that one site introduced no
    /// more than 50 are asked for the first time within 24 hours. No locks.
    async fn due_projects(&self, now: OffsetDateTime, limit: usize) -> Result<Vec<ProjectFeed>, StorageError>;

    /// The feeds of a project that are known; none where the project is not. No locks.
    async fn project_feeds(&self, project: &ProjectName) -> Result<Vec<ProjectFeed>, StorageError>;

    /// What is stored of a feed; `None` where nothing was ever fetched. No locks.
    async fn find_history(&self, project: &ProjectName, feed: Feed) -> Result<Option<ReleaseHistory>, StorageError>;

    /// A feed's releases in its own order, each with its position, which pages through them. No locks.
    async fn project_releases(
        &self,
        project: &ProjectName,
        feed: Feed,
        page: Page<i64>,
    ) -> Result<Part<(i64, Release)>, StorageError>;

    /// Makes the feeds of a project due now, as `actor`. `false` where the project is unknown.
    async fn request_refresh(
        &self,
        project: &ProjectName,
        now: OffsetDateTime,
        actor: &str,
    ) -> Result<bool, StorageError>;

    /// Counts how many sites use each project, which is the order in which projects are asked for that are due at the same
    /// moment. Reads every site's modules; no locks while it does.
    async fn count_usage(&self) -> Result<usize, StorageError>;

    /// Introduces the projects of syncs whose process died before it did, and says how many. No locks.
    async fn introduce_forgotten(&self, now: OffsetDateTime) -> Result<usize, StorageError>;

    /// Takes the lease `name` until `until`, or renews it; `false` while somebody else holds it at `now`.
    async fn try_lease(
        &self,
        name: &str,
        holder: Uuid,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<bool, StorageError>;

    /// Gives a lease back, where `holder` has it.
    async fn end_lease(&self, name: &str, holder: Uuid) -> Result<(), StorageError>;

    /// Release data as a whole. No locks.
    async fn release_figures(&self) -> Result<ReleaseFigures, StorageError>;
}

/// What makes a request conditional: from the last document that was stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`, as it was sent.
    pub last_modified: Option<String>,
}

/// Where a release history came from, and when to ask again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// When it was fetched or imported.
    pub at: OffsetDateTime,
    /// When to ask for it again.
    pub next_check_at: OffsetDateTime,
    /// For the next request; empty for an imported file.
    pub validators: Validators,
}

/// What storing a release history did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredHistory {
    /// How many releases are stored.
    pub releases: usize,
    /// Whether it differs from what was stored before.
    pub changed: bool,
    /// How many assessments are others now.
    pub assessments: usize,
}

/// What a request for a feed found, other than a release history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckOutcome {
    /// What is stored is still what there is.
    NotModified,
    /// drupal.org says that there is no release history.
    NoHistory,
    /// No usable answer, and why, in one line.
    Failed(String),
}

/// A request for a feed that brought no release history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The project.
    pub project: ProjectName,
    /// Which of its feeds.
    pub feed: Feed,
    /// When.
    pub at: OffsetDateTime,
    /// When to ask again.
    pub next_check_at: OffsetDateTime,
    /// What was found.
    pub outcome: CheckOutcome,
}

/// A feed of a project, and how well it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectFeed {
    /// The project.
    pub project: ProjectName,
    /// Which of its feeds.
    pub feed: Feed,
    /// Display name.
    pub title: Option<String>,
    /// What it is: `project_module`, ...
    pub project_type: Option<String>,
    /// What is said of the whole project.
    pub status: ProjectStatus,
    /// Its page on drupal.org.
    pub link: Option<String>,
    /// What is supported.
    pub support: Support,
    /// For the next request; empty where nothing is stored.
    pub validators: Validators,
    /// When the stored data was fetched; `None`: there is none.
    pub fetched_at: Option<OffsetDateTime>,
    /// When the stored data was last known to be what drupal.org says.
    pub checked_at: Option<OffsetDateTime>,
    /// When drupal.org last said that there is no release history, if it said nothing better since.
    pub no_history_at: Option<OffsetDateTime>,
    /// What went wrong the last time something did.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<OffsetDateTime>,
    /// Failed requests since the last good answer.
    pub failures: u32,
    /// When to ask again.
    pub next_check_at: OffsetDateTime,
}

impl ProjectFeed {
    /// Whether the stored data is older than the last attempt to renew it.
    pub fn is_stale(&self) -> bool {
        self.fetched_at.is_some() && (self.failures > 0 || self.no_history_at.is_some())
    }
}

/// Release data as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReleaseFigures {
    /// When the oldest of the fetched projects was last known to be right.
    pub data_as_of: Option<OffsetDateTime>,
    /// Feeds of projects that are known.
    pub projects: u64,
    /// Those of them without data, which is also what drupal.org does not know.
    pub never_fetched: u64,
}

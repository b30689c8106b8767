//! The units of work around release data and what follows from it.

use std::sync::Arc;

use async_trait::async_trait;
use module_monitor_domain::{DrupalVersion, Feed, ProjectName, Release, ReleaseHistory, SiteId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    Acceptance, Check, Fetched, FixedFinding, NewAcceptance, Page, ProjectFeed, ProjectSite, RecountPage,
    ReleaseFigures, SecurityFilter, SecurityUpdate, StorageError, StoredHistory,
};

/// What drupal.org says of projects. Syncs introduce the projects that their site uses.
#[async_trait]
pub trait Releases: Send + Sync {
    /// Replaces what is stored of a project's feed and judges anew every installed version of it, in one transaction that
    /// holds the project's row: syncs that begin to use the project wait for it, others do not. Sites whose figures may
    /// differ now are left to [`Releases::recount_step`]. An unknown project becomes known.
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
    ) -> Result<Vec<(i64, Release)>, StorageError>;

    /// Makes the feeds of a project due now, as `actor`. `false` where the project is unknown.
    async fn request_refresh(
        &self,
        project: &ProjectName,
        now: OffsetDateTime,
        actor: &str,
    ) -> Result<bool, StorageError>;

    /// Recounts at most `limit` of the sites whose figures may differ since an assessment or an acceptance changed, under
    /// their locks, and says how many; 0: there are none left. What has not been recounted when the program ends is the
    /// next one's first work.
    async fn recount_step(&self, now: OffsetDateTime, limit: usize) -> Result<usize, StorageError>;

    /// How many modules of sites are behind what [`Releases::recount_step`] has left to do. No locks.
    async fn pending_recounts(&self) -> Result<u64, StorageError>;

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

/// What is insecure where, and which risks are accepted.
#[async_trait]
pub trait Security: Send + Sync {
    /// One entry for each site and project that needs a security update, accepted ones included, in that order. No locks.
    async fn security_updates(
        &self,
        filter: SecurityFilter,
        page: Page<(SiteId, String)>,
    ) -> Result<Vec<SecurityUpdate>, StorageError>;

    /// What was needed and no longer is, newest first; of that site or project only. No locks.
    async fn fixed_findings(&self, filter: SecurityFilter, page: Page<i64>) -> Result<Vec<FixedFinding>, StorageError>;

    /// The sites that have modules of a project, in the order of their ids; with `below` only those where one of them has
    /// a lower version. No locks.
    async fn project_sites(
        &self,
        project: &ProjectName,
        below: Option<&DrupalVersion>,
        page: Page<SiteId>,
    ) -> Result<Vec<ProjectSite>, StorageError>;

    /// Accepts a risk as `actor`, in one transaction that holds the project's rows. Call [`Releases::recount_step`] until
    /// nothing is left. [`StorageError::MissingReference`] where its site does not exist.
    async fn create_acceptance(&self, acceptance: NewAcceptance, actor: &str) -> Result<(), StorageError>;

    /// Accepted risks, newest first; those that have ended only on request. No locks.
    async fn list_acceptances(&self, ended: bool, page: Page<Uuid>) -> Result<Vec<Acceptance>, StorageError>;

    /// Ends an acceptance as of `now`, as `actor`. `false` where none of that id stands. As
    /// [`Security::create_acceptance`].
    async fn withdraw_acceptance(&self, id: Uuid, now: OffsetDateTime, actor: &str) -> Result<bool, StorageError>;

    /// Ends the acceptances that are due at `now`, each in a transaction of its own, and says how many. As
    /// [`Security::create_acceptance`].
    async fn end_due_acceptances(&self, now: OffsetDateTime) -> Result<usize, StorageError>;

    /// Compares the figures of a page of sites with their rows. No locks; finish [`Releases::recount_step`] first.
    async fn recount_check(&self, page: Page<SiteId>) -> Result<RecountPage, StorageError>;

    /// Recounts a page of sites under their locks, and says what was not right.
    async fn recount_all(&self, now: OffsetDateTime, page: Page<SiteId>) -> Result<RecountPage, StorageError>;
}

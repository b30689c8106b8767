//! What is insecure where, which risks are accepted, and the figures of sites that follow.

pub(crate) mod queries;
pub(crate) mod recount;
mod rows;
mod store;

use async_trait::async_trait;
use module_monitor_domain::{
    BranchSide, CoverageClass, MachineName, ProjectName, SecurityCounts, SecurityRelease, SiteId, Tag, UnknownReason,
    UpdateStatus, VersionRange,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::bounds::{BoundedSites, Bounds};
use crate::engine::error::StorageError;
use crate::page::{Page, Part};

/// What is insecure where, and which risks are accepted.
#[async_trait]
pub trait Security: Send + Sync {
    /// One entry for each site and project that needs a security update, accepted ones included, in that order. No locks.
    async fn security_updates(
        &self,
        filter: SecurityFilter,
        page: Page<(SiteId, String)>,
    ) -> Result<Part<SecurityUpdate>, StorageError>;

    /// What was needed and no longer is, newest first; of that site or project only. No locks.
    async fn fixed_findings(&self, filter: SecurityFilter, page: Page<i64>)
    -> Result<Part<FixedFinding>, StorageError>;

    /// The sites that have modules of a project, in the order of their ids; with bounds only those where one of them is
    /// within. No locks.
    async fn project_sites(
        &self,
        filter: ProjectSitesFilter,
        page: Page<SiteId>,
    ) -> Result<BoundedSites<ProjectSite>, StorageError>;

    /// The sites that do not have a project, in the order of their ids; `tag`: only those with it. No locks.
    async fn sites_without_project(
        &self,
        project: &ProjectName,
        tag: Option<&Tag>,
        page: Page<SiteId>,
    ) -> Result<Part<SiteWithout>, StorageError>;

    /// Accepts a risk as `actor`, in one transaction. Call [`Security::count_step`] until
    /// nothing is left. [`StorageError::MissingReference`] where its site does not exist.
    async fn create_acceptance(&self, acceptance: NewAcceptance, actor: &str) -> Result<(), StorageError>;

    /// Accepted risks, newest first; those that have ended only on request. No locks.
    async fn list_acceptances(&self, ended: bool, page: Page<Uuid>) -> Result<Part<Acceptance>, StorageError>;

    /// An accepted risk, ended or not. No locks.
    async fn find_acceptance(&self, id: Uuid) -> Result<Option<Acceptance>, StorageError>;

    /// Ends an acceptance as of `now`, as `actor`. `false` where none of that id stands. As
    /// [`Security::create_acceptance`].
    async fn withdraw_acceptance(&self, id: Uuid, now: OffsetDateTime, actor: &str) -> Result<bool, StorageError>;

    /// Ends the acceptances that are due at `now`, each in a transaction of its own, and says how many. As
    /// [`Security::create_acceptance`].
    async fn end_due_acceptances(&self, now: OffsetDateTime) -> Result<usize, StorageError>;

    /// Recounts at most `limit` of the sites whose figures may differ since an assessment or an acceptance changed, under
    /// their locks, and says how many; 0: there are none left but those that others have in hand. What has not been recounted
    /// when the program ends is the next one's first work. May be called many times at once.
    async fn count_step(&self, now: OffsetDateTime, limit: usize) -> Result<usize, StorageError>;

    /// Identifies the extensions of one of the sites anew for which it has been asked, and recounts it; `false`: there are none
    /// left. Who calls it twice at once has the same site done twice.
    async fn identify_step(&self, now: OffsetDateTime) -> Result<bool, StorageError>;

    /// Has the sites identified anew of which something was postponed because they had named too many versions in a day.
    async fn request_postponed(&self, now: OffsetDateTime) -> Result<usize, StorageError>;

    /// How many sites [`Security::count_step`] and [`Security::identify_step`] have left. No locks.
    async fn pending_recounts(&self) -> Result<u64, StorageError>;

    /// Compares the figures of a page of sites with their rows. No locks; finish [`Security::count_step`] first.
    async fn recount_check(&self, page: Page<SiteId>) -> Result<RecountPage, StorageError>;

    /// The figures of several sites together. No locks.
    async fn security_totals(&self, filter: TotalsFilter) -> Result<SecurityTotals, StorageError>;

    /// Recounts a page of sites under their locks, and says what was not right.
    async fn recount_all(&self, now: OffsetDateTime, page: Page<SiteId>) -> Result<RecountPage, StorageError>;
}

/// A project that needs a security update on a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityUpdate {
    /// The site.
    pub site_id: SiteId,
    /// Its name.
    pub site_name: String,
    /// The project; `None` where no project judges what it is about.
    pub project: Option<ProjectName>,
    /// The installed version; the lowest one where modules of the project differ.
    pub version: Option<String>,
    /// How that version stands; `None` where no project judges it.
    pub status: Option<UpdateStatus>,
    /// The version to install.
    pub recommended: Option<String>,
    /// The newer security releases, newest first.
    pub security_updates: Vec<SecurityRelease>,
    /// The site's modules of the project that need it, in the order of their names.
    pub modules: Vec<MachineName>,
    /// In which class it is.
    pub class: CoverageClass,
    /// Why it could not be judged, where it could not.
    pub unknown: Option<UnknownReason>,
    /// Since when a security update is known to be needed.
    pub insecure_since: Option<OffsetDateTime>,
    /// The accepted risk that covers it, where one covers every one of the modules: that of the version shown.
    pub accepted: Option<AcceptedRisk>,
}

impl SecurityUpdate {
    /// Its place among those of its site: the project, or a slash and the name of what no project judges; and the class.
    /// Their order is that of the projects, because a space sorts before all that a name has.
    pub fn place(&self) -> String {
        let class = self.class;
        match (&self.project, self.modules.first()) {
            (Some(project), _) => format!("{project} {class}"),
            (None, module) => format!("/{} {class}", module.map(MachineName::as_str).unwrap_or_default()),
        }
    }
}

/// Why a security update does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedRisk {
    /// The acceptance; of several the one that lasts longest.
    pub id: Uuid,
    /// Until when.
    pub until: OffsetDateTime,
    /// Why.
    pub reason: String,
}

/// Which security updates to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityFilter {
    /// In that class only; `None`: in any that asks for something: insecure, unsupported and unknown.
    pub class: Option<CoverageClass>,
    /// Of that site only.
    pub site_id: Option<SiteId>,
    /// Of that project only.
    pub project: Option<ProjectName>,
    /// Of sites with that tag only.
    pub tag: Option<Tag>,
    /// Also where only disabled modules need one.
    pub include_disabled: bool,
}

impl Default for SecurityFilter {
    /// What needs a security update, on all sites.
    fn default() -> Self {
        Self { class: Some(CoverageClass::Insecure), site_id: None, project: None, tag: None, include_disabled: false }
    }
}

/// A security update that a site needed and no longer needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedFinding {
    /// Grows with every finding.
    pub id: i64,
    /// The site.
    pub site_id: SiteId,
    /// Its name.
    pub site_name: String,
    /// The project.
    pub project: ProjectName,
    /// Since when it was known.
    pub insecure_since: OffsetDateTime,
    /// When it was no longer needed.
    pub fixed_at: OffsetDateTime,
}

/// Which sites that have a project to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectSitesFilter {
    /// The project.
    pub project: ProjectName,
    /// Only those that have a version within these.
    pub bounds: Bounds,
    /// Only those with that tag.
    pub tag: Option<Tag>,
}

/// A site that does not have a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteWithout {
    /// The site.
    pub site_id: SiteId,
    /// Its name.
    pub site_name: String,
}

/// A site that has modules of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectSite {
    /// The site.
    pub site_id: SiteId,
    /// Its name.
    pub site_name: String,
    /// The installed version; where modules of the project differ, the lowest one within the bounds, of the same branch
    /// where one is.
    pub version: Option<String>,
    /// How that version stands to the branch of the upper bound; `None` where there is no such bound.
    pub branch: Option<BranchSide>,
    /// How that version stands.
    pub status: UpdateStatus,
    /// The site's modules of the project, in the order of their names, disabled ones included.
    pub modules: Vec<MachineName>,
}

/// A risk to accept: while it stands, the versions do not count as needing a security update. Bounds are inclusive;
/// both absent means every version, also an unknown one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAcceptance {
    /// Its id, a UUID version 7.
    pub id: Uuid,
    /// The project.
    pub project: ProjectName,
    /// The class that it is for: it covers nothing of another.
    pub class: CoverageClass,
    /// Which of its versions.
    pub versions: VersionRange,
    /// On that site only; `None`: on all.
    pub site_id: Option<SiteId>,
    /// Until then, and not after.
    pub until: OffsetDateTime,
    /// Why.
    pub reason: String,
    /// Now.
    pub created_at: OffsetDateTime,
}

/// An accepted risk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// Its id; greater ids are newer.
    pub id: Uuid,
    /// The project.
    pub project: ProjectName,
    /// The class that it is for.
    pub class: CoverageClass,
    /// From this version on.
    pub from: Option<String>,
    /// Up to this version.
    pub to: Option<String>,
    /// On that site only; `None`: on all.
    pub site_id: Option<SiteId>,
    /// Until then, and not after.
    pub until: OffsetDateTime,
    /// Why.
    pub reason: String,
    /// When it was accepted.
    pub created_at: OffsetDateTime,
    /// By whom.
    pub created_by: String,
    /// When it ended; `None` while it stands.
    pub ended_at: Option<OffsetDateTime>,
    /// Why it ended: `expired` or `withdrawn`.
    pub ended_reason: Option<String>,
}

/// Which sites' figures to add up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TotalsFilter {
    /// Only this site.
    pub site_id: Option<SiteId>,
    /// Only sites with it.
    pub tag: Option<Tag>,
    /// Also sites that are deactivated, which lists have.
    pub inactive: bool,
}

/// The figures of several sites together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecurityTotals {
    /// Their sums; a project counts once for each site that needs an update of it.
    pub security: SecurityCounts,
    /// Sites with extensions that could not be judged.
    pub sites_with_unknown: i64,
}

/// A site whose stored figures are not those of its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecountDifference {
    /// The site.
    pub site_id: SiteId,
    /// Its name.
    pub site_name: String,
    /// What its row said.
    pub stored: SecurityCounts,
    /// What its modules say.
    pub counted: SecurityCounts,
    /// Projects whose finding was open without reason, or missing.
    pub findings: i64,
}

/// The sites of a page whose figures were not those of their rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecountPage {
    /// How many sites the page has.
    pub sites: usize,
    /// Those that differed.
    pub differences: Vec<RecountDifference>,
    /// The last site of the page; `None`: there are no more.
    pub next: Option<SiteId>,
}

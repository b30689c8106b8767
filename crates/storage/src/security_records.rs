//! What goes into and comes out of release data, judgements and accepted risks.

use module_monitor_domain::{
    DrupalVersion, Feed, MachineName, ProjectName, ProjectStatus, SecurityCounts, SecurityRelease, SiteId, Support,
    UpdateStatus,
};
use time::OffsetDateTime;
use uuid::Uuid;

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

/// A project that needs a security update on a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityUpdate {
    /// The site.
    pub site_id: SiteId,
    /// Its name.
    pub site_name: String,
    /// The project.
    pub project: ProjectName,
    /// The installed version; the lowest one where modules of the project differ.
    pub version: Option<String>,
    /// How that version stands.
    pub status: UpdateStatus,
    /// The version to install.
    pub recommended: Option<String>,
    /// The newer security releases, newest first.
    pub security_updates: Vec<SecurityRelease>,
    /// The site's modules of the project that need it, in the order of their names.
    pub modules: Vec<MachineName>,
    /// Since when it is known.
    pub insecure_since: OffsetDateTime,
    /// The accepted risk that covers it, where one covers every one of the modules: that of the version shown.
    pub accepted: Option<AcceptedRisk>,
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecurityFilter {
    /// Of that site only.
    pub site_id: Option<SiteId>,
    /// Of that project only.
    pub project: Option<ProjectName>,
    /// Also where only disabled modules need one.
    pub include_disabled: bool,
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

/// A site that has modules of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectSite {
    /// The site.
    pub site_id: SiteId,
    /// Its name.
    pub site_name: String,
    /// The installed version; the lowest one where modules of the project differ.
    pub version: Option<String>,
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
    /// From this version on.
    pub from: Option<DrupalVersion>,
    /// Up to this version.
    pub to: Option<DrupalVersion>,
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

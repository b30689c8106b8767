//! What needs a security update, as people and programs see it, on the command line and over HTTP.

use module_monitor_domain::{SecurityRelease, UnknownReason, UpdateStatus};
use module_monitor_storage::{AcceptedRisk, FixedFinding, SecurityTotals, SecurityUpdate};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::coverage::Coverage;
use super::csv::CsvRow;
use super::list::List;
use super::time::rfc3339;
use super::words;

/// A project that needs a security update on a site.
#[derive(Serialize, ToSchema)]
#[schema(as = SecurityUpdate)]
pub(crate) struct SecurityUpdateView {
    pub(crate) site_id: i64,
    pub(crate) site_name: String,
    /// `null` for code that no project judges.
    pub(crate) project: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) recommended: Option<String>,
    #[schema(schema_with = words::update_status_or_null)]
    pub(crate) status: Option<UpdateStatus>,
    #[schema(schema_with = words::security_releases)]
    pub(crate) security_updates: Vec<SecurityRelease>,
    pub(crate) modules: Vec<String>,
    /// `insecure`, `unsupported` or `unknown`.
    #[schema(schema_with = words::unsettled_class)]
    pub(crate) class: &'static str,
    /// Why it could not be judged, where it could not.
    #[schema(schema_with = words::unknown_reason_or_null)]
    pub(crate) unknown_reason: Option<&'static str>,
    /// Since when a security update is known to be needed; `null` in the other classes.
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) insecure_since: Option<OffsetDateTime>,
    pub(crate) accepted: Option<AcceptedView>,
}

/// That somebody accepts the risk.
#[derive(Serialize, ToSchema)]
#[schema(as = AcceptedRisk)]
pub(crate) struct AcceptedView {
    #[schema(format = "uuid")]
    pub(crate) id: String,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) until: OffsetDateTime,
    pub(crate) reason: String,
}

impl From<AcceptedRisk> for AcceptedView {
    fn from(risk: AcceptedRisk) -> Self {
        Self { id: risk.id.to_string(), until: risk.until, reason: risk.reason }
    }
}

impl From<SecurityUpdate> for SecurityUpdateView {
    fn from(update: SecurityUpdate) -> Self {
        Self {
            site_id: update.site_id.0,
            site_name: update.site_name,
            project: update.project.map(|project| project.to_string()),
            version: update.version,
            recommended: update.recommended,
            status: update.status,
            security_updates: update.security_updates,
            modules: update.modules.iter().map(ToString::to_string).collect(),
            class: update.class.as_str(),
            unknown_reason: update.unknown.map(UnknownReason::as_str),
            insecure_since: update.insecure_since,
            accepted: update.accepted.map(AcceptedView::from),
        }
    }
}

impl SecurityUpdateView {
    /// The security releases, newest first, with spaces between them.
    pub(crate) fn fixes(&self) -> String {
        let versions: Vec<&str> = self.security_updates.iter().map(|release| release.version.as_str()).collect();
        versions.join(" ")
    }
}

impl CsvRow for SecurityUpdateView {
    const COLUMNS: &'static [&'static str] = &[
        "site_id",
        "site_name",
        "project",
        "version",
        "recommended",
        "status",
        "security_updates",
        "modules",
        "class",
        "unknown_reason",
        "insecure_since",
        "accepted_until",
        "accepted_reason",
    ];

    fn cells(self) -> Vec<String> {
        let fixes = self.fixes();
        let (until, reason) = self.accepted.map(|risk| (rfc3339(risk.until), risk.reason)).unzip();
        vec![
            self.site_id.to_string(),
            self.site_name,
            self.project.unwrap_or_default(),
            self.version.unwrap_or_default(),
            self.recommended.unwrap_or_default(),
            self.status.map(UpdateStatus::as_str).unwrap_or_default().to_owned(),
            fixes,
            self.modules.join(" "),
            self.class.to_owned(),
            self.unknown_reason.unwrap_or_default().to_owned(),
            self.insecure_since.map(rfc3339).unwrap_or_default(),
            until.unwrap_or_default(),
            reason.unwrap_or_default(),
        ]
    }
}

/// A part of either list.
#[derive(Serialize, ToSchema)]
pub(crate) struct SecurityUpdateList {
    pub(crate) items: Vec<SecurityRow>,
    pub(crate) next_cursor: Option<String>,
    /// The figures of the sites that the list is about, all of them; with the first part only, and not of what was fixed.
    pub(crate) figures: Option<Figures>,
}

impl SecurityUpdateList {
    /// A part of the list of what is open; `totals` with the first one.
    pub(crate) fn open(list: List<SecurityUpdateView>, totals: Option<SecurityTotals>) -> Self {
        let items = list.items.into_iter().map(SecurityRow::Open).collect();
        Self { items, next_cursor: list.next_cursor, figures: totals.map(Figures::from) }
    }

    /// A part of the list of what was fixed.
    pub(crate) fn fixed(list: List<FixedView>) -> Self {
        let items = list.items.into_iter().map(SecurityRow::Fixed).collect();
        Self { items, next_cursor: list.next_cursor, figures: None }
    }
}

/// The figures of several sites together.
#[derive(Serialize, ToSchema)]
#[schema(as = SecurityFigures)]
pub(crate) struct Figures {
    /// Extensions in use that need a security update.
    security_updates_found: i32,
    /// Distinct projects of those, counted for each site.
    security_projects: i32,
    security_unsupported: i32,
    /// Extensions in use that could not be judged. While there are any, an empty list does not say that all is fine.
    security_unknown: i32,
    #[serde(flatten)]
    coverage: Coverage,
    /// Sites of which something could not be judged.
    sites_with_unknown: i64,
}

impl From<SecurityTotals> for Figures {
    fn from(totals: SecurityTotals) -> Self {
        let SecurityTotals { security, sites_with_unknown } = totals;
        Self {
            security_updates_found: security.updates_found,
            security_projects: security.projects,
            security_unsupported: security.unsupported,
            security_unknown: security.unknown,
            coverage: Coverage::of(&security),
            sites_with_unknown,
        }
    }
}

/// A security update that a site needed and no longer needs.
#[derive(Serialize, ToSchema)]
#[schema(as = FixedSecurityUpdate)]
pub(crate) struct FixedView {
    site_id: i64,
    site_name: String,
    project: String,
    #[serde(with = "time::serde::rfc3339")]
    insecure_since: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    fixed_at: OffsetDateTime,
}

impl From<FixedFinding> for FixedView {
    fn from(finding: FixedFinding) -> Self {
        Self {
            site_id: finding.site_id.0,
            site_name: finding.site_name,
            project: finding.project.to_string(),
            insecure_since: finding.insecure_since,
            fixed_at: finding.fixed_at,
        }
    }
}

impl CsvRow for FixedView {
    const COLUMNS: &'static [&'static str] = &["site_id", "site_name", "project", "insecure_since", "fixed_at"];

    fn cells(self) -> Vec<String> {
        let (since, fixed) = (rfc3339(self.insecure_since), rfc3339(self.fixed_at));
        vec![self.site_id.to_string(), self.site_name, self.project, since, fixed]
    }
}

/// A row of either list.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum SecurityRow {
    Open(SecurityUpdateView),
    Fixed(FixedView),
}

//! A site as people and programs see it, on the command line and over HTTP.

use module_monitor_domain::{CoreCoverage, Kept, Reporting, Site};
use module_monitor_storage::SiteBounds;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::coverage::Coverage;
use super::csv::CsvRow;
use super::keys::IssuedKeyView;
use super::time::rfc3339;
use super::words;

/// The site object.
#[derive(Serialize, ToSchema)]
#[schema(as = Site)]
pub(crate) struct SiteView {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) url: Option<String>,
    /// What an administrator said, else what the site last reported.
    pub(crate) environment: Option<String>,
    /// In alphabetical order.
    pub(crate) tags: Vec<String>,
    /// Whether it may report.
    pub(crate) active: bool,
    /// Syncs it may send in the window of the rate limit; `null` for the server's default.
    pub(crate) rate_limit: Option<u32>,
    /// Seconds without a report after which it is silent; `null` for 26 hours.
    pub(crate) silent_after: Option<u32>,
    /// Whether reports that come from another environment or URL are refused instead of warned about.
    pub(crate) strict_identity: bool,
    pub(crate) drupal_version: Option<String>,
    pub(crate) php_version: Option<String>,
    /// What the site last told of its surroundings.
    #[schema(schema_with = words::facts)]
    pub(crate) facts: Option<Value>,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) last_sync_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) last_full_sync_at: Option<OffsetDateTime>,
    /// Whether a report has been due for longer than `silent_after`; never of a deactivated site.
    pub(crate) silent: bool,
    /// `failing` where the last 3 attempts were refused, or more; else `never` where no report was ever applied; `partial`
    /// where enabled extensions of the last one could not be read.
    #[schema(schema_with = words::reporting)]
    pub(crate) reporting: &'static str,
    /// The `code` that the last attempt was refused with, where no report was applied since.
    pub(crate) last_refusal: Option<String>,
    /// Its last full report removed more than half of its modules; until acknowledged, or the next full report.
    pub(crate) mass_removal: bool,
    /// It has reported under more than one environment or URL; until acknowledged.
    pub(crate) conflict: bool,
    /// Extensions in use that need a security update.
    pub(crate) security_updates_found: i32,
    pub(crate) security_projects: i32,
    /// Extensions in use that nobody publishes security updates for any more.
    pub(crate) security_unsupported: i32,
    /// Extensions in use that could not be judged. While there are any, the site is not known to be fine.
    pub(crate) security_unknown: i32,
    #[serde(flatten)]
    pub(crate) coverage: Coverage,
    pub(crate) kept: KeptView,
}

/// What is kept of a site, as far as it is bounded, and the bounds: see `--site-modules`, `--site-details` and
/// `--site-history`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Kept)]
pub(crate) struct KeptView {
    /// Modules that it has or had.
    pub(crate) modules: u32,
    /// Bytes of the history of its modules and of what its syncs were answered.
    pub(crate) history_bytes: u64,
    /// Nothing that happened since then is missing from the histories of its modules; `null` where nothing is missing at all.
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) history_since: Option<OffsetDateTime>,
    // The bounds are missing on the command line, which does not know with what the servers were started.
    /// What `modules` may come to, on the server that answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64, required = true)]
    pub(crate) modules_bound: Option<u64>,
    /// Bytes that descriptions, dependencies and the like may take on the rows of its modules; and as many it may bring into
    /// the registry in a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64, required = true)]
    pub(crate) details_bytes_bound: Option<u64>,
    /// What `history_bytes` may come to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64, required = true)]
    pub(crate) history_bytes_bound: Option<u64>,
}

impl KeptView {
    fn of(kept: Kept, bounds: Option<SiteBounds>) -> Self {
        let Kept { modules, history_bytes, history_since } = kept;
        Self {
            modules,
            history_bytes,
            history_since,
            modules_bound: bounds.map(|bounds| bounds.modules as u64),
            details_bytes_bound: bounds.map(|bounds| bounds.details_bytes as u64),
            history_bytes_bound: bounds.map(|bounds| bounds.history_bytes as u64),
        }
    }
}

impl SiteView {
    /// `site` as it stands at `now`, and the bounds where they are known.
    pub(crate) fn of(site: Site, now: OffsetDateTime, bounds: Option<SiteBounds>) -> Self {
        Self {
            silent: site.is_silent(now),
            id: site.id.0,
            name: site.name,
            url: site.url,
            environment: site.environment,
            tags: site.tags,
            active: site.active,
            rate_limit: site.rate_limit,
            silent_after: site.silent_after,
            strict_identity: site.strict_identity,
            drupal_version: site.drupal_version,
            php_version: site.php_version,
            facts: site.facts.and_then(|json| serde_json::from_str(&json).ok()),
            created_at: site.created_at,
            last_sync_at: site.last_sync_at,
            last_full_sync_at: site.last_full_sync_at,
            reporting: site.reporting.as_str(),
            last_refusal: site.last_refusal,
            mass_removal: site.mass_removal,
            conflict: site.conflict,
            security_updates_found: site.security.updates_found,
            security_projects: site.security.projects,
            security_unsupported: site.security.unsupported,
            security_unknown: site.security.unknown,
            coverage: Coverage::of(&site.security),
            kept: KeptView::of(site.kept, bounds),
        }
    }

    /// What asks for attention.
    pub(crate) fn notes(&self) -> String {
        let security = format!("{} security updates", self.security_updates_found);
        let unsupported = format!("{} unsupported", self.security_unsupported);
        let unknown = format!("{} unknown", self.security_unknown);
        let failing = format!("failing: {}", self.last_refusal.as_deref().unwrap_or("unknown"));
        let notes = [
            (!self.active, "deactivated"),
            (self.security_updates_found > 0, &security),
            (self.security_unsupported > 0, &unsupported),
            (self.security_unknown > 0, &unknown),
            (self.reporting == Reporting::Failing.as_str(), &failing),
            (self.last_sync_at.is_none(), "never reported"),
            (self.silent, "silent"),
            (self.mass_removal, "mass removal"),
            (self.conflict, "conflict"),
        ];
        let notes: Vec<&str> = notes.into_iter().filter(|(holds, _)| *holds).map(|(_, note)| note).collect();
        notes.join(", ")
    }
}

impl CsvRow for SiteView {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "name",
        "url",
        "environment",
        "tags",
        "active",
        "rate_limit",
        "silent_after",
        "strict_identity",
        "drupal_version",
        "php_version",
        "created_at",
        "last_sync_at",
        "last_full_sync_at",
        "silent",
        "reporting",
        "last_refusal",
        "mass_removal",
        "conflict",
        "security_updates_found",
        "security_projects",
        "security_unsupported",
        "security_unknown",
        "unknown_rejected",
        "unknown_unidentified",
        "unknown_not_on_drupal_org",
        "unknown_not_fetched",
        "unknown_no_version",
        "unknown_not_comparable",
        "coverage_insecure",
        "coverage_unsupported",
        "coverage_unknown",
        "coverage_own",
        "coverage_secure",
        "not_covered",
        "accepted_insecure",
        "accepted_unsupported",
        "accepted_unknown",
        "recounting",
        "kept_modules",
        "kept_history_bytes",
        "kept_history_since",
        "kept_modules_bound",
        "kept_details_bytes_bound",
        "kept_history_bytes_bound",
    ];

    /// What is `null` elsewhere is empty here.
    fn cells(self) -> Vec<String> {
        let number = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
        let bound = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
        let time = |at: Option<OffsetDateTime>| at.map(rfc3339).unwrap_or_default();
        let Coverage { unknown_reasons: reasons, coverage, not_covered, accepted, recounting } = self.coverage;
        vec![
            self.id.to_string(),
            self.name,
            self.url.unwrap_or_default(),
            self.environment.unwrap_or_default(),
            self.tags.join(" "),
            self.active.to_string(),
            number(self.rate_limit),
            number(self.silent_after),
            self.strict_identity.to_string(),
            self.drupal_version.unwrap_or_default(),
            self.php_version.unwrap_or_default(),
            time(Some(self.created_at)),
            time(self.last_sync_at),
            time(self.last_full_sync_at),
            self.silent.to_string(),
            self.reporting.to_owned(),
            self.last_refusal.unwrap_or_default(),
            self.mass_removal.to_string(),
            self.conflict.to_string(),
            self.security_updates_found.to_string(),
            self.security_projects.to_string(),
            self.security_unsupported.to_string(),
            self.security_unknown.to_string(),
            reasons.rejected.to_string(),
            reasons.unidentified.to_string(),
            reasons.not_on_drupal_org.to_string(),
            reasons.not_fetched.to_string(),
            reasons.no_version.to_string(),
            reasons.not_comparable.to_string(),
            coverage.insecure.to_string(),
            coverage.unsupported.to_string(),
            coverage.unknown.to_string(),
            coverage.own.to_string(),
            coverage.secure.to_string(),
            not_covered.to_string(),
            accepted.insecure.to_string(),
            accepted.unsupported.to_string(),
            accepted.unknown.to_string(),
            recounting.to_string(),
            self.kept.modules.to_string(),
            self.kept.history_bytes.to_string(),
            self.kept.history_since.map(rfc3339).unwrap_or_default(),
            bound(self.kept.modules_bound),
            bound(self.kept.details_bytes_bound),
            bound(self.kept.history_bytes_bound),
        ]
    }
}

/// A site by itself.
#[derive(Serialize, ToSchema)]
#[schema(as = SingleSite)]
pub(crate) struct SingleSite {
    #[serde(flatten)]
    pub(crate) site: SiteView,
    /// Until when its Drupal core gets security releases; `null` where that cannot be told.
    #[schema(schema_with = words::core_coverage_or_null)]
    pub(crate) core_security_coverage: Option<CoreCoverage>,
}

/// A site that has just been registered.
#[derive(Serialize, ToSchema)]
pub(crate) struct Registered {
    pub(crate) site: SingleSite,
    pub(crate) key: IssuedKeyView,
}

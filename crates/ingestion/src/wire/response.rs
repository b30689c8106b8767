//! The answer to an applied sync.

use std::collections::BTreeMap;

use module_monitor_domain::{CoverageClass, Rejection, SyncOutcome, UnknownReason, bounded_warnings};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// The body of a 200, and the `result` of a sync that is asked for later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncResponse {
    /// Always true: the report has been applied.
    pub success: bool,
    /// `sync_` and a UUID.
    pub sync_id: String,
    /// The site that reported.
    pub site_id: i64,
    /// Distinct modules accepted.
    pub processed_count: usize,
    /// Modules that were not on the site before, restored ones included.
    pub new_modules: usize,
    /// Modules whose version changed.
    pub updated_modules: usize,
    /// Modules that were present before and are missing from a full report.
    pub removed_modules: usize,
    /// Extensions in use that need a security update.
    pub security_updates_found: i32,
    /// Distinct projects of those.
    pub security_projects: i32,
    /// Extensions in use that nobody publishes security updates for any more.
    pub security_unsupported: i32,
    /// Extensions in use that could not be judged.
    pub security_unknown: i32,
    /// Why they could not, by the name of the reason: see [`UnknownReason`]. They add up to `security_unknown`.
    pub unknown_reasons: BTreeMap<UnknownReason, i32>,
    /// Every extension in use in its class; accepted risks are in theirs.
    pub coverage: BTreeMap<CoverageClass, i32>,
    /// Of those in the class `secure`, how many nobody publishes advisories for.
    pub not_covered: i32,
    /// Of `insecure`, `unsupported` and `unknown`, how many are accepted risks.
    pub accepted: BTreeMap<CoverageClass, i32>,
    /// The age of the release data behind these figures.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub security_data_as_of: Option<OffsetDateTime>,
    /// Whether the figures are about to be counted again.
    #[serde(default)]
    pub recounting: bool,
    /// What the people who look after the site should know, in at most 50 lines and 16 KiB.
    pub warnings: Vec<String>,
    /// One line for each entry of `rejected`.
    pub errors: Vec<String>,
    /// The modules that lenient handling left out, one entry for each problem, the first 200 of them; left out itself when
    /// empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<Rejection>,
    /// Milliseconds from receipt until the result was written.
    pub processing_time_ms: i64,
    /// When the site should report next.
    #[serde(with = "time::serde::rfc3339")]
    pub next_sync_after: OffsetDateTime,
}

impl From<SyncOutcome> for SyncResponse {
    fn from(outcome: SyncOutcome) -> Self {
        let SyncOutcome { counts, security, warnings, rejected, .. } = outcome;
        let mut warnings = bounded_warnings(warnings);
        if security.unknown > 0 {
            warnings.push(format!("Security status not known yet for {} modules", security.unknown));
        }
        Self {
            success: true,
            sync_id: outcome.sync_id.to_string(),
            site_id: outcome.site_id.0,
            processed_count: counts.processed,
            new_modules: counts.new,
            updated_modules: counts.updated,
            removed_modules: counts.removed,
            security_updates_found: security.updates_found,
            security_projects: security.projects,
            security_unsupported: security.unsupported,
            security_unknown: security.unknown,
            unknown_reasons: security.unknown_reasons().into(),
            coverage: security.coverage().into(),
            not_covered: security.rest.not_covered,
            accepted: security.accepted().into(),
            security_data_as_of: security.data_as_of,
            recounting: security.recounting,
            warnings,
            errors: rejected.iter().map(line).collect(),
            rejected,
            processing_time_ms: outcome.processing_time_ms,
            next_sync_after: outcome.next_sync_after,
        }
    }
}

fn line(rejection: &Rejection) -> String {
    let Rejection { pointer, machine_name, detail, .. } = rejection;
    match machine_name {
        Some(name) => format!("Module {name} was rejected: {detail} ({pointer})"),
        None => format!("An item without a readable name was rejected: {detail} ({pointer})"),
    }
}

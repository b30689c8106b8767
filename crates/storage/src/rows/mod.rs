//! Rows as the tables have them, and what they mean.

mod inventory;
mod jobs;
mod keys;
mod registry;
mod releases;
mod security;
mod sites;
mod syncs;

use module_monitor_domain::{DrupalVersion, MachineName};
use time::OffsetDateTime;

pub(crate) use inventory::{CountRow, CurrentRow, EventRow, SiteModuleRow};
pub(crate) use jobs::{AheadRow, ClaimedRow, HeadRow, JobErrorRow, JobRow, LoadRow, PayloadRow, QueueFiguresRow};
pub(crate) use keys::{GrantRow, KeyRow, RevisionRow};
pub(crate) use registry::{ModuleIdRow, ModuleRow, ModuleSiteRow, VersionIdRow, VersionRow};
pub(crate) use releases::{
    AssessmentKeyRow, AssessmentRow, ProjectRow, ReleaseFiguresRow, ReleaseRow, RevisedRow, histories,
};
pub(crate) use security::{
    AcceptanceRow, FiguresRow, FixedRow, InsecureModuleRow, ProjectModuleRow, project_sites, recount_page,
    security_updates,
};
pub(crate) use sites::{SecurityRow, SiteIdRow, SiteRow, SiteStateRow};
pub(crate) use syncs::{AdminEventRow, AuditRow, IdempotencyRow, MigrationRow, RejectedRow};

use crate::StorageError;
use crate::sql_types::At;

/// Reads a stored text as what it was when it was stored.
fn read<T>(what: &'static str, text: &str, parsed: Option<T>) -> Result<T, StorageError> {
    parsed.ok_or_else(|| StorageError::corrupt(what, text))
}

fn read_name(text: &str) -> Result<MachineName, StorageError> {
    read("machine name", text, MachineName::parse(text).ok())
}

fn read_version(text: &str) -> Result<DrupalVersion, StorageError> {
    read("version", text, DrupalVersion::parse(text).ok())
}

/// When a site last had a module: written down on removal, derived while it is present.
fn last_seen(written: Option<At>, last_full_sync_at: Option<At>, last_reported_at: At) -> OffsetDateTime {
    let derived = last_full_sync_at.map_or(last_reported_at, |full| full.max(last_reported_at));
    written.unwrap_or(derived).0
}

fn read_json<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StorageError> {
    read(what, text, serde_json::from_str(text).ok())
}

fn moment(at: Option<At>) -> Option<OffsetDateTime> {
    at.map(|at| at.0)
}

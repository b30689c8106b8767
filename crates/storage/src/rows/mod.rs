//! Rows as the tables have them, and what they mean.

mod inventory;
mod keys;
mod registry;
mod releases;
mod security;
mod sites;
mod syncs;

use module_monitor_domain::MachineName;
use time::OffsetDateTime;

pub(crate) use inventory::{CountRow, CurrentRow, EventRow, SiteModuleRow};
pub(crate) use keys::{GrantRow, KeyRow, RevisionRow};
pub(crate) use registry::{ModuleIdRow, ModuleRow, VersionIdRow};
pub(crate) use releases::{
    AssessmentKeyRow, AssessmentRow, ProjectRow, ReleaseFiguresRow, ReleaseRow, RevisedRow, SiteIdRow, histories,
};
pub(crate) use security::{
    AcceptanceRow, FiguresRow, FixedRow, InsecureModuleRow, ProjectModuleRow, project_sites, recount_page,
    security_updates,
};
pub(crate) use sites::{SecurityRow, SiteRow, SiteStateRow};
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

fn read_json<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StorageError> {
    read(what, text, serde_json::from_str(text).ok())
}

fn moment(at: Option<At>) -> Option<OffsetDateTime> {
    at.map(|at| at.0)
}

//! Rows of the registry.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use module_monitor_domain::{Module, ModuleVersion, SiteId};

use super::ModuleSite;
use crate::bounds::{BranchCounts, side};
use crate::engine::error::StorageError;
use crate::engine::read::{moment, read_json, read_module_type, read_name, read_status, read_version};
use crate::engine::sql_types::{At, Moment};
use crate::inventory::rows::last_seen;

#[derive(QueryableByName)]
pub(super) struct ModuleRow {
    #[diesel(sql_type = Text)]
    machine_name: String,
    #[diesel(sql_type = Text, column_name = "type")]
    module_type: String,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    description: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    project_link: Option<String>,
    #[diesel(sql_type = Moment)]
    created_at: At,
    #[diesel(sql_type = Nullable<Moment>)]
    corrected_at: Option<At>,
}

impl TryFrom<ModuleRow> for Module {
    type Error = StorageError;

    fn try_from(row: ModuleRow) -> Result<Self, StorageError> {
        Ok(Self {
            machine_name: read_name(&row.machine_name)?,
            module_type: read_module_type(&row.module_type)?,
            name: row.name,
            description: row.description,
            project_link: row.project_link,
            created_at: row.created_at.0,
            corrected_at: moment(row.corrected_at),
        })
    }
}

/// A version of a module.
#[derive(QueryableByName)]
pub(super) struct VersionRow {
    #[diesel(sql_type = Text)]
    machine_name: String,
    #[diesel(sql_type = Text)]
    version: String,
    #[diesel(sql_type = Nullable<Text>)]
    details: Option<String>,
    #[diesel(sql_type = Nullable<Moment>)]
    released_at: Option<At>,
}

impl TryFrom<VersionRow> for ModuleVersion {
    type Error = StorageError;

    fn try_from(row: VersionRow) -> Result<Self, StorageError> {
        Ok(Self {
            machine_name: read_name(&row.machine_name)?,
            version: read_version(&row.version)?,
            details: row.details.map(|json| read_json("module details", &json)).transpose()?,
            released_at: moment(row.released_at),
        })
    }
}

/// A site that has a module.
#[derive(QueryableByName)]
pub(super) struct ModuleSiteRow {
    #[diesel(sql_type = BigInt)]
    site_id: i64,
    #[diesel(sql_type = Text)]
    site_name: String,
    #[diesel(sql_type = Nullable<Moment>)]
    last_full_sync_at: Option<At>,
    #[diesel(sql_type = Nullable<Text>)]
    version: Option<String>,
    #[diesel(sql_type = Bool)]
    enabled: bool,
    #[diesel(sql_type = Text, column_name = "type")]
    module_type: String,
    #[diesel(sql_type = Moment)]
    first_seen: At,
    #[diesel(sql_type = Moment)]
    last_reported_at: At,
    #[diesel(sql_type = Nullable<Moment>)]
    last_seen: Option<At>,
    #[diesel(sql_type = Nullable<Moment>)]
    removed_at: Option<At>,
    #[diesel(sql_type = Nullable<Bool>)]
    same_branch: Option<bool>,
    #[diesel(sql_type = Nullable<Text>)]
    status: Option<String>,
}

impl TryFrom<ModuleSiteRow> for ModuleSite {
    type Error = StorageError;

    fn try_from(row: ModuleSiteRow) -> Result<Self, StorageError> {
        Ok(Self {
            site_id: SiteId(row.site_id),
            site_name: row.site_name,
            version: row.version.as_deref().map(read_version).transpose()?,
            status: row.status.as_deref().map(read_status).transpose()?,
            branch: side(row.same_branch),
            enabled: row.enabled,
            module_type: read_module_type(&row.module_type)?,
            first_seen: row.first_seen.0,
            last_seen: last_seen(row.last_seen, row.last_full_sync_at, row.last_reported_at),
            removed_at: moment(row.removed_at),
        })
    }
}

/// The project of a module.
#[derive(QueryableByName)]
pub(super) struct ModuleProjectRow {
    #[diesel(sql_type = Text)]
    pub(super) project: String,
}

/// The sites of a list.
#[derive(QueryableByName)]
pub(super) struct SiteCountRow {
    #[diesel(sql_type = BigInt)]
    same: i64,
    #[diesel(sql_type = BigInt)]
    total: i64,
}

impl From<SiteCountRow> for BranchCounts {
    fn from(row: SiteCountRow) -> Self {
        Self::of(row.same, row.total)
    }
}

/// The id and type of a registry row.
#[derive(QueryableByName)]
pub(crate) struct ModuleIdRow {
    #[diesel(sql_type = BigInt)]
    pub(crate) id: i64,
    #[diesel(sql_type = Text)]
    pub(crate) machine_name: String,
    #[diesel(sql_type = Text, column_name = "type")]
    pub(crate) module_type: String,
}

/// The id of a registry version.
#[derive(QueryableByName)]
pub(crate) struct VersionIdRow {
    #[diesel(sql_type = BigInt)]
    pub(crate) id: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) module_id: i64,
    #[diesel(sql_type = Text)]
    pub(crate) version: String,
    #[diesel(sql_type = Bool)]
    pub(crate) described: bool,
}

/// How far ids that a process remembers can be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, QueryableByName)]
pub(crate) struct GenerationRow {
    /// Grows when rows are removed.
    #[diesel(sql_type = BigInt)]
    pub(crate) generation: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) newest_module: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) newest_version: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) newest_assessment: i64,
}

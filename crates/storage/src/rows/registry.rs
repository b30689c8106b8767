//! Rows of the registry.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use module_monitor_domain::{MachineName, Module, ModuleType, ModuleVersion, SiteId};

use super::{last_seen, moment, read, read_json, read_name, read_version};
use crate::id_cache::KnownModule;
use crate::sql_types::{At, DbId, Id, Moment};
use crate::{ModuleSite, StorageError};

#[derive(QueryableByName)]
pub(crate) struct ModuleRow {
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
            module_type: read("module type", &row.module_type, ModuleType::from_name(&row.module_type))?,
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
pub(crate) struct VersionRow {
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
pub(crate) struct ModuleSiteRow {
    #[diesel(sql_type = Id)]
    site_id: DbId,
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
}

impl TryFrom<ModuleSiteRow> for ModuleSite {
    type Error = StorageError;

    fn try_from(row: ModuleSiteRow) -> Result<Self, StorageError> {
        Ok(Self {
            site_id: SiteId(row.site_id.0),
            site_name: row.site_name,
            version: row.version.as_deref().map(read_version).transpose()?,
            enabled: row.enabled,
            module_type: read("module type", &row.module_type, ModuleType::from_name(&row.module_type))?,
            first_seen: row.first_seen.0,
            last_seen: last_seen(row.last_seen, row.last_full_sync_at, row.last_reported_at),
            removed_at: moment(row.removed_at),
        })
    }
}

/// The id and type of a registry row.
#[derive(QueryableByName)]
pub(crate) struct ModuleIdRow {
    #[diesel(sql_type = BigInt)]
    pub(crate) id: i64,
    #[diesel(sql_type = Text)]
    machine_name: String,
    #[diesel(sql_type = Text, column_name = "type")]
    module_type: String,
}

impl ModuleIdRow {
    pub(crate) fn known(&self) -> Result<(MachineName, KnownModule), StorageError> {
        let module_type = read("module type", &self.module_type, ModuleType::from_name(&self.module_type))?;
        Ok((read_name(&self.machine_name)?, KnownModule { id: self.id, module_type }))
    }
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

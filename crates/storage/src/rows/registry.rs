//! Rows of the registry.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use module_monitor_domain::{MachineName, Module, ModuleType};

use super::{read, read_name};
use crate::StorageError;
use crate::id_cache::KnownModule;
use crate::sql_types::{At, Moment};

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

//! Rows of what is known of names.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};
use module_monitor_domain::{MachineName, Settled, Settlement};

use crate::engine::error::StorageError;
use crate::engine::read::{read_name, read_project};

/// A settlement, or that a name is a project on drupal.org.
#[derive(QueryableByName)]
pub(crate) struct KnownNameRow {
    #[diesel(sql_type = Text)]
    machine_name: String,
    #[diesel(sql_type = Bool)]
    settled: bool,
    #[diesel(sql_type = Nullable<Text>)]
    project: Option<String>,
    #[diesel(sql_type = Bool)]
    for_all: bool,
    /// drupal.org has no release history of that name.
    #[diesel(sql_type = Bool)]
    pub(crate) absent: bool,
}

impl KnownNameRow {
    pub(crate) fn name(&self) -> Result<MachineName, StorageError> {
        read_name(&self.machine_name)
    }

    /// What was settled; `None` where the row says something else.
    pub(crate) fn settled(&self) -> Result<Option<Settled>, StorageError> {
        if !self.settled {
            return Ok(None);
        }
        let settlement = match &self.project {
            Some(project) => Settlement::Project(read_project(project)?),
            None => Settlement::Own,
        };
        Ok(Some(Settled { settlement, for_all: self.for_all }))
    }
}

/// How an extension stands whose row stays as it is otherwise.
pub(crate) struct StandingWrite {
    pub(crate) module_id: i64,
    /// Whether it points to another assessment than before.
    pub(crate) assessed: bool,
    pub(crate) assessment_id: Option<i64>,
    pub(crate) in_use: bool,
    pub(crate) identification: Option<&'static str>,
}

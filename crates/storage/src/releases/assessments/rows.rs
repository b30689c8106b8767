//! Rows of assessments.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use module_monitor_domain::ProjectName;

use super::key::Key;
use crate::engine::error::StorageError;
use crate::engine::read::read_project;
use crate::engine::sql_types::{At, Moment};

/// An assessment that a sync needs.
#[derive(QueryableByName)]
pub(crate) struct FoundRow {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    #[diesel(sql_type = Text)]
    project: String,
    #[diesel(sql_type = Text)]
    version: String,
    #[diesel(sql_type = BigInt)]
    datestamp: i64,
}

impl FoundRow {
    pub(super) fn key(&self) -> Result<Key, StorageError> {
        let project = read_project(&self.project)?;
        Ok(Key { project, version: self.version.clone(), datestamp: self.datestamp })
    }
}

/// A project that a site uses, and how far it has been asked about.
#[derive(QueryableByName)]
pub(crate) struct KnownProjectRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    there: bool,
    /// Whether drupal.org was ever asked.
    #[diesel(sql_type = Bool)]
    pub(super) asked: bool,
    /// The turn of one that was never asked about and that another site introduced.
    #[diesel(sql_type = Nullable<Moment>)]
    pub(super) waits_until: Option<At>,
}

impl KnownProjectRow {
    pub(super) fn name(&self) -> Result<ProjectName, StorageError> {
        read_project(&self.name)
    }

    pub(super) fn is_new(&self) -> bool {
        !self.there
    }
}

/// An assessment as it stands.
#[derive(QueryableByName)]
pub(crate) struct AssessmentRow {
    #[diesel(sql_type = BigInt)]
    pub(crate) id: i64,
    #[diesel(sql_type = Text)]
    pub(crate) version: String,
    #[diesel(sql_type = BigInt)]
    pub(crate) datestamp: i64,
    #[diesel(sql_type = Text)]
    pub(crate) status: String,
    #[diesel(sql_type = Bool)]
    pub(crate) needs_update: bool,
    #[diesel(sql_type = Text)]
    pub(crate) class: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) reason: Option<String>,
    #[diesel(sql_type = Bool)]
    pub(crate) covered: bool,
    #[diesel(sql_type = Text)]
    pub(crate) security_updates: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) recommended: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) core_compatibility: Option<String>,
}

/// How many versions of a project a site has named first.
#[derive(QueryableByName)]
pub(crate) struct IntroducedRow {
    #[diesel(sql_type = Text)]
    pub(crate) project: String,
    #[diesel(sql_type = BigInt)]
    pub(crate) count: i64,
}

//! Rows of inventories.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use module_monitor_domain::{
    CoreVersion, Extension, Judgement, ModuleDetails, SiteDetails, SiteModule, SiteModuleState, needs_another_core,
};
use time::OffsetDateTime;

use super::details::read_own_details;
use crate::engine::error::StorageError;
use crate::engine::read::{
    moment, read, read_class, read_json, read_module_type, read_name, read_project, read_reason, read_status,
    read_version,
};
use crate::engine::sql_types::{At, Moment};

/// The columns of a site's module that its state is made of, the version already looked up.
#[derive(QueryableByName)]
pub(super) struct StateColumns {
    #[diesel(sql_type = Nullable<Text>)]
    version: Option<String>,
    #[diesel(sql_type = Bool)]
    enabled: bool,
    #[diesel(sql_type = Text, column_name = "type")]
    module_type: String,
    #[diesel(sql_type = Text)]
    extension: String,
    #[diesel(sql_type = Nullable<Text>)]
    project: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    datestamp: Option<i64>,
    #[diesel(sql_type = Nullable<Integer>)]
    schema_version: Option<i32>,
    #[diesel(sql_type = Bool)]
    security_coverage: bool,
    #[diesel(sql_type = Nullable<Text>)]
    own_details: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    base_theme: Option<String>,
}

impl TryFrom<StateColumns> for SiteModuleState {
    type Error = StorageError;

    fn try_from(row: StateColumns) -> Result<Self, StorageError> {
        let version = row.version.as_deref().map(read_version).transpose()?;
        let project = row.project.map(|p| read_project(&p)).transpose()?;
        let (own_details, site_details) = read_own_details(row.own_details.as_deref())?;
        let base_theme = row.base_theme.as_deref().map(read_name).transpose()?;
        Ok(Self {
            version,
            enabled: row.enabled,
            module_type: read_module_type(&row.module_type)?,
            extension: read("extension", &row.extension, Extension::from_name(&row.extension))?,
            project,
            datestamp: row.datestamp,
            schema_version: row.schema_version,
            security_coverage: row.security_coverage,
            own_details,
            site_details: SiteDetails { base_theme, ..site_details },
        })
    }
}

/// A module of a site with what the registry says of it.
#[derive(QueryableByName)]
pub(super) struct SiteModuleRow {
    #[diesel(sql_type = Text)]
    machine_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    registry_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    registry_description: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    registry_link: Option<String>,
    #[diesel(sql_type = Bool)]
    corrected: bool,
    #[diesel(sql_type = Nullable<Text>)]
    version_details: Option<String>,
    #[diesel(sql_type = Moment)]
    first_seen: At,
    #[diesel(sql_type = Moment)]
    last_updated: At,
    #[diesel(sql_type = Moment)]
    last_reported_at: At,
    #[diesel(sql_type = Nullable<Moment>)]
    last_full_sync_at: Option<At>,
    #[diesel(sql_type = Nullable<Moment>)]
    removed_at: Option<At>,
    #[diesel(sql_type = Nullable<Moment>)]
    last_seen: Option<At>,
    #[diesel(sql_type = Nullable<Text>)]
    update_status: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    security_updates: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    recommended: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    recommended_core: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    drupal_version: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    class: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    unknown_reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    rejected: Option<String>,
    #[diesel(embed)]
    state: StateColumns,
}

impl SiteModuleRow {
    fn judgement(&self) -> Result<Option<Judgement>, StorageError> {
        let Some(status) = &self.update_status else {
            return Ok(None);
        };
        let updates = self.security_updates.as_deref();
        let core = self.drupal_version.as_deref().and_then(|version| CoreVersion::parse(version).ok());
        let another = |cores: &&String| core.as_ref().is_some_and(|core| needs_another_core(cores, core));
        Ok(Some(Judgement {
            status: read_status(status)?,
            security_updates: updates
                .map(|json| read_json("list of security releases", json))
                .transpose()?
                .unwrap_or_default(),
            recommended: self.recommended.clone(),
            core_compatibility: self.recommended_core.as_ref().filter(another).cloned(),
        }))
    }
}

impl TryFrom<SiteModuleRow> for SiteModule {
    type Error = StorageError;

    fn try_from(row: SiteModuleRow) -> Result<Self, StorageError> {
        let judgement = row.judgement()?;
        let state = SiteModuleState::try_from(row.state)?;
        let release: Option<ModuleDetails> =
            row.version_details.map(|json| read_json("module details", &json)).transpose()?;
        let details = state.own_details.clone().unwrap_or_else(|| {
            let release = release.unwrap_or_default();
            let named = Some(release.name.clone()).filter(|name| !name.is_empty());
            // What an administrator has corrected wins over what the release's first report said.
            let chosen = |of_release: Option<String>, of_registry: Option<String>| match row.corrected {
                true => of_registry.or(of_release),
                false => of_release.or(of_registry),
            };
            ModuleDetails {
                name: row.registry_name.or(named).unwrap_or_else(|| row.machine_name.clone()),
                description: chosen(release.description, row.registry_description),
                // Of drupal.org's data, where there is any.
                project_link: row.registry_link.or(release.project_link),
                ..release
            }
        });
        Ok(Self {
            machine_name: read_name(&row.machine_name)?,
            state,
            details,
            judgement,
            class: row.class.as_deref().map(read_class).transpose()?,
            unknown_reason: row.unknown_reason.as_deref().map(read_reason).transpose()?,
            rejected: row.rejected.is_some(),
            first_seen: row.first_seen.0,
            last_seen: last_seen(row.last_seen, row.last_full_sync_at, row.last_reported_at),
            last_updated: row.last_updated.0,
            removed_at: moment(row.removed_at),
        })
    }
}

/// When a site last had a module: written down on removal, derived while it is present.
pub(crate) fn last_seen(written: Option<At>, last_full_sync_at: Option<At>, last_reported_at: At) -> OffsetDateTime {
    let derived = last_full_sync_at.map_or(last_reported_at, |full| full.max(last_reported_at));
    written.unwrap_or(derived).0
}

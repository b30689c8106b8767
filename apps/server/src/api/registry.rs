//! The modules that all sites share, and the sites that have one.

use module_monitor_domain::{
    BranchSide, Description, Module, ModuleDetails, ModuleTitle, ModuleType, ModuleVersion, ProjectLink, UpdateStatus,
};
use module_monitor_ingestion::FieldError;
use module_monitor_storage::{BranchCounts, ModuleCorrection, ModuleSite};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::csv::CsvRow;
use super::fields::{Faults, given, nested};
use super::list::{BranchCountsView, List};
use super::time::rfc3339;
use super::words;

/// A module of the registry, on the wire.
#[derive(Serialize, ToSchema)]
pub(crate) struct RegistryModule {
    pub(crate) machine_name: String,
    #[schema(schema_with = words::module_type)]
    pub(crate) r#type: &'static str,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) project_link: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
    /// When an administrator last corrected its name, description or link.
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) corrected_at: Option<OffsetDateTime>,
}

impl From<Module> for RegistryModule {
    fn from(module: Module) -> Self {
        Self {
            machine_name: module.machine_name.to_string(),
            r#type: module.module_type.as_str(),
            name: module.name,
            description: module.description,
            project_link: module.project_link,
            created_at: module.created_at,
            corrected_at: module.corrected_at,
        }
    }
}

/// A version of a module.
#[derive(Serialize, ToSchema)]
pub(crate) struct RegistryVersion {
    pub(crate) version: String,
    /// The same as a semantic version, where it can be one.
    pub(crate) semver: Option<String>,
    /// When drupal.org released it, where that is known.
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) released_at: Option<OffsetDateTime>,
    pub(crate) name: Option<String>,
    pub(crate) package: Option<String>,
    pub(crate) core_compatibility: Vec<String>,
    pub(crate) dependencies: Vec<String>,
    pub(crate) description: Option<String>,
    pub(crate) project_link: Option<String>,
}

impl From<ModuleVersion> for RegistryVersion {
    fn from(version: ModuleVersion) -> Self {
        let known = version.details.is_some();
        let ModuleDetails { name, package, core_compatibility, dependencies, description, project_link } =
            version.details.unwrap_or_default();
        Self {
            semver: version.version.to_semver().map(|semver| semver.to_string()),
            version: version.version.to_string(),
            released_at: version.released_at,
            name: known.then_some(name),
            package,
            core_compatibility,
            dependencies,
            description,
            project_link,
        }
    }
}

/// What to correct; what is left out stays.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ModuleCorrection)]
pub(crate) struct Correction {
    /// What kind of code it is.
    #[schema(value_type = Option<String>, schema_with = words::module_type)]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) r#type: Option<ModuleType>,
    /// Display name, on one line.
    #[schema(
        value_type = Option<String>,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
    )]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<Option<String>>,
    /// What it does.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 10000, pattern = r"^[^\u0000]*$")]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<Option<String>>,
    /// Its page.
    #[schema(value_type = Option<String>, max_length = 2048)]
    #[schema(pattern = r"^https?://[^/\s\u0000-\u001f\u007f-\u009f][^\s\u0000-\u001f\u007f-\u009f]*$")]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) project_link: Option<Option<String>>,
}

impl Correction {
    /// The correction, or everything that is wrong with it.
    pub(crate) fn checked(&self) -> Result<ModuleCorrection, Vec<FieldError>> {
        let mut faults = Faults::default();
        let correction = ModuleCorrection {
            module_type: self.r#type,
            name: nested(&self.name, |name| faults.check("/name", ModuleTitle::parse(name))),
            description: nested(&self.description, |text| faults.check("/description", Description::parse(text))),
            project_link: nested(&self.project_link, |url| faults.check("/project_link", ProjectLink::parse(url))),
        };
        faults.finish()?;
        Ok(correction)
    }
}

/// A site that has a module.
#[derive(Serialize, ToSchema)]
#[schema(as = ModuleSite)]
pub(crate) struct ModuleSiteView {
    pub(crate) site_id: i64,
    pub(crate) site_name: String,
    pub(crate) version: Option<String>,
    #[schema(schema_with = words::branch_or_null)]
    pub(crate) branch: Option<BranchSide>,
    #[schema(schema_with = words::update_status_or_null)]
    pub(crate) update_status: Option<UpdateStatus>,
    pub(crate) enabled: bool,
    #[schema(schema_with = words::module_type)]
    pub(crate) r#type: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) first_seen: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) last_seen: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) removed_at: Option<OffsetDateTime>,
}

impl From<ModuleSite> for ModuleSiteView {
    fn from(site: ModuleSite) -> Self {
        Self {
            site_id: site.site_id.0,
            site_name: site.site_name,
            version: site.version.map(|version| version.to_string()),
            branch: site.branch,
            update_status: site.status,
            enabled: site.enabled,
            r#type: site.module_type.as_str(),
            first_seen: site.first_seen,
            last_seen: site.last_seen,
            removed_at: site.removed_at,
        }
    }
}

impl CsvRow for ModuleSiteView {
    const COLUMNS: &'static [&'static str] = &[
        "site_id",
        "site_name",
        "version",
        "branch",
        "update_status",
        "enabled",
        "type",
        "first_seen",
        "last_seen",
        "removed_at",
    ];

    fn cells(self) -> Vec<String> {
        vec![
            self.site_id.to_string(),
            self.site_name,
            self.version.unwrap_or_default(),
            self.branch.map(BranchSide::as_str).unwrap_or_default().to_owned(),
            self.update_status.map(UpdateStatus::as_str).unwrap_or_default().to_owned(),
            self.enabled.to_string(),
            self.r#type.to_owned(),
            rfc3339(self.first_seen),
            rfc3339(self.last_seen),
            self.removed_at.map(rfc3339).unwrap_or_default(),
        ]
    }
}

/// A part of the list of sites that have a module.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModuleSiteList {
    pub(crate) items: Vec<ModuleSiteView>,
    /// The `cursor` for the next part; `null` where this is the last.
    pub(crate) next_cursor: Option<String>,
    pub(crate) counts: Option<BranchCountsView>,
}

impl ModuleSiteList {
    /// A part of the list; `counts` are of the whole of it.
    pub(crate) fn new(list: List<ModuleSiteView>, counts: Option<BranchCounts>) -> Self {
        Self { items: list.items, next_cursor: list.next_cursor, counts: counts.map(BranchCountsView::from) }
    }
}

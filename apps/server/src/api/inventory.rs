//! What a site has installed, and what happened to it.

use module_monitor_domain::{
    CodeSource, CoverageClass, ModuleDetails, ModuleEvent, SecurityRelease, SiteDetails, SiteModule, SiteModuleState,
    UnknownReason, UpdateStatus,
};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::words;

/// An item of the inventory.
#[derive(Serialize, ToSchema)]
pub(crate) struct InventoryItem {
    pub(crate) machine_name: String,
    pub(crate) name: String,
    #[schema(schema_with = words::module_type)]
    pub(crate) r#type: &'static str,
    #[schema(schema_with = words::extension)]
    pub(crate) extension: &'static str,
    pub(crate) version: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) project: Option<String>,
    #[schema(schema_with = words::update_status_or_null)]
    pub(crate) update_status: Option<UpdateStatus>,
    #[schema(schema_with = words::security_releases)]
    pub(crate) security_updates: Vec<SecurityRelease>,
    pub(crate) recommended: Option<String>,
    /// Which cores the recommended release is for, where the site's is none of them: it has to be updated first.
    pub(crate) recommended_core: Option<String>,
    /// The class that it counts in; `null` while it is not in use.
    #[schema(schema_with = words::class_or_null)]
    pub(crate) class: Option<&'static str>,
    /// Why it could not be judged, where it could not.
    #[schema(schema_with = words::unknown_reason_or_null)]
    pub(crate) unknown_reason: Option<&'static str>,
    /// Whether its last report could not be read, so that all of this is what was read before.
    pub(crate) rejected: bool,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) first_seen: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) last_seen: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) last_updated: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) removed_at: Option<OffsetDateTime>,
}

/// Everything that is known of a module on a site.
#[derive(Serialize, ToSchema)]
pub(crate) struct SingleView {
    #[serde(flatten)]
    pub(crate) item: InventoryItem,
    pub(crate) package: Option<String>,
    pub(crate) core_compatibility: Vec<String>,
    pub(crate) dependencies: Vec<String>,
    pub(crate) description: Option<String>,
    pub(crate) project_link: Option<String>,
    pub(crate) schema_version: Option<i32>,
    pub(crate) security_coverage: bool,
    pub(crate) datestamp: Option<i64>,
    /// The text that the site sent as the version although it is none.
    pub(crate) reported_version: Option<String>,
    /// Where the extension is, relative to Drupal's folder.
    pub(crate) path: Option<String>,
    pub(crate) composer_name: Option<String>,
    pub(crate) composer_version: Option<String>,
    pub(crate) composer_reference: Option<String>,
    #[schema(schema_with = words::code_source)]
    pub(crate) source: Option<CodeSource>,
    pub(crate) base_theme: Option<String>,
    pub(crate) hidden: bool,
    /// Whether it is enabled without its code being there.
    pub(crate) missing: bool,
}

impl InventoryItem {
    /// What is known of `module` now.
    pub(crate) fn new(module: SiteModule) -> Self {
        let update_status = module.update_status();
        let (security_updates, recommended, recommended_core) = module
            .judgement
            .map(|judgement| (judgement.security_updates, judgement.recommended, judgement.core_compatibility))
            .unwrap_or_default();
        let SiteModuleState { version, enabled, module_type, extension, project, .. } = module.state;
        Self {
            machine_name: module.machine_name.to_string(),
            name: module.details.name,
            r#type: module_type.as_str(),
            extension: extension.as_str(),
            version: version.map(|v| v.to_string()),
            enabled,
            project: project.map(|p| p.to_string()),
            update_status,
            security_updates,
            recommended,
            recommended_core,
            class: module.class.map(CoverageClass::as_str),
            unknown_reason: module.unknown_reason.map(UnknownReason::as_str),
            rejected: module.rejected,
            first_seen: module.first_seen,
            last_seen: module.last_seen,
            last_updated: module.last_updated,
            removed_at: module.removed_at,
        }
    }
}

impl From<SiteModule> for SingleView {
    fn from(mut module: SiteModule) -> Self {
        let ModuleDetails { name, package, core_compatibility, dependencies, description, project_link } =
            std::mem::take(&mut module.details);
        let SiteDetails {
            reported_version,
            path,
            composer_name,
            composer_version,
            composer_reference,
            source,
            base_theme,
            hidden,
            missing,
        } = std::mem::take(&mut module.state.site_details);
        let SiteModuleState { schema_version, security_coverage, datestamp, .. } = module.state;
        module.details.name = name;
        Self {
            item: InventoryItem::new(module),
            package,
            core_compatibility,
            dependencies,
            description,
            project_link,
            schema_version,
            security_coverage,
            datestamp,
            reported_version,
            path,
            composer_name,
            composer_version,
            composer_reference,
            source,
            base_theme: base_theme.map(|theme| theme.to_string()),
            hidden,
            missing,
        }
    }
}

/// A part of a module's history.
#[derive(Serialize, ToSchema)]
pub(crate) struct HistoryPart {
    pub(crate) items: Vec<HistoryEntry>,
    pub(crate) next_cursor: Option<String>,
    /// Nothing that happened since then is missing. What is older may have gone, because it was too old or too much.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) complete_since: OffsetDateTime,
}

/// An entry of a module's history.
#[derive(Serialize, ToSchema)]
pub(crate) struct HistoryEntry {
    #[schema(schema_with = words::module_event)]
    pub(crate) event: &'static str,
    pub(crate) from_version: Option<String>,
    pub(crate) to_version: Option<String>,
    #[schema(schema_with = words::sync_id)]
    pub(crate) sync_id: String,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) at: OffsetDateTime,
}

impl From<ModuleEvent> for HistoryEntry {
    fn from(event: ModuleEvent) -> Self {
        Self {
            event: event.kind.as_str(),
            from_version: event.from_version,
            to_version: event.to_version,
            sync_id: event.sync_id.to_string(),
            at: event.at,
        }
    }
}

//! A site's use of a module.

use time::OffsetDateTime;

use crate::{
    CoverageClass, DrupalVersion, Extension, Judgement, MachineName, ModuleDetails, ModuleType, ProjectName,
    ReportedModule, SiteDetails, UnknownReason, UpdateStatus,
};

/// What belongs to the site of a module it has, as its row stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteModuleState {
    /// The installed version; `None` where the site does not know it.
    pub version: Option<DrupalVersion>,
    /// Whether it is enabled.
    pub enabled: bool,
    /// The type this site gives it, whatever others say.
    pub module_type: ModuleType,
    /// Module, theme or profile.
    pub extension: Extension,
    /// The drupal.org project that judges it.
    pub project: Option<ProjectName>,
    /// Unix seconds of the packaged release.
    pub datestamp: Option<i64>,
    /// Its database schema version.
    pub schema_version: Option<i32>,
    /// Whether the site says that drupal.org's security team covers it.
    pub security_coverage: bool,
    /// What the site says of it, kept only where the shared registry does not speak for it.
    pub own_details: Option<ModuleDetails>,
    /// What only the site can say of it.
    pub site_details: SiteDetails,
}

impl SiteModuleState {
    /// The state that `reported` leaves on the site's row. The site keeps the details itself where nobody else's report
    /// may stand in for them: custom code, a type that the registry contradicts, and code without a version.
    pub fn of(reported: &ReportedModule, registry_type: ModuleType) -> Self {
        let shared = reported.module_type != ModuleType::Custom
            && reported.module_type == registry_type
            && reported.version.is_some();
        Self {
            version: reported.version.clone(),
            enabled: reported.enabled,
            module_type: reported.module_type,
            extension: reported.extension,
            project: reported.project.clone(),
            datestamp: reported.datestamp,
            schema_version: reported.schema_version,
            security_coverage: reported.security_coverage,
            own_details: (!shared).then(|| reported.details.clone()),
            site_details: reported.site_details.clone(),
        }
    }
}

/// A module on a site, with what the registry knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteModule {
    /// The name it is known by.
    pub machine_name: MachineName,
    /// What the site's row says.
    pub state: SiteModuleState,
    /// The site's own details, else those of the registry. A list has only the name of them, and none in the state.
    pub details: ModuleDetails,
    /// What is known of its version; `None` where no project judges it.
    pub judgement: Option<Judgement>,
    /// The class that it counts in; `None` while it is not in use.
    pub class: Option<CoverageClass>,
    /// Why it is unknown, where that is its class.
    pub unknown_reason: Option<UnknownReason>,
    /// Whether its last report could not be read.
    pub rejected: bool,
    /// When the site first reported it (server time); kept when it returns after a removal.
    pub first_seen: OffsetDateTime,
    /// When the site last had it: derived while it is present, fixed once it is removed.
    pub last_seen: OffsetDateTime,
    /// When its row last changed.
    pub last_updated: OffsetDateTime,
    /// When a full report first left it out.
    pub removed_at: Option<OffsetDateTime>,
}

impl SiteModule {
    /// How the module stands against its project's releases; `None` where no project judges it.
    pub fn update_status(&self) -> Option<UpdateStatus> {
        self.judgement.as_ref().map(|judgement| judgement.status)
    }
}

//! A module as a site reports it.

use crate::{DrupalVersion, Extension, MachineName, ModuleDetails, ModuleType, ProjectName, SiteDetails};

/// One module of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedModule {
    /// The name it is known by.
    pub machine_name: MachineName,
    /// Core, contrib or custom.
    pub module_type: ModuleType,
    /// Module, theme or profile.
    pub extension: Extension,
    /// The installed version; `None` where the site does not know it.
    pub version: Option<DrupalVersion>,
    /// Whether it is enabled.
    pub enabled: bool,
    /// The project that judges it; see [`crate::owning_project`].
    pub project: Option<ProjectName>,
    /// Unix seconds of the packaged release.
    pub datestamp: Option<i64>,
    /// Its database schema version.
    pub schema_version: Option<i32>,
    /// Whether the site says that drupal.org's security team covers it.
    pub security_coverage: bool,
    /// Name, description and the like.
    pub details: ModuleDetails,
    /// What only this site can say of it.
    pub site_details: SiteDetails,
}

//! The modules that all sites share, and which sites have them.

pub(crate) mod queries;
pub(crate) mod rows;
mod store;

use async_trait::async_trait;
use module_monitor_domain::{
    BranchSide, Description, DrupalVersion, MachineName, Module, ModuleTitle, ModuleType, ModuleVersion, ProjectLink,
    ProjectName, SiteId, Tag, UpdateStatus,
};
use time::OffsetDateTime;

use crate::bounds::{BoundedSites, Bounds};
use crate::engine::error::StorageError;
use crate::page::{Page, Part};

/// The modules that all sites share.
#[async_trait]
pub trait Registry: Send + Sync {
    /// A module of the registry. No locks.
    async fn find_module(&self, name: &MachineName) -> Result<Option<Module>, StorageError>;

    /// Modules in the order of their machine names. No locks.
    async fn list_modules(&self, filter: ModuleFilter, page: Page<MachineName>) -> Result<Part<Module>, StorageError>;

    /// The versions of a module, the earliest first. No locks.
    async fn module_versions(
        &self,
        name: &MachineName,
        page: Page<DrupalVersion>,
    ) -> Result<Part<ModuleVersion>, StorageError>;

    /// Which sites have a module, in the order of their ids. No locks.
    async fn module_sites(
        &self,
        filter: ModuleSitesFilter,
        page: Page<SiteId>,
    ) -> Result<BoundedSites<ModuleSite>, StorageError>;

    /// The project that a module is reported to be of, by the first site that says so. No locks.
    async fn module_project(&self, name: &MachineName) -> Result<Option<ProjectName>, StorageError>;

    /// Corrects a module as of `now` and writes it to the administrators' log as `detail` by `actor`, in one
    /// transaction. No report overwrites it. `false` where there is no such module.
    async fn correct_module(
        &self,
        name: &MachineName,
        correction: ModuleCorrection,
        now: OffsetDateTime,
        actor: &str,
        detail: &str,
    ) -> Result<bool, StorageError>;
}

/// What to correct of a module in the registry; what is `None` stays, `Some(None)` is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModuleCorrection {
    /// What kind of code it is.
    pub module_type: Option<ModuleType>,
    /// Display name.
    pub name: Option<Option<ModuleTitle>>,
    /// What it does.
    pub description: Option<Option<Description>>,
    /// Its page.
    pub project_link: Option<Option<ProjectLink>>,
}

/// Which modules of the registry to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModuleFilter {
    /// Only those of a type.
    pub module_type: Option<ModuleType>,
    /// Only those whose machine names begin with it.
    pub prefix: String,
}

/// Which sites that have a module to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleSitesFilter {
    /// The module.
    pub module: MachineName,
    /// Only those that have exactly this version.
    pub version: Option<DrupalVersion>,
    /// Only those whose version is within these.
    pub bounds: Bounds,
    /// Only those with that tag.
    pub tag: Option<Tag>,
    /// Sites that had it once, instead of those that have it.
    pub removed: bool,
}

/// A site that has a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleSite {
    /// The site.
    pub site_id: SiteId,
    /// What people call it.
    pub site_name: String,
    /// The version it has, where it knows it.
    pub version: Option<DrupalVersion>,
    /// What is known of that version; `None` where nothing is, and where the module was removed.
    pub status: Option<UpdateStatus>,
    /// How the version stands to the branch of the upper bound; `None` where there is no such bound.
    pub branch: Option<BranchSide>,
    /// Whether the module is enabled there.
    pub enabled: bool,
    /// The type that this site gives it.
    pub module_type: ModuleType,
    /// When the site first reported it (server time).
    pub first_seen: OffsetDateTime,
    /// When the site last had it.
    pub last_seen: OffsetDateTime,
    /// When a full report first left it out.
    pub removed_at: Option<OffsetDateTime>,
}

//! The types and rules of module-monitor.
//!
//! Everything here is a pure function of its arguments: no I/O, no clock, no database and no web framework. A Drupal
//! site reports the modules it has installed; this crate knows what such a report may contain, how versions are
//! ordered, what a report changes, what is left behind, and how an installed version stands against the releases of its
//! project.

mod fingerprint;
mod inventory;
mod module;
mod project;
mod release;
mod report;
mod security;
mod site;
mod site_module;
mod sync;
mod version;

pub use fingerprint::Fingerprint;
pub use inventory::{Change, CurrentModule, InventoryChanges, diff};
pub use module::{Extension, MachineName, Module, ModuleDetails, ModuleType, ModuleVersion, NameError};
pub use project::{ProjectName, owning_project};
pub use release::{Feed, ProjectStatus, Release, ReleaseHistory, ReleaseStatus, Support};
pub use report::{Rejection, Report, ReportedModule, Scope, SiteInfo};
pub use security::{
    CoreCoverage, CoverageState, Judgement, SecurityRelease, UpdateStatus, core_coverage, is_dev, judge,
};
pub use site::{Reporting, Site, SiteId, SiteIdentity, SiteState};
pub use site_module::{EventKind, ModuleEvent, SiteModule, SiteModuleState};
pub use sync::{
    Decision, Refusal, SecurityCounts, SyncCounts, SyncId, SyncOutcome, SyncPlan, decide, next_sync_after, plan,
    plan_unchanged,
};
pub use version::platform::{CoreVersion, PhpVersion, PlatformVersionError};
pub use version::{DrupalVersion, VersionError};

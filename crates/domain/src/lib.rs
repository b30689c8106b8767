//! The types and rules of module-monitor.
//!
//! Everything here is a pure function of its arguments: no I/O, no clock, no database and no web framework. A Drupal
//! site reports the modules it has installed; this crate knows what such a report may contain, how versions are
//! ordered, what a report changes, what is left behind, and how an installed version stands against the releases of its
//! project.

mod address;
mod admin_action;
mod branch;
mod checked_text;
mod core_extension;
mod event;
mod fingerprint;
mod ids;
mod inventory;
mod label;
mod marks;
mod module;
mod moment;
mod names;
mod project;
mod release;
mod report;
mod reported_module;
mod security;
mod site;
mod site_details;
mod site_event;
mod site_module;
mod sync;
mod tag;
mod version;
mod version_bound;
mod warnings;
mod webhook_event;

pub use address::{AddressError, ProjectLink, SiteUrl};
pub use admin_action::AdminAction;
pub use branch::{BranchSide, branch_of, branch_start};
pub use core_extension::{
    ClaimedVersion, CoreClaim, CoreVerdict, core_verdict, is_contrib_path, is_core_name, is_core_path, registry_type,
};
pub use event::{ChangeRef, EventKind, ModuleEvent};
pub use fingerprint::{Fingerprint, ItemHash, ModulesHash};
pub use ids::{SiteId, SiteIdError, SyncId, SyncIdError};
pub use inventory::{Change, CurrentModule, InventoryChanges, RejectedMark, diff};
pub use label::{Description, DescriptionError, Environment, KeyName, LabelError, ModuleTitle, SiteName};
pub use marks::{Marks, Placeholder};
pub use module::{Extension, MachineName, Module, ModuleDetails, ModuleType, ModuleVersion, NameError};
pub use moment::storable;
pub use project::{ProjectName, owning_project};
pub use release::{Feed, ProjectStatus, Release, ReleaseHistory, ReleaseStatus, Support};
pub use report::{RejectedItem, Rejection, Report, ReportHead, Reported, Scope, SiteInfo};
pub use reported_module::ReportedModule;
pub use security::{
    CoreCoverage, CoverageClass, CoverageCounts, CoverageState, Identification, Identified, Installed, Judgement,
    NameKnowledge, SecurityCounts, SecurityRelease, Settled, Settlement, Standing, UnknownReason, UpdateStatus,
    core_coverage, identify, in_use, is_behind, is_dev, judge, needs_another_core,
};
pub use site::{Kept, Reporting, Site, SiteIdentity, SiteState};
pub use site_details::{CodeSource, SiteDetails};
pub use site_event::SiteEventKind;
pub use site_module::{SiteModule, SiteModuleState};
pub use sync::{Decision, Refusal, SyncCounts, SyncOutcome, SyncPlan, decide, next_sync_after, plan, plan_unchanged};
pub use tag::{Tag, TagError, Tags, TooManyTags};
pub use version::platform::{CoreVersion, PhpVersion, PlatformVersionError};
pub use version::reported::ReportedVersion;
pub use version::{DrupalVersion, VersionError};
pub use version_bound::{VersionBound, VersionRange, VersionRangeError};
pub use warnings::bounded_warnings;
pub use webhook_event::WebhookEvent;

/// For what [`names!`] writes.
#[doc(hidden)]
pub use serde;

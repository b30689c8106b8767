//! What has happened to a module on a site.

use time::OffsetDateTime;

use crate::{SyncId, names};

names! {
    /// What can happen to a module on a site.
    pub enum EventKind {
        /// Reported for the first time.
        Installed = "installed",
        /// Another version than before.
        VersionChanged = "version_changed",
        /// Switched on.
        Enabled = "enabled",
        /// Switched off.
        Disabled = "disabled",
        /// Missing from a full report.
        Removed = "removed",
        /// Reported again after a removal.
        Restored = "restored",
    }
}

/// One entry of a module's history on a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleEvent {
    /// Grows with every event; pages through the history.
    pub id: i64,
    /// What happened.
    pub kind: EventKind,
    /// The version before.
    pub from_version: Option<String>,
    /// The version after.
    pub to_version: Option<String>,
    /// The sync that told us.
    pub sync_id: SyncId,
    /// When it was applied (server time).
    pub at: OffsetDateTime,
}

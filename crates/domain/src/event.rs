//! What has happened to a module on a site.

use std::fmt;
use std::str::FromStr;

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
    /// Where the entry before it is; `None` where it is the first. What is older than what is kept is not there any more.
    pub before: Option<ChangeRef>,
}

/// The place of an entry in the history of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeRef {
    /// The sync that it belongs to.
    pub sync_id: SyncId,
    /// Its place among all changes of that sync, from 0.
    pub position: u32,
}

impl fmt::Display for ChangeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.sync_id, self.position)
    }
}

impl FromStr for ChangeRef {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (sync_id, position) = text.rsplit_once('.').ok_or(())?;
        Ok(Self { sync_id: sync_id.parse().map_err(drop)?, position: position.parse().map_err(drop)? })
    }
}

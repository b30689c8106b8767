//! Ids of registry rows that are known to be committed.

use module_monitor_domain::{MachineName, ModuleType};
use moka::sync::Cache;

use crate::StorageError;

/// A registry row's id and type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KnownModule {
    pub(crate) id: i64,
    pub(crate) module_type: ModuleType,
}

/// A registry version's id, and whether what belongs to the release is stored with it: custom code of the same name and
/// version leaves it open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KnownVersion {
    pub(crate) id: i64,
    pub(crate) described: bool,
}

/// Ids that the database told, for the cache to remember after the commit.
#[derive(Default)]
pub(crate) struct FoundIds {
    pub(crate) modules: Vec<(MachineName, KnownModule)>,
    pub(crate) versions: Vec<((i64, String), KnownVersion)>,
}

/// Saves looking up what nearly every site has. Bounded; ids get in only after the transaction that found or made them
/// has committed, so a rollback leaves nothing wrong behind.
pub(crate) struct IdCache {
    modules: Cache<MachineName, KnownModule>,
    versions: Cache<(i64, String), KnownVersion>,
}

impl IdCache {
    pub(crate) fn new() -> Self {
        Self { modules: Cache::new(50_000), versions: Cache::new(200_000) }
    }

    pub(crate) fn module(&self, name: &MachineName) -> Option<KnownModule> {
        self.modules.get(name)
    }

    pub(crate) fn version(&self, module_id: i64, version: &str) -> Option<KnownVersion> {
        self.versions.get(&(module_id, version.to_owned()))
    }

    /// Takes over what a committed transaction has found out.
    pub(crate) fn remember(&self, found: FoundIds) {
        for (name, module) in found.modules {
            self.modules.insert(name, module);
        }
        for (key, version) in found.versions {
            self.versions.insert(key, version);
        }
    }

    /// Forgets everything when a row that should be there is not: the database is no longer the one that the cache was
    /// filled from (a backup put back). The next attempt looks everything up.
    pub(crate) fn forget_if_wrong(&self, error: &StorageError) {
        if matches!(error, StorageError::MissingReference(_)) {
            self.modules.invalidate_all();
            self.versions.invalidate_all();
        }
    }
}

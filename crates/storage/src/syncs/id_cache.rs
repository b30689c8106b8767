//! Ids of registry rows that are known to be committed.

use module_monitor_domain::{MachineName, ModuleType};
use moka::sync::Cache;

use crate::engine::error::StorageError;

/// A registry row's id and type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KnownModule {
    pub(super) id: i64,
    pub(super) module_type: ModuleType,
}

/// A registry version's id, and whether what belongs to the release is stored with it: custom code of the same name and
/// version leaves it open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KnownVersion {
    pub(super) id: i64,
    pub(super) described: bool,
}

/// What a sync has come across and is for after its commit: ids for the cache, and what is known to be out of date.
#[derive(Default)]
pub(super) struct FoundIds {
    pub(super) modules: Vec<(MachineName, KnownModule)>,
    pub(super) versions: Vec<((i64, String), KnownVersion)>,
    /// Projects whose release history must be out of date.
    pub(super) behind: Vec<i64>,
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

    pub(super) fn module(&self, name: &MachineName) -> Option<KnownModule> {
        self.modules.get(name)
    }

    pub(super) fn version(&self, module_id: i64, version: &str) -> Option<KnownVersion> {
        self.versions.get(&(module_id, version.to_owned()))
    }

    /// Takes over what a committed transaction has found out.
    pub(super) fn remember(&self, found: FoundIds) {
        for (name, module) in found.modules {
            self.modules.insert(name, module);
        }
        for (key, version) in found.versions {
            self.versions.insert(key, version);
        }
    }

    /// Forgets a module whose row has been corrected.
    pub(crate) fn forget_module(&self, name: &MachineName) {
        self.modules.invalidate(name);
    }

    /// Forgets everything when a row that should be there is not: the database is no longer the one that the cache was
    /// filled from (a backup put back). The next attempt looks everything up.
    pub(super) fn forget_if_wrong(&self, error: &StorageError) {
        if matches!(error, StorageError::MissingReference(_)) {
            self.modules.invalidate_all();
            self.versions.invalidate_all();
        }
    }
}

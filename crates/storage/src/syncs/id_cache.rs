//! Ids of registry rows and assessments that are known to be committed.

use std::sync::{Mutex, MutexGuard, PoisonError};

use module_monitor_domain::{Feed, MachineName, ModuleType, ProjectName};
use moka::sync::Cache;

use crate::registry::rows::GenerationRow;
use crate::releases::assessments::key::Key;
use crate::releases::assessments::named::Named;

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

/// What a sync has come across and is for after its commit: ids for the cache, what is known to be out of date, and what is to
/// be introduced.
#[derive(Default)]
pub(super) struct FoundIds {
    /// Of the registry, as the sync has found it.
    pub(super) generation: i64,
    pub(super) modules: Vec<(MachineName, KnownModule)>,
    pub(super) versions: Vec<((i64, String), KnownVersion)>,
    pub(super) assessments: Vec<((Feed, Key), i64)>,
    /// Projects whose release history must be out of date.
    pub(super) behind: Vec<i64>,
    /// Projects that the site begins to use.
    pub(super) named: Option<Named>,
}

/// Saves looking up what nearly every site has. Bounded; ids get in only after the transaction that found or made them
/// has committed, so a rollback leaves nothing wrong behind.
pub(crate) struct IdCache {
    modules: Cache<MachineName, KnownModule>,
    versions: Cache<(i64, String), KnownVersion>,
    assessments: Cache<(Feed, Key), i64>,
    /// Projects that have been asked about.
    asked: Cache<(Feed, ProjectName), ()>,
    /// Of what is in it: the generation, and the largest ids.
    reach: Mutex<GenerationRow>,
}

impl IdCache {
    pub(crate) fn new() -> Self {
        Self {
            modules: Cache::new(50_000),
            versions: Cache::new(200_000),
            assessments: Cache::new(100_000),
            asked: Cache::new(50_000),
            reach: Mutex::default(),
        }
    }

    /// What [`IdCache::trust`] compares with.
    pub(super) fn reach(&self) -> GenerationRow {
        *self.lock()
    }

    /// Forgets everything where rows have been removed since it was found, and where the largest ids that it had are not
    /// there: the database is no longer the one that it was filled from (a backup put back). `now` is what the database said
    /// after `reach` was asked for, under the lock that keeps rows from being removed.
    pub(super) fn trust(&self, now: GenerationRow, reach: GenerationRow) {
        let older = now.newest_module < reach.newest_module
            || now.newest_version < reach.newest_version
            || now.newest_assessment < reach.newest_assessment;
        let mut known = self.lock();
        if now.generation != known.generation || older {
            self.modules.invalidate_all();
            self.versions.invalidate_all();
            self.assessments.invalidate_all();
            self.asked.invalidate_all();
            *known = GenerationRow { generation: now.generation, ..GenerationRow::default() };
        }
    }

    fn lock(&self) -> MutexGuard<'_, GenerationRow> {
        self.reach.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn module(&self, name: &MachineName) -> Option<KnownModule> {
        self.modules.get(name)
    }

    pub(super) fn version(&self, module_id: i64, version: &str) -> Option<KnownVersion> {
        self.versions.get(&(module_id, version.to_owned()))
    }

    pub(super) fn assessment(&self, feed: Feed, key: &Key) -> Option<i64> {
        self.assessments.get(&(feed, key.clone()))
    }

    /// Whether nothing is to be done for drupal.org to be asked about it.
    pub(super) fn is_asked(&self, feed: Feed, project: &ProjectName) -> bool {
        self.asked.contains_key(&(feed, project.clone()))
    }

    pub(super) fn remember_asked(&self, feed: Feed, projects: Vec<ProjectName>) {
        for project in projects {
            self.asked.insert((feed, project), ());
        }
    }

    /// Takes over what a committed transaction has found out, unless rows have been removed since.
    pub(super) fn remember(&self, found: FoundIds) {
        let mut reach = self.lock();
        if reach.generation != found.generation {
            return;
        }
        for (name, module) in found.modules {
            reach.newest_module = reach.newest_module.max(module.id);
            self.modules.insert(name, module);
        }
        for (key, version) in found.versions {
            reach.newest_version = reach.newest_version.max(version.id);
            self.versions.insert(key, version);
        }
        for (key, id) in found.assessments {
            reach.newest_assessment = reach.newest_assessment.max(id);
            self.assessments.insert(key, id);
        }
    }

    /// Forgets a module whose row has been corrected.
    pub(crate) fn forget_module(&self, name: &MachineName) {
        self.modules.invalidate(name);
    }
}

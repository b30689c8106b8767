//! Which assessments the extensions of a site need, and which of them there are.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use module_monitor_domain::{CoreVersion, Feed, ModuleType, ProjectName};

use super::key::Key;
use super::named::Named;
use super::rows::FoundRow;
use crate::engine::error::StorageError;
use crate::inventory::standing::Standing;

/// The assessments that a site needs.
pub(crate) struct Wanted {
    pub(crate) feed: Feed,
    core: Key,
    /// All of them, sorted.
    keys: BTreeSet<Key>,
    /// The projects, with how urgent it is to know them.
    ranks: BTreeMap<ProjectName, u8>,
}

impl Wanted {
    /// What a site with that `core` needs whose extensions stand like this.
    pub(crate) fn of(core: &CoreVersion, standings: &[Standing<'_>]) -> Self {
        let core_key = core_key(core, standings);
        let mut wanted = Self {
            feed: Feed::of(core),
            keys: BTreeSet::from([core_key.clone()]),
            ranks: BTreeMap::from([(core_key.project.clone(), 0)]),
            core: core_key,
        };
        standings.iter().filter(|standing| standing.assessed).for_each(|standing| wanted.want(standing));
        wanted
    }

    fn want(&mut self, standing: &Standing<'_>) {
        let Some(key) = &standing.key else { return };
        let rank = match (standing.in_use, standing.module_type) {
            (true, ModuleType::Core | ModuleType::Contrib) => 1,
            (false, ModuleType::Core | ModuleType::Contrib) => 2,
            (_, ModuleType::Custom) => 3,
        };
        let known = self.ranks.entry(key.project.clone()).or_insert(rank);
        *known = rank.min(*known);
        self.keys.insert(key.clone());
    }

    pub(crate) fn is_core(&self, key: &Key) -> bool {
        *key == self.core
    }
}

/// Drupal itself, packaged when the newest of its modules was.
fn core_key(version: &CoreVersion, standings: &[Standing<'_>]) -> Key {
    let core = standings.iter().filter(|standing| standing.module_type == ModuleType::Core);
    Key::new(ProjectName::drupal(), Some(version.as_str()), core.filter_map(|standing| standing.datestamp).max())
}

/// The assessments that there are.
#[derive(Default)]
pub(crate) struct Known {
    ids: HashMap<Key, i64>,
    /// Those of them that the database was asked for.
    found: Vec<Key>,
}

impl Known {
    /// Those that `remembered` has.
    pub(crate) fn of(wanted: &Wanted, remembered: impl Fn(&Key) -> Option<i64>) -> Self {
        let ids = wanted.keys.iter().filter_map(|key| Some((key.clone(), remembered(key)?))).collect();
        Self { ids, found: Vec::new() }
    }

    pub(super) fn add(&mut self, rows: Vec<FoundRow>) -> Result<(), StorageError> {
        for row in rows {
            let key = row.key()?;
            self.found.push(key.clone());
            self.ids.insert(key, row.id);
        }
        Ok(())
    }

    /// The keys without an assessment, sorted.
    pub(super) fn missing<'a>(&self, wanted: &'a Wanted) -> Vec<&'a Key> {
        wanted.keys.iter().filter(|key| !self.ids.contains_key(key)).collect()
    }
}

/// The assessments of a site.
#[derive(Default)]
pub(crate) struct Assessed {
    ids: HashMap<Key, i64>,
    found: Vec<Key>,
    /// The projects that are judged by.
    pub(crate) named: Option<Named>,
    /// That of the site's core; `None`: it stays.
    pub(crate) core: Option<i64>,
    /// Projects of which the site has a release that came later than everything stored.
    pub(crate) behind: Vec<i64>,
    /// How many are left for another day, because the site has named too many versions that nobody else has.
    pub(crate) postponed: usize,
    /// The projects that something was judged by here, sorted.
    pub(super) judged: Vec<ProjectName>,
}

impl Assessed {
    /// `known`, where nothing is missing but what was postponed.
    pub(super) fn of(
        wanted: Wanted,
        known: Known,
        behind: Vec<i64>,
        postponed: usize,
        judged: Vec<ProjectName>,
    ) -> Result<Self, StorageError> {
        let missing = known.missing(&wanted);
        if let Some(key) = missing.first().filter(|_| missing.len() > postponed) {
            // It was there when another was to be made, and has been removed since.
            let gone = format!("the assessment of {} {} has been removed", key.project, key.version);
            return Err(StorageError::Contention(gone.into()));
        }
        let core = known.ids.get(&wanted.core).copied();
        let named = Some(Named { feed: wanted.feed, ranks: wanted.ranks });
        Ok(Self { ids: known.ids, found: known.found, named, core, behind, postponed, judged })
    }

    /// The assessment that an extension needs.
    pub(crate) fn id_of(&self, standing: &Standing<'_>) -> Option<i64> {
        self.ids.get(standing.key.as_ref()?).copied()
    }

    /// Those that the database was asked for.
    pub(crate) fn into_found(self) -> impl Iterator<Item = (Key, i64)> {
        let Self { ids, found, .. } = self;
        found.into_iter().filter_map(move |key| ids.get(&key).copied().map(|id| (key, id)))
    }
}

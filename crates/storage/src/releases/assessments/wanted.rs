//! Which assessments the extensions of a site need, and which of them there are.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use module_monitor_domain::{CoreVersion, Feed, ModuleType, ProjectName};
use time::{Duration, OffsetDateTime};

use super::key::Key;
use super::rows::AssessmentKeyRow;
use crate::engine::error::StorageError;
use crate::engine::sql_types::At;
use crate::inventory::standing::Standing;

/// New projects that one site may have looked up in a day.
pub(crate) const LOOKUPS_A_DAY: i64 = 50;

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

    /// Their keys, sorted.
    pub(crate) fn keys(&self) -> Vec<&Key> {
        self.keys.iter().collect()
    }

    /// The names of their projects, sorted, which is the order they are locked in.
    pub(crate) fn projects(&self) -> Vec<&str> {
        self.ranks.keys().map(ProjectName::as_str).collect()
    }
}

/// Drupal itself, packaged when the newest of its modules was.
fn core_key(version: &CoreVersion, standings: &[Standing<'_>]) -> Key {
    let core = standings.iter().filter(|standing| standing.module_type == ModuleType::Core);
    Key::new(ProjectName::drupal(), Some(version.as_str()), core.filter_map(|standing| standing.datestamp).max())
}

/// A project that a site has to have looked up, and when its turn is.
pub(crate) struct Introduction {
    pub(crate) name: String,
    pub(crate) next_check_at: At,
}

/// What the database knows of the keys.
#[derive(Default)]
pub(crate) struct Known {
    ids: HashMap<Key, i64>,
    /// When the projects that were never asked about have their turn, on another site's account.
    waiting: HashMap<ProjectName, OffsetDateTime>,
    unknown: HashSet<ProjectName>,
}

impl Known {
    pub(crate) fn of(rows: Vec<AssessmentKeyRow>) -> Result<Self, StorageError> {
        let mut known = Self::default();
        for row in rows {
            let key = row.key()?;
            match (row.project_id, row.waits_until) {
                (None, _) => drop(known.unknown.insert(key.project.clone())),
                (Some(_), Some(turn)) => drop(known.waiting.insert(key.project.clone(), turn.0)),
                (Some(_), None) => {}
            }
            if let Some(id) = row.assessment_id {
                known.ids.insert(key, id);
            }
        }
        Ok(known)
    }

    /// Whether a project may have to be looked up on this site's account.
    pub(crate) fn introduces(&self, now: OffsetDateTime) -> bool {
        !self.unknown.is_empty() || self.waiting.values().any(|turn| *turn > now)
    }

    /// The unknown projects, and those whose turn comes sooner on this site's account, each sorted. `used` is how much of
    /// a day's lookups the site has spoken for; what is beyond a day's waits for the next.
    pub(crate) fn introductions(
        &self,
        wanted: &Wanted,
        used: i64,
        now: OffsetDateTime,
    ) -> (Vec<Introduction>, Vec<Introduction>) {
        let mut order: Vec<_> = wanted.ranks.iter().map(|(name, rank)| (rank, name)).collect();
        order.sort_unstable();
        let (mut new, mut sooner, mut used) = (Vec::new(), Vec::new(), used);
        for (_, name) in order {
            let turn = now + Duration::days(used / LOOKUPS_A_DAY);
            let list = match self.waiting.get(name) {
                _ if self.unknown.contains(name) => &mut new,
                Some(waits_until) if *waits_until > turn => &mut sooner,
                _ => continue,
            };
            list.push(Introduction { name: name.to_string(), next_check_at: At(turn) });
            used += 1;
        }
        for list in [&mut new, &mut sooner] {
            list.sort_by(|a, b| a.name.cmp(&b.name));
        }
        (new, sooner)
    }

    /// The keys without an assessment, sorted.
    pub(crate) fn missing<'a>(&self, wanted: &'a Wanted) -> Vec<&'a Key> {
        wanted.keys.iter().filter(|key| !self.ids.contains_key(key)).collect()
    }
}

/// The assessments of a site.
#[derive(Default)]
pub(crate) struct Assessed {
    ids: HashMap<Key, i64>,
    /// That of the site's core; `None`: it stays.
    pub(crate) core: Option<i64>,
    /// Projects of which the site has a release that came later than everything stored.
    pub(crate) behind: Vec<i64>,
    /// How many are left for another day, because the site has named too many versions that nobody else has.
    pub(crate) postponed: usize,
}

impl Assessed {
    /// `known`, where nothing is missing but what was postponed.
    pub(crate) fn of(wanted: &Wanted, known: Known, behind: Vec<i64>, postponed: usize) -> Result<Self, StorageError> {
        let missing = known.missing(wanted);
        if let Some(key) = missing.first().filter(|_| missing.len() > postponed) {
            // Nobody used it, and it has been removed since it was found here.
            let gone = format!("the assessment of {} {} has been removed", key.project, key.version);
            return Err(StorageError::Contention(gone.into()));
        }
        let core = known.ids.get(&wanted.core).copied();
        Ok(Self { ids: known.ids, core, behind, postponed })
    }

    /// The assessment that an extension needs.
    pub(crate) fn id_of(&self, standing: &Standing<'_>) -> Option<i64> {
        self.ids.get(standing.key.as_ref()?).copied()
    }
}

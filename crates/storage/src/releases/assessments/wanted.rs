//! Which assessments the modules of a site need after a sync, which of them there are, and which row points at which.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use module_monitor_domain::{
    CoreVersion, CurrentModule, Feed, MachineName, ModuleType, ProjectName, Report, SiteModuleState, SyncPlan,
};
use time::{Duration, OffsetDateTime};

use super::key::Key;
use super::rows::AssessmentKeyRow;
use crate::engine::error::StorageError;
use crate::engine::sql_types::At;
use crate::sites::rows::SiteStateRow;

/// New projects that one site may have looked up in a day.
pub(crate) const LOOKUPS_A_DAY: i64 = 50;

/// The assessments that a sync needs.
pub(crate) struct Wanted {
    pub(crate) feed: Feed,
    core: Key,
    /// Of the rows that stay as they are, but not under their assessment.
    moved: Vec<(MachineName, Key)>,
    /// All of them, sorted.
    keys: BTreeSet<Key>,
    /// The projects, with how urgent it is to know them.
    ranks: BTreeMap<ProjectName, u8>,
}

impl Wanted {
    /// What `plan` needs on a site that was `before`; `None` where every row keeps what it has. A site that moves to
    /// another feed, or has no assessments yet, takes all of its modules along.
    pub(crate) fn of(
        before: &SiteStateRow,
        current: &[CurrentModule],
        plan: &SyncPlan,
        report: &Report,
    ) -> Option<Self> {
        let (core, old_core) = (report.drupal_version(), before.drupal_version());
        if plan.changes.is_empty() && old_core.as_ref() == Some(core) && before.core_assessment_id.is_some() {
            return None;
        }
        let feed = Feed::of(core);
        let moves = before.core_assessment_id.is_none() || old_core.as_ref().map(Feed::of) != Some(feed);
        let written: HashSet<&MachineName> = plan.changes.changed.iter().map(|change| &change.machine_name).collect();
        let removed: HashSet<&MachineName> = plan.changes.removed.iter().map(|row| &row.machine_name).collect();
        let stays = |row: &&CurrentModule| {
            !row.removed && !written.contains(&row.machine_name) && !removed.contains(&row.machine_name)
        };
        let staying: Vec<&CurrentModule> = current.iter().filter(stays).collect();
        let after: Vec<&SiteModuleState> = plan.changes.changed.iter().map(|change| &change.after).collect();
        let core_key = core_key(core, staying.iter().map(|row| &row.state).chain(after.iter().copied()));
        let mut wanted = Self {
            feed,
            keys: BTreeSet::from([core_key.clone()]),
            ranks: BTreeMap::from([(core_key.project.clone(), 0)]),
            core: core_key,
            moved: Vec::new(),
        };
        after.into_iter().for_each(|state| drop(wanted.want(state)));
        for row in staying.into_iter().filter(|_| moves) {
            if let Some(key) = wanted.want(&row.state) {
                wanted.moved.push((row.machine_name.clone(), key));
            }
        }
        Some(wanted)
    }

    fn want(&mut self, state: &SiteModuleState) -> Option<Key> {
        let key = Key::of(state)?;
        let rank = match (state.enabled, state.module_type) {
            (true, ModuleType::Core | ModuleType::Contrib) => 1,
            (false, ModuleType::Core | ModuleType::Contrib) => 2,
            (_, ModuleType::Custom) => 3,
        };
        let known = self.ranks.entry(key.project.clone()).or_insert(rank);
        *known = rank.min(*known);
        self.keys.insert(key.clone());
        Some(key)
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
fn core_key<'a>(version: &CoreVersion, modules: impl Iterator<Item = &'a SiteModuleState>) -> Key {
    let core = modules.filter(|state| state.module_type == ModuleType::Core);
    Key::new(ProjectName::drupal(), Some(version.as_str()), core.filter_map(|state| state.datestamp).max())
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

/// The assessments of a sync.
#[derive(Default)]
pub(crate) struct Assessed {
    ids: HashMap<Key, i64>,
    /// That of the site's core; `None`: it stays.
    pub(crate) core: Option<i64>,
    moved: Vec<(MachineName, Key)>,
}

/// A row that only moves to another assessment.
pub(crate) struct MovedRow {
    pub(crate) module_id: i64,
    pub(crate) assessment_id: i64,
}

impl Assessed {
    /// `known`, where nothing is missing any more.
    pub(crate) fn of(wanted: Wanted, known: Known) -> Result<Self, StorageError> {
        if let Some(key) = known.missing(&wanted).first() {
            return Err(StorageError::corrupt("assessment: none for", format!("{} {}", key.project, key.version)));
        }
        let core = known.ids.get(&wanted.core).copied();
        Ok(Self { ids: known.ids, core, moved: wanted.moved })
    }

    /// The assessment of a row that is written.
    pub(crate) fn id_of(&self, state: &SiteModuleState) -> Option<i64> {
        self.ids.get(&Key::of(state)?).copied()
    }

    /// The rows that only move, in the order of their ids.
    pub(crate) fn moved(
        &self,
        module_id: impl Fn(&MachineName) -> Result<i64, StorageError>,
    ) -> Result<Vec<MovedRow>, StorageError> {
        let row = |(name, key): &(MachineName, Key)| {
            let assessment_id = self.ids.get(key).copied();
            let assessment_id = assessment_id.ok_or_else(|| StorageError::corrupt("assessment: none for", name))?;
            Ok(MovedRow { module_id: module_id(name)?, assessment_id })
        };
        let mut rows = self.moved.iter().map(row).collect::<Result<Vec<_>, StorageError>>()?;
        rows.sort_unstable_by_key(|row| row.module_id);
        Ok(rows)
    }
}

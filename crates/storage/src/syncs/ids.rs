//! The ids of the registry's rows: which a sync needs, which are known, and which have to be looked up or made.

use std::collections::HashMap;
use std::mem;

use module_monitor_domain::{
    MachineName, ModuleDetails, ModuleType, RejectedItem, Report, ReportedModule, SyncPlan, registry_type,
};

use super::id_cache::{FoundIds, IdCache, KnownModule, KnownVersion};
use crate::engine::error::StorageError;
use crate::engine::read::{json, read_module_type, read_name};
use crate::inventory::current::Current;
use crate::registry::rows::{ModuleIdRow, VersionIdRow};
use crate::releases::assessments::named::Named;
use crate::releases::assessments::wanted::Assessed;

/// The registry ids that a sync has come across.
#[derive(Default)]
pub(super) struct Ids {
    modules: HashMap<MachineName, KnownModule>,
    versions: HashMap<(i64, String), KnownVersion>,
    /// What was not in the cache.
    pub(super) found: FoundIds,
    /// How many bytes the site may still bring into the registry, where that has been asked.
    pub(super) introducible: Option<usize>,
}

impl Ids {
    /// The ids behind the rows of a site.
    pub(super) fn of_rows(current: &Current) -> Self {
        let mut ids = Self::default();
        for (module, behind) in current.modules.iter().zip(&current.behind) {
            let version = module.state.as_ref().and_then(|state| state.version.as_ref());
            if let (Some(version), Some((id, described))) = (version, behind.version) {
                ids.versions.insert((behind.module_id, version.to_string()), KnownVersion { id, described });
            }
            let known = KnownModule { id: behind.module_id, module_type: behind.registry_type };
            ids.modules.insert(module.machine_name.clone(), known);
        }
        ids
    }

    /// What to remember after the commit, and what to do then.
    pub(super) fn found(self, mut assessed: Assessed) -> FoundIds {
        let (behind, named) = (mem::take(&mut assessed.behind), assessed.named.take());
        let assessments = match &named {
            Some(Named { feed, .. }) => assessed.into_found().map(|(key, id)| ((*feed, key), id)).collect(),
            None => Vec::new(),
        };
        FoundIds { assessments, behind, named, ..self.found }
    }

    /// The type under which the registry knows a module.
    pub(super) fn registry_type(&self, name: &MachineName) -> Option<ModuleType> {
        self.modules.get(name).map(|known| known.module_type)
    }

    /// The reported modules whose ids neither the site's rows nor the cache know, sorted by name.
    pub(super) fn unknown_modules<'a>(&mut self, report: &'a Report, cache: &IdCache) -> Vec<NewModule<'a>> {
        let mut unknown = Vec::new();
        for reported in report.modules() {
            let name = &reported.machine_name;
            if self.modules.contains_key(name) {
                continue;
            }
            match cache.module(name) {
                Some(known) => drop(self.modules.insert(name.clone(), known)),
                None => unknown.push(NewModule::of(reported)),
            }
        }
        for item in report.rejected_items().iter().filter(|item| item.may_be_enabled()) {
            let Some(name) = item.name().filter(|name| !self.modules.contains_key(name)) else { continue };
            match cache.module(&name) {
                Some(known) => drop(self.modules.insert(name, known)),
                None => unknown.push(NewModule::unread(name, item)),
            }
        }
        unknown.sort_by(|a, b| a.name.cmp(&b.name));
        unknown.dedup_by(|a, b| a.name == b.name);
        unknown
    }

    pub(super) fn add_modules(&mut self, rows: Vec<ModuleIdRow>) -> Result<(), StorageError> {
        for row in rows {
            let (name, known) = row.known()?;
            self.found.modules.push((name.clone(), known));
            self.modules.insert(name, known);
        }
        Ok(())
    }

    /// The project whose releases have the versions of a module.
    fn dated_by<'a>(&self, name: &'a MachineName) -> Option<&'a str> {
        match self.registry_type(name)? {
            ModuleType::Core => Some("drupal"),
            ModuleType::Contrib => Some(name.as_str()),
            ModuleType::Custom => None,
        }
    }

    /// The versions a plan writes whose ids, or whose details where they are shared, neither the site's rows nor the
    /// cache know, sorted as they are locked.
    pub(super) fn unknown_versions<'a>(
        &mut self,
        plan: &'a SyncPlan,
        report: &'a Report,
        cache: &IdCache,
    ) -> Result<Vec<NewVersion<'a>>, StorageError> {
        let mut unknown = Vec::new();
        for change in &plan.changes.changed {
            let Some(version) = &change.after.version else { continue };
            let module_id = self.module_id(&change.machine_name)?;
            let key = (module_id, version.to_string());
            let shared = change.after.own_details.is_none();
            let suffices = |known: &KnownVersion| known.described || !shared;
            if self.versions.get(&key).is_some_and(suffices) {
                continue;
            }
            if let Some(known) = cache.version(module_id, version.as_str()).filter(suffices) {
                self.versions.insert(key, known);
                continue;
            }
            unknown.push(NewVersion {
                module_id,
                dated_by: self.dated_by(&change.machine_name),
                sort_key: version.sort_key().to_owned(),
                said: shared.then(|| details_of(report, &change.machine_name)).flatten(),
                details: None,
                version: key.1,
            });
        }
        unknown.sort_by(|a, b| (a.module_id, &a.version).cmp(&(b.module_id, &b.version)));
        Ok(unknown)
    }

    pub(super) fn add_versions(&mut self, rows: Vec<VersionIdRow>) {
        for row in rows {
            let (key, known) = ((row.module_id, row.version), KnownVersion { id: row.id, described: row.described });
            self.found.versions.push((key.clone(), known));
            self.versions.insert(key, known);
        }
    }

    /// Whether it has an id now.
    pub(super) fn knows_module(&self, module: &NewModule<'_>) -> bool {
        self.modules.contains_key(&module.name)
    }

    /// Whether it has an id now, and its details are stored where those are asked for.
    pub(super) fn knows_version(&self, version: &NewVersion<'_>, described: bool) -> bool {
        let known = self.versions.get(&(version.module_id, version.version.clone()));
        known.is_some_and(|known| known.described || !described)
    }

    pub(super) fn module_id(&self, name: &MachineName) -> Result<i64, StorageError> {
        let known = self.modules.get(name);
        known.map(|known| known.id).ok_or_else(|| StorageError::corrupt("registry: no id for module", name))
    }

    pub(super) fn version_id(&self, module_id: i64, version: &str) -> Result<i64, StorageError> {
        let known = self.versions.get(&(module_id, version.to_owned()));
        known.map(|known| known.id).ok_or_else(|| StorageError::corrupt("registry: no id for version", version))
    }

    /// The ids of `names`, in ascending order.
    pub(super) fn module_ids<'a>(
        &self,
        names: impl IntoIterator<Item = &'a MachineName>,
    ) -> Result<Vec<i64>, StorageError> {
        let mut ids: Vec<i64> = names.into_iter().map(|name| self.module_id(name)).collect::<Result<_, _>>()?;
        ids.sort_unstable();
        Ok(ids)
    }
}

fn details_of<'a>(report: &'a Report, name: &MachineName) -> Option<&'a ModuleDetails> {
    let at = report.modules().binary_search_by(|m| m.machine_name.cmp(name)).ok()?;
    Some(&report.modules()[at].details)
}

/// A registry row. Of custom modules it holds only the name.
pub(super) struct NewModule<'a> {
    pub(super) name: MachineName,
    pub(super) module_type: &'static str,
    pub(super) display_name: Option<&'a str>,
    pub(super) description: Option<&'a str>,
    pub(super) project_link: Option<&'a str>,
}

impl<'a> NewModule<'a> {
    /// Of what could not be read, as far as it could.
    fn unread(name: MachineName, item: &'a RejectedItem) -> Self {
        Self {
            name,
            module_type: item.module_type.unwrap_or(ModuleType::Contrib).as_str(),
            display_name: None,
            description: None,
            project_link: None,
        }
    }

    fn of(reported: &'a ReportedModule) -> Self {
        let module_type = registry_type(&reported.machine_name, reported.module_type);
        let agrees = module_type == reported.module_type && module_type != ModuleType::Custom;
        let shared = Some(&reported.details).filter(|_| agrees);
        Self {
            name: reported.machine_name.clone(),
            module_type: module_type.as_str(),
            display_name: shared.map(|d: &ModuleDetails| d.name.as_str()),
            description: shared.and_then(|d| d.description.as_deref()),
            project_link: shared.and_then(|d| d.project_link.as_deref()),
        }
    }
}

impl NewModule<'_> {
    /// How long what is said of it is.
    pub(super) fn words(&self) -> usize {
        let words = [self.display_name, self.description, self.project_link];
        words.iter().flatten().map(|text| text.len()).sum()
    }

    /// Takes what is said of it from what is `left` for that, or leaves it out.
    pub(super) fn fit_into(&mut self, left: &mut usize) {
        match left.checked_sub(self.words()) {
            Some(rest) => *left = rest,
            None => (self.display_name, self.description, self.project_link) = (None, None, None),
        }
    }
}

impl NewVersion<'_> {
    /// Takes its details from what is `left` for them, or leaves them to another report.
    pub(super) fn fit_into(&mut self, left: &mut usize) {
        let Some(details) = self.said.map(json) else { return };
        if let Some(rest) = left.checked_sub(details.len()) {
            *left = rest;
            self.details = Some(details);
        }
    }
}

/// A registry version.
pub(super) struct NewVersion<'a> {
    pub(super) module_id: i64,
    pub(super) version: String,
    pub(super) sort_key: String,
    /// The project whose releases have it.
    pub(super) dated_by: Option<&'a str>,
    /// What the report says of it, where that is to be shared.
    pub(super) said: Option<&'a ModuleDetails>,
    /// What of that is kept.
    pub(super) details: Option<String>,
}

impl ModuleIdRow {
    pub(super) fn known(&self) -> Result<(MachineName, KnownModule), StorageError> {
        let module_type = read_module_type(&self.module_type)?;
        Ok((read_name(&self.machine_name)?, KnownModule { id: self.id, module_type }))
    }
}

//! From a plan to the rows that a sync writes, the same for both backends.

use std::collections::HashMap;

use module_monitor_domain::{
    Change, CurrentModule, DrupalVersion, EventKind, MachineName, ModuleDetails, ModuleType, Report, ReportedModule,
    SecurityCounts, SiteIdentity, SyncCounts, SyncOutcome, SyncPlan,
};
use serde::Serialize;
use time::{Duration, OffsetDateTime};

use crate::assess::Assessed;
use crate::id_cache::{FoundIds, IdCache, KnownModule, KnownVersion};
use crate::rows::{CurrentRow, ModuleIdRow, SiteStateRow, VersionIdRow};
use crate::{StorageError, SyncCommand};

/// The registry ids that a sync has come across.
#[derive(Default)]
pub(crate) struct Ids {
    modules: HashMap<MachineName, KnownModule>,
    versions: HashMap<(i64, String), KnownVersion>,
    /// What was not in the cache.
    pub(crate) found: FoundIds,
}

impl Ids {
    /// Takes the site's rows apart into what the diff compares and the ids behind it.
    pub(crate) fn of_rows(rows: Vec<CurrentRow>) -> Result<(Self, Vec<CurrentModule>), StorageError> {
        let mut ids = Self::default();
        let mut current = Vec::with_capacity(rows.len());
        for row in rows {
            let (module_id, version_id, described) = (row.module_id, row.version_id, row.described);
            let known = KnownModule { id: module_id, module_type: row.registry_type()? };
            let module = CurrentModule::try_from(row)?;
            if let (Some(version), Some(id)) = (&module.state.version, version_id) {
                ids.versions.insert((module_id, version.to_string()), KnownVersion { id, described });
            }
            ids.modules.insert(module.machine_name.clone(), known);
            current.push(module);
        }
        Ok((ids, current))
    }

    /// The type under which the registry knows a module.
    pub(crate) fn registry_type(&self, name: &MachineName) -> Option<ModuleType> {
        self.modules.get(name).map(|known| known.module_type)
    }

    /// The reported modules whose ids neither the site's rows nor the cache know, sorted by name.
    pub(crate) fn unknown_modules<'a>(&mut self, report: &'a Report, cache: &IdCache) -> Vec<NewModule<'a>> {
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
        unknown
    }

    pub(crate) fn add_modules(&mut self, rows: Vec<ModuleIdRow>) -> Result<(), StorageError> {
        for row in rows {
            let (name, known) = row.known()?;
            self.found.modules.push((name.clone(), known));
            self.modules.insert(name, known);
        }
        Ok(())
    }

    /// The versions a plan writes whose ids, or whose details where they are shared, neither the site's rows nor the
    /// cache know, sorted as they are locked.
    pub(crate) fn unknown_versions(
        &mut self,
        plan: &SyncPlan,
        report: &Report,
        cache: &IdCache,
    ) -> Result<Vec<NewVersion>, StorageError> {
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
                sort_key: version.sort_key().to_owned(),
                details: shared.then(|| details_of(report, &change.machine_name)).flatten(),
                version: key.1,
            });
        }
        unknown.sort_by(|a, b| (a.module_id, &a.version).cmp(&(b.module_id, &b.version)));
        Ok(unknown)
    }

    pub(crate) fn add_versions(&mut self, rows: Vec<VersionIdRow>) {
        for row in rows {
            let (key, known) = ((row.module_id, row.version), KnownVersion { id: row.id, described: row.described });
            self.found.versions.push((key.clone(), known));
            self.versions.insert(key, known);
        }
    }

    /// Whether every one of these has an id now.
    pub(crate) fn know_modules(&self, names: &[NewModule<'_>]) -> bool {
        names.iter().all(|module| self.modules.contains_key(module.name))
    }

    /// Whether every one of these has an id now.
    pub(crate) fn know_versions(&self, versions: &[NewVersion]) -> bool {
        versions.iter().all(|v| self.versions.contains_key(&(v.module_id, v.version.clone())))
    }

    pub(crate) fn module_id(&self, name: &MachineName) -> Result<i64, StorageError> {
        let known = self.modules.get(name);
        known.map(|known| known.id).ok_or_else(|| StorageError::corrupt("registry: no id for module", name))
    }

    fn version_id(&self, module_id: i64, version: &str) -> Result<i64, StorageError> {
        let known = self.versions.get(&(module_id, version.to_owned()));
        known.map(|known| known.id).ok_or_else(|| StorageError::corrupt("registry: no id for version", version))
    }

    /// The ids of `names`, in ascending order.
    pub(crate) fn module_ids<'a>(
        &self,
        names: impl IntoIterator<Item = &'a MachineName>,
    ) -> Result<Vec<i64>, StorageError> {
        let mut ids: Vec<i64> = names.into_iter().map(|name| self.module_id(name)).collect::<Result<_, _>>()?;
        ids.sort_unstable();
        Ok(ids)
    }
}

fn details_of(report: &Report, name: &MachineName) -> Option<String> {
    let at = report.modules().binary_search_by(|m| m.machine_name.cmp(name)).ok()?;
    Some(json(&report.modules()[at].details))
}

/// A registry row. Of custom modules it holds only the name.
#[derive(Serialize)]
pub(crate) struct NewModule<'a> {
    #[serde(skip)]
    name: &'a MachineName,
    pub(crate) machine_name: &'a str,
    pub(crate) module_type: &'static str,
    #[serde(rename = "name")]
    pub(crate) display_name: Option<&'a str>,
    pub(crate) description: Option<&'a str>,
    pub(crate) project_link: Option<&'a str>,
}

impl<'a> NewModule<'a> {
    fn of(reported: &'a ReportedModule) -> Self {
        let shared = Some(&reported.details).filter(|_| reported.module_type != ModuleType::Custom);
        Self {
            name: &reported.machine_name,
            machine_name: reported.machine_name.as_str(),
            module_type: reported.module_type.as_str(),
            display_name: shared.map(|d: &ModuleDetails| d.name.as_str()),
            description: shared.and_then(|d| d.description.as_deref()),
            project_link: shared.and_then(|d| d.project_link.as_deref()),
        }
    }
}

/// A registry version.
#[derive(Serialize)]
pub(crate) struct NewVersion {
    pub(crate) module_id: i64,
    pub(crate) version: String,
    pub(crate) sort_key: String,
    pub(crate) details: Option<String>,
}

/// A row of the site to insert or overwrite.
#[derive(Serialize)]
pub(crate) struct RowWrite<'a> {
    pub(crate) module_id: i64,
    pub(crate) version_id: Option<i64>,
    pub(crate) enabled: bool,
    pub(crate) module_type: &'static str,
    pub(crate) extension: &'static str,
    pub(crate) project: Option<&'a str>,
    pub(crate) datestamp: Option<i64>,
    pub(crate) schema_version: Option<i32>,
    pub(crate) security_coverage: bool,
    pub(crate) own_details: Option<String>,
    pub(crate) assessment_id: Option<i64>,
}

/// An event to append.
#[derive(Serialize)]
pub(crate) struct EventWrite<'a> {
    pub(crate) module_id: i64,
    pub(crate) kind: &'static str,
    pub(crate) from_version: Option<&'a str>,
    pub(crate) to_version: Option<&'a str>,
}

/// The rows that change, in the order of their ids.
pub(crate) fn row_writes<'a>(
    plan: &'a SyncPlan,
    ids: &Ids,
    assessed: &Assessed,
) -> Result<Vec<RowWrite<'a>>, StorageError> {
    let write = |change: &'a Change| {
        let module_id = ids.module_id(&change.machine_name)?;
        let state = &change.after;
        let version_id = state.version.as_ref().map(|v| ids.version_id(module_id, v.as_str())).transpose()?;
        Ok(RowWrite {
            module_id,
            version_id,
            enabled: state.enabled,
            module_type: state.module_type.as_str(),
            extension: state.extension.as_str(),
            project: state.project.as_ref().map(|p| p.as_str()),
            datestamp: state.datestamp,
            schema_version: state.schema_version,
            security_coverage: state.security_coverage,
            own_details: state.own_details.as_ref().map(json),
            assessment_id: assessed.id_of(state),
        })
    };
    let mut rows = plan.changes.changed.iter().map(write).collect::<Result<Vec<_>, StorageError>>()?;
    rows.sort_unstable_by_key(|row| row.module_id);
    Ok(rows)
}

/// What happened, module by module, with the versions that belong to it.
pub(crate) fn event_writes<'a>(plan: &'a SyncPlan, ids: &Ids) -> Result<Vec<EventWrite<'a>>, StorageError> {
    let mut events = Vec::new();
    for change in &plan.changes.changed {
        let module_id = ids.module_id(&change.machine_name)?;
        let before = change.before.as_ref().and_then(|state| state.version.as_ref()).map(DrupalVersion::as_str);
        let after = change.after.version.as_ref().map(DrupalVersion::as_str);
        for kind in &change.events {
            let (from_version, to_version) = match kind {
                EventKind::VersionChanged => (before, after),
                EventKind::Installed | EventKind::Restored => (None, after),
                EventKind::Removed | EventKind::Enabled | EventKind::Disabled => (None, None),
            };
            events.push(EventWrite { module_id, kind: kind.as_str(), from_version, to_version });
        }
    }
    for row in &plan.changes.removed {
        events.push(EventWrite {
            module_id: ids.module_id(&row.machine_name)?,
            kind: EventKind::Removed.as_str(),
            from_version: row.state.version.as_ref().map(DrupalVersion::as_str),
            to_version: None,
        });
    }
    Ok(events)
}

/// The site's row after a sync.
pub(crate) struct SiteWrite<'a> {
    pub(crate) identity: &'a SiteIdentity,
    pub(crate) fingerprint: Option<Vec<u8>>,
    pub(crate) last_full_sync_at: Option<OffsetDateTime>,
    pub(crate) mass_removal: bool,
    pub(crate) conflict: bool,
    /// `None`: it stays.
    pub(crate) core_assessment_id: Option<i64>,
}

impl<'a> SiteWrite<'a> {
    /// What `plan` leaves of a site that was `before`.
    pub(crate) fn of(
        plan: &'a SyncPlan,
        before: &SiteStateRow,
        at: OffsetDateTime,
        core_assessment_id: Option<i64>,
    ) -> Self {
        Self {
            identity: &plan.identity,
            fingerprint: plan.fingerprint.map(|f| f.as_bytes().to_vec()),
            last_full_sync_at: if plan.complete { Some(at) } else { before.last_full_sync_at.map(|at| at.0) },
            mass_removal: plan.mass_removal,
            conflict: before.conflict || plan.identity_changed_from.is_some(),
            core_assessment_id,
        }
    }
}

/// The kind and detail of the event that a change of identity leaves.
pub(crate) fn identity_event(plan: &SyncPlan) -> Option<(&'static str, String)> {
    let from = plan.identity_changed_from.as_ref()?;
    let as_json = |i: &SiteIdentity| serde_json::json!({ "environment": i.environment, "url": i.url });
    Some(("identity_changed", serde_json::json!({ "from": as_json(from), "to": as_json(&plan.identity) }).to_string()))
}

/// What the sync did. Takes the time: call it right before the audit row is written.
pub(crate) fn outcome(command: &SyncCommand, plan: &SyncPlan, security: SecurityCounts) -> SyncOutcome {
    SyncOutcome {
        counts: plan.counts,
        warnings: command.warnings.iter().chain(&plan.warnings).cloned().collect(),
        ..unchanged_outcome(command, security)
    }
}

/// What a sync did that left everything as it was.
pub(crate) fn unchanged_outcome(command: &SyncCommand, security: SecurityCounts) -> SyncOutcome {
    SyncOutcome {
        sync_id: command.sync_id,
        site_id: command.site_id,
        counts: SyncCounts { processed: command.report.modules().len(), ..SyncCounts::default() },
        security,
        warnings: command.warnings.clone(),
        rejected: command.report.rejected().to_vec(),
        next_sync_after: command.next_sync_after,
        processing_time_ms: i64::try_from(command.received.elapsed().as_millis()).unwrap_or(i64::MAX),
    }
}

/// The whole minute that refused syncs are counted in.
pub(crate) fn minute_of(at: OffsetDateTime) -> OffsetDateTime {
    at - Duration::seconds(i64::from(at.second())) - Duration::nanoseconds(i64::from(at.nanosecond()))
}

/// A count for the database. Reports are bounded far below the type's limit.
pub(crate) fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// JSON of a type whose serialization cannot fail: only strings, numbers, lists and structs of them.
pub(crate) fn json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

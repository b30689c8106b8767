//! What happened to the modules of a site in one sync: a change set, which is one row. Its changes are a list, each with
//! the place of the change before it of the same module, so that a module's history is followed from its row back in time.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{Integer, Nullable, Text};
use module_monitor_domain::{ChangeRef, DrupalVersion, EventKind, MachineName, ModuleEvent, SyncId, SyncPlan};
use serde_json::{Value, json};

use crate::engine::error::StorageError;
use crate::engine::read::read;
use crate::engine::sql_types::{At, DbId, Id, Moment};

/// Where two columns say that a change is.
pub(super) fn change_ref(sync: Option<DbId>, position: Option<i32>) -> Option<ChangeRef> {
    Some(ChangeRef { sync_id: SyncId(sync?.0), position: u32::try_from(position?).ok()? })
}

/// The changes of one sync, as they are stored.
pub(crate) struct ChangeSet {
    /// JSON: for each change the module's id, its kind, the versions before and after, and where the module's change before
    /// it is: the id of the sync and the position.
    pub(crate) json: String,
    /// Of each module in it, the position of its last change.
    pub(crate) last: HashMap<i64, i32>,
}

impl ChangeSet {
    /// What `plan` does, and `None` where nothing happens to any module. `module` tells the id of one and where its last
    /// change was.
    pub(crate) fn of<'a>(
        sync_id: SyncId,
        plan: &'a SyncPlan,
        module: impl Fn(&'a MachineName) -> Result<(i64, Option<ChangeRef>), StorageError>,
    ) -> Result<Option<Self>, StorageError> {
        let mut changes: Vec<Value> = Vec::new();
        let mut last = HashMap::new();
        let mut add = |name, kind: EventKind, from: Option<&str>, to: Option<&str>| -> Result<(), StorageError> {
            let (id, before) = module(name)?;
            let position = i32::try_from(changes.len()).unwrap_or(i32::MAX);
            let before = match last.insert(id, position) {
                Some(position) => Some((sync_id, i64::from(position))),
                None => before.map(|before| (before.sync_id, i64::from(before.position))),
            };
            changes.push(match before {
                Some((sync, position)) => json!([id, kind.as_str(), from, to, sync.0.simple().to_string(), position]),
                None => json!([id, kind.as_str(), from, to]),
            });
            Ok(())
        };
        for change in &plan.changes.changed {
            let before = change.before.as_ref().and_then(|state| state.version.as_ref()).map(DrupalVersion::as_str);
            let after = change.after.version.as_ref().map(DrupalVersion::as_str);
            for kind in &change.events {
                let (from, to) = match kind {
                    EventKind::VersionChanged => (before, after),
                    EventKind::Installed | EventKind::Restored => (None, after),
                    EventKind::Removed | EventKind::Enabled | EventKind::Disabled => (None, None),
                };
                add(&change.machine_name, *kind, from, to)?;
            }
        }
        for row in &plan.changes.removed {
            let version = row.state.as_ref().and_then(|state| state.version.as_ref()).map(DrupalVersion::as_str);
            add(&row.machine_name, EventKind::Removed, version, None)?;
        }
        let json = Value::Array(changes).to_string();
        Ok((!last.is_empty()).then_some(Self { json, last }))
    }

    /// The last changes of those modules, with their ids.
    pub(crate) fn places(&self, modules: &[i64]) -> Vec<(i64, i32)> {
        modules.iter().filter_map(|id| Some((*id, *self.last.get(id)?))).collect()
    }
}

/// A change with its place, and that of the module's change before it.
#[derive(QueryableByName)]
pub(super) struct ChangeRow {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    from_version: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    to_version: Option<String>,
    #[diesel(sql_type = Id)]
    sync_id: DbId,
    #[diesel(sql_type = Moment)]
    at: At,
    #[diesel(sql_type = Nullable<Id>)]
    before_sync: Option<DbId>,
    #[diesel(sql_type = Nullable<Integer>)]
    before_position: Option<i32>,
}

impl TryFrom<ChangeRow> for ModuleEvent {
    type Error = StorageError;

    fn try_from(row: ChangeRow) -> Result<Self, StorageError> {
        Ok(Self {
            kind: read("event", &row.kind, EventKind::from_name(&row.kind))?,
            from_version: row.from_version,
            to_version: row.to_version,
            sync_id: SyncId(row.sync_id.0),
            at: row.at.0,
            before: change_ref(row.before_sync, row.before_position),
        })
    }
}

/// Since when the history of a module is complete.
#[derive(QueryableByName)]
pub(super) struct CompleteSinceRow {
    #[diesel(sql_type = Moment)]
    pub(super) complete_since: At,
}

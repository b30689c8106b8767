//! The inventory diff: what a report changes on its site.

use std::collections::HashMap;

use crate::{EventKind, MachineName, ModuleType, Report, SiteModuleState};

/// A row of the site as it stands, present or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentModule {
    /// The name it is known by.
    pub machine_name: MachineName,
    /// What the row says.
    pub state: SiteModuleState,
    /// Whether it has been removed from the site.
    pub removed: bool,
}

/// A row to write, and what happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The module.
    pub machine_name: MachineName,
    /// Its row before; `None` where the site never had it.
    pub before: Option<SiteModuleState>,
    /// Its row afterwards.
    pub after: SiteModuleState,
    /// What happened, in order; empty where only details of the row changed.
    pub events: Vec<EventKind>,
}

impl Change {
    /// Whether the module was not on the site before this report.
    pub fn is_new(&self) -> bool {
        self.events.iter().any(|e| matches!(e, EventKind::Installed | EventKind::Restored))
    }

    /// Whether a module that was there has another version now.
    pub fn is_update(&self) -> bool {
        !self.is_new() && self.events.contains(&EventKind::VersionChanged)
    }
}

/// What a report changes, every list in the order of machine names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InventoryChanges {
    /// Rows to write.
    pub changed: Vec<Change>,
    /// Modules that are gone, with the version they had.
    pub removed: Vec<CurrentModule>,
    /// Modules reported exactly as they stand.
    pub unchanged: Vec<MachineName>,
}

impl InventoryChanges {
    /// Whether there is no row to write.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.removed.is_empty()
    }
}

/// Compares what the site has with what it reported. `registry_type` tells the type under which the registry knows a
/// module. A partial report removes nothing, and neither does an incomplete one; rejected names are left as they are.
pub fn diff(
    current: &[CurrentModule],
    report: &Report,
    registry_type: impl Fn(&MachineName) -> Option<ModuleType>,
) -> InventoryChanges {
    let mut gone: HashMap<&MachineName, &CurrentModule> = current.iter().map(|c| (&c.machine_name, c)).collect();
    let mut changes = InventoryChanges::default();
    for reported in report.modules() {
        let name = &reported.machine_name;
        let after = SiteModuleState::of(reported, registry_type(name).unwrap_or(reported.module_type));
        let before = gone.remove(name);
        let events = events(before, &after);
        match before {
            Some(row) if !row.removed && row.state == after => changes.unchanged.push(name.clone()),
            _ => changes.changed.push(Change {
                machine_name: name.clone(),
                before: before.map(|row| row.state.clone()),
                after,
                events,
            }),
        }
    }
    if report.is_complete() {
        changes.removed =
            gone.into_values().filter(|row| !row.removed && !report.leaves_alone(&row.machine_name)).cloned().collect();
        changes.removed.sort_by(|a, b| a.machine_name.cmp(&b.machine_name));
    }
    changes
}

fn events(before: Option<&CurrentModule>, after: &SiteModuleState) -> Vec<EventKind> {
    let Some(before) = before else {
        return vec![EventKind::Installed];
    };
    let mut events = Vec::new();
    if before.removed {
        events.push(EventKind::Restored);
    }
    if before.state.version != after.version {
        events.push(EventKind::VersionChanged);
    }
    match (before.state.enabled, after.enabled) {
        (false, true) => events.push(EventKind::Enabled),
        (true, false) => events.push(EventKind::Disabled),
        _ => {}
    }
    events
}

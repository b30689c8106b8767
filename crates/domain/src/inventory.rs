//! The inventory diff: what a report changes on its site.

use std::collections::HashMap;

use crate::{
    DrupalVersion, EventKind, Extension, Identification, ItemHash, MachineName, ModuleType, Report, SiteModuleState,
    names,
};

names! {
    /// Why the last report of a module could not be read into its row.
    pub enum RejectedMark {
        /// The row says what was last read.
        Kept = "kept",
        /// Nothing of it could be read since it came; the row only says that it is there.
        New = "new",
        /// Nothing of it could be read since it came back; the row says what it was before it was removed.
        Back = "back",
    }
}

/// A row of the site as it stands, present or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentModule {
    /// The name it is known by.
    pub machine_name: MachineName,
    /// The hash of the item it was written from; `None` where nothing of it could be read.
    pub item: Option<ItemHash>,
    /// Whether it is enabled.
    pub enabled: bool,
    /// The type that its site gives it.
    pub module_type: ModuleType,
    /// Module, theme or profile.
    pub extension: Extension,
    /// The theme that this theme builds on.
    pub base_theme: Option<MachineName>,
    /// Unix seconds of the packaged release.
    pub datestamp: Option<i64>,
    /// Whether it has been removed from the site.
    pub removed: bool,
    /// Its last report could not be read.
    pub rejected: Option<RejectedMark>,
    /// Whether it was in use; see [`crate::in_use`].
    pub in_use: bool,
    /// What it was taken for; see [`crate::identify`].
    pub identification: Option<Identification>,
    /// Everything that the row says. It may be missing where [`Self::stays`].
    pub state: Option<SiteModuleState>,
}

impl CurrentModule {
    /// Whether its row says what was read of it since it came.
    pub fn is_known(&self) -> bool {
        !matches!(self.rejected, Some(RejectedMark::New | RejectedMark::Back))
    }

    /// Whether `report` leaves it as it is, which the row and the hash of the item tell without its state.
    pub fn stays(&self, report: &Report) -> bool {
        let left_alone = report.leaves_alone(&self.machine_name);
        match report.item(&self.machine_name) {
            _ if self.rejected.is_some() => false,
            Some(item) => !self.removed && self.item == Some(item),
            None if self.removed => !left_alone,
            None => left_alone || !report.is_complete(),
        }
    }

    fn version(&self) -> Option<&DrupalVersion> {
        self.state.as_ref().and_then(|state| state.version.as_ref())
    }
}

/// A row to write, and what happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The module.
    pub machine_name: MachineName,
    /// The hash of the reported item.
    pub item: ItemHash,
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
    for (reported, item) in report.items() {
        let name = &reported.machine_name;
        let before = gone.remove(name).filter(|row| row.rejected != Some(RejectedMark::New));
        if before.is_some_and(|row| row.stays(report)) {
            changes.unchanged.push(name.clone());
            continue;
        }
        let after = SiteModuleState::of(reported, registry_type(name).unwrap_or(reported.module_type));
        changes.changed.push(Change {
            machine_name: name.clone(),
            item,
            before: before.and_then(|row| row.state.clone()),
            events: events(before, &after),
            after,
        });
    }
    if report.is_complete() {
        changes.removed = gone.into_values().filter(|row| row.is_known() && is_gone(row, report)).cloned().collect();
        changes.removed.sort_by(|a, b| a.machine_name.cmp(&b.machine_name));
    }
    changes
}

/// Whether a complete `report` has a module no longer.
pub(crate) fn is_gone(row: &CurrentModule, report: &Report) -> bool {
    !row.removed && !report.leaves_alone(&row.machine_name)
}

fn events(before: Option<&CurrentModule>, after: &SiteModuleState) -> Vec<EventKind> {
    let Some(before) = before else {
        return vec![EventKind::Installed];
    };
    let mut events = Vec::new();
    if before.removed || before.rejected == Some(RejectedMark::Back) {
        events.push(EventKind::Restored);
    }
    if before.version() != after.version.as_ref() {
        events.push(EventKind::VersionChanged);
    }
    match (before.enabled, after.enabled) {
        (false, true) => events.push(EventKind::Enabled),
        (true, false) => events.push(EventKind::Disabled),
        _ => {}
    }
    events
}

//! What of a site could not be read, and until when that is remembered.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::inventory::is_gone;
use crate::{
    CurrentModule, Extension, MachineName, ModuleDetails, ModuleType, Report, Scope, SiteDetails, SiteModuleState,
};

/// Extensions whose last report could not be read. A mark stays until a report brings the extension valid, or a complete
/// one does not name it any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Rows to mark, that stay as they are otherwise.
    pub kept: Vec<MachineName>,
    /// Rows to write for what is on the site and was never read.
    pub new: Vec<Placeholder>,
    /// Rows of what was removed and is there again, but could not be read.
    pub back: Vec<MachineName>,
    /// Rows of either kind that end, because what they stood for is gone.
    pub ended: Vec<MachineName>,
    /// Items that could not be read, not even their names.
    pub unnamed: u32,
    /// Marks that stay from earlier reports.
    stay: usize,
    /// Whether any of that differs from before.
    pub changed: bool,
}

/// An extension of which nothing but its name could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder {
    /// The name it is known by.
    pub machine_name: MachineName,
    /// What its row is to say.
    pub state: SiteModuleState,
}

impl Marks {
    /// What `report` leaves of a site with the rows `current`, where so many items without names are remembered.
    pub(crate) fn of(unnamed_before: u32, current: &[CurrentModule], report: &Report) -> Self {
        let rows: HashMap<&MachineName, &CurrentModule> = current.iter().map(|row| (&row.machine_name, row)).collect();
        let mut marks = Self { unnamed: unnamed(unnamed_before, report), ..Self::default() };
        let mut kept = BTreeSet::new();
        let (mut new, mut back) = (BTreeMap::new(), BTreeSet::new());
        for item in report.rejected_items() {
            let Some(name) = item.name() else { continue };
            match rows.get(&name) {
                Some(row) if row.removed && item.may_be_enabled() => drop(back.insert(name)),
                Some(row) if row.removed => {}
                Some(row) if row.rejected.is_none() && (row.in_use || item.may_be_enabled()) => drop(kept.insert(name)),
                None if item.may_be_enabled() => {
                    let module_type = item.module_type.unwrap_or(ModuleType::Contrib);
                    let state = placeholder(&name, module_type, item.extension.unwrap_or_default());
                    new.insert(name, state);
                }
                _ => {}
            }
        }
        let marked: Vec<&CurrentModule> = current.iter().filter(|row| !row.removed && row.rejected.is_some()).collect();
        let valid: BTreeSet<&MachineName> = report.modules().iter().map(|module| &module.machine_name).collect();
        let gone =
            |row: &CurrentModule| report.is_complete() && is_gone(row, report) && !valid.contains(&row.machine_name);
        marks.ended =
            marked.iter().filter(|row| !row.is_known() && gone(row)).map(|row| row.machine_name.clone()).collect();
        marks.ended.sort();
        marks.stay = marked.iter().filter(|row| !valid.contains(&row.machine_name) && !gone(row)).count();
        marks.kept = kept.into_iter().collect();
        marks.back = back.into_iter().collect();
        marks.new = new.into_iter().map(|(machine_name, state)| Placeholder { machine_name, state }).collect();
        marks.changed = unnamed_before != marks.unnamed
            || marks.stay != marked.len()
            || !marks.kept.is_empty()
            || !marks.new.is_empty()
            || !marks.back.is_empty();
        marks
    }

    /// Whether anything of the site could not be read.
    pub fn is_partial(&self) -> bool {
        self.unnamed > 0 || self.stay > 0 || !self.kept.is_empty() || !self.new.is_empty() || !self.back.is_empty()
    }
}

/// Only a full report says how many items without names there are; others may only add to them.
fn unnamed(before: u32, report: &Report) -> u32 {
    let nameless = report.rejected_items().iter().filter(|item| item.name().is_none() && item.may_be_enabled());
    let count = u32::try_from(nameless.count()).unwrap_or(u32::MAX);
    match report.scope() {
        Scope::Full => count,
        Scope::Partial => count.max(before),
    }
}

fn placeholder(name: &MachineName, module_type: ModuleType, extension: Extension) -> SiteModuleState {
    SiteModuleState {
        version: None,
        enabled: true,
        module_type,
        extension,
        project: None,
        datestamp: None,
        schema_version: None,
        security_coverage: true,
        own_details: Some(ModuleDetails { name: name.to_string(), ..ModuleDetails::default() }),
        site_details: SiteDetails::default(),
    }
}

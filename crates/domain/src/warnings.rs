//! What the people who look after a site are told of a report: once, when it begins to be so.

use std::collections::BTreeSet;

use crate::security::core_claim;
use crate::{
    Change, CoreVerdict, CoreVersion, EventKind, InventoryChanges, MachineName, ModuleType, Report, Scope,
    SiteIdentity, SiteModuleState,
};

/// So many modules are named in a line of their own each; more of a kind become one line.
const NAMED: usize = 10;

/// How many modules such a line names.
const EXAMPLES: usize = 5;

/// How many lines are kept of a sync; with what the answer adds there are 50 at most.
const LINES: usize = 48;

/// How many bytes they may have; with what is added to them there are 16 KiB at most.
const BYTES: usize = 15 * 1024;

/// What of `warnings` is kept and answered. What is too much is left out, the longest lines first, and counted in a last
/// line: what a site has others read it does not choose the size of, nor can it drive out a line of ours.
pub fn bounded_warnings(warnings: Vec<String>) -> Vec<String> {
    let mut shortest_first: Vec<usize> = (0..warnings.len()).collect();
    shortest_first.sort_by_key(|n| warnings[*n].len());
    let mut bytes = 0;
    let kept: BTreeSet<usize> = shortest_first
        .into_iter()
        .take(LINES)
        .take_while(|n| {
            bytes += warnings[*n].len();
            bytes <= BYTES
        })
        .collect();
    let left_out = warnings.len() - kept.len();
    let mut lines: Vec<String> =
        warnings.into_iter().enumerate().filter(|(n, _)| kept.contains(n)).map(|(_, line)| line).collect();
    match left_out {
        0 => {}
        1 => lines.push("1 more warning is left out".to_owned()),
        n => lines.push(format!("{n} more warnings are left out")),
    }
    lines
}

/// What a change of identity is told with; both sides, so that it is clear which one is the copy.
pub(crate) fn another_identity(said: &SiteIdentity, known: &SiteIdentity) -> String {
    format!(
        "This report comes from another environment or URL than the site's last one: from {said}, the last one from \
         {known}; a copy of a site needs a key of its own"
    )
}

/// What is to be said of a report's modules. `registry_type` tells the type under which the registry knows a module.
pub(crate) fn of_modules(
    report: &Report,
    changes: &InventoryChanges,
    registry_type: impl Fn(&MachineName) -> Option<ModuleType>,
) -> Vec<String> {
    let mut warnings = Vec::new();
    if report.scope() == Scope::Full && !report.is_complete() {
        warnings.push("An item without a usable machine name was rejected, so nothing was removed".to_owned());
    }
    match report.unlisted() {
        0 => {}
        1 => warnings.push("1 more module was rejected and is not listed".to_owned()),
        n => warnings.push(format!("{n} more modules were rejected and are not listed")),
    }
    warnings.extend(repeated(report.repeated()));
    warnings.extend(unknown(&changes.changed));
    warnings.extend(of_another_type(&changes.changed, registry_type));
    warnings.extend(without_version(&changes.changed));
    warnings.extend(not_of_core(&changes.changed, report.drupal_version()));
    warnings
}

fn repeated(names: &[MachineName]) -> Vec<String> {
    let told = names.iter().map(|name| Told {
        example: name.to_string(),
        line: format!("Module {name} is listed more than once; the last entry counts"),
    });
    few_or_many(told.collect(), |n| format!("{n} modules are listed more than once, and the last entry of each counts"))
}

/// Custom code that is new to the site: nobody else can say what it is.
fn unknown(changed: &[Change]) -> Vec<String> {
    let is_unknown = |change: &&Change| {
        change.after.module_type == ModuleType::Custom && change.events.contains(&EventKind::Installed)
    };
    let told = changed.iter().filter(is_unknown).map(|Change { machine_name: name, .. }| Told {
        example: name.to_string(),
        line: format!("Unknown module: {name}"),
    });
    few_or_many(told.collect(), |n| format!("Unknown modules ({n})"))
}

/// Code that is custom here and not elsewhere. Between core and contrib modules move in real life, and what is custom
/// elsewhere says nothing of what it is here.
fn of_another_type(changed: &[Change], registry_type: impl Fn(&MachineName) -> Option<ModuleType>) -> Vec<String> {
    let told = changed.iter().filter(|change| has_come_as(change, |state| state.module_type)).filter_map(|change| {
        let (name, own) = (&change.machine_name, change.after.module_type);
        let known = registry_type(name).filter(|known| *known != own)?;
        (own == ModuleType::Custom).then(|| Told {
            example: format!("{name} ({known}, here {own})"),
            line: format!("Module {name} is known as {known}; this site reports it as {own}"),
        })
    });
    few_or_many(told.collect(), |n| format!("{n} modules are known under another type than this site reports"))
}

/// Code that is called core and is not core's.
fn not_of_core(changed: &[Change], core: &CoreVersion) -> Vec<String> {
    let reason = |name: &MachineName, state: &SiteModuleState| match core_claim(name, state, core) {
        _ if state.module_type != ModuleType::Core || state.site_details.missing => None,
        CoreVerdict::Core => None,
        CoreVerdict::OtherPath => Some("is not in one of core's folders"),
        CoreVerdict::OtherVersion => Some("does not have core's version"),
        CoreVerdict::OtherName => Some("is in no Drupal core of that version"),
    };
    let told = changed.iter().filter(|change| has_come_as(change, |state| reason(&change.machine_name, state)));
    let told = told.filter_map(|change| {
        let name = &change.machine_name;
        let reason = reason(name, &change.after)?;
        Some(Told {
            example: format!("{name} {reason}"),
            line: format!("Module {name} is reported as core and {reason}; it counts as unidentified"),
        })
    });
    few_or_many(told.collect(), |n| format!("{n} modules are reported as core and are not core's"))
}

/// Texts that were sent as versions and are none.
fn without_version(changed: &[Change]) -> Option<String> {
    let has_come = |change: &&Change| has_come_as(change, |state| state.site_details.reported_version.clone());
    let examples = changed.iter().filter(has_come).filter_map(|change| {
        let text = change.after.site_details.reported_version.as_ref()?;
        Some(format!("{} ({text:?})", change.machine_name))
    });
    let examples: Vec<String> = examples.collect();
    let subject = match examples.len() {
        0 => return None,
        1 => "The version of 1 module is".to_owned(),
        n => format!("The versions of {n} modules are"),
    };
    Some(format!("{subject} taken as not known, because what was sent is not a version: {}", some_of(&examples)))
}

/// Whether the module has come to the site, or what `part` tells of it has changed.
fn has_come_as<T: PartialEq>(change: &Change, part: impl Fn(&SiteModuleState) -> T) -> bool {
    change.is_new() || change.before.as_ref().is_none_or(|before| part(before) != part(&change.after))
}

/// What is to be said of one module: alone, or as an example of many.
struct Told {
    example: String,
    line: String,
}

/// A line for each, or, if they are many, one line for all of them, which begins with what `many` makes of their number.
fn few_or_many(told: Vec<Told>, many: impl FnOnce(usize) -> String) -> Vec<String> {
    if told.len() <= NAMED {
        return told.into_iter().map(|told| told.line).collect();
    }
    let examples: Vec<String> = told.into_iter().map(|told| told.example).collect();
    vec![format!("{}: {}", many(examples.len()), some_of(&examples))]
}

/// The first few of `examples`, and how many more there are.
fn some_of(examples: &[String]) -> String {
    let shown = examples[..examples.len().min(EXAMPLES)].join(", ");
    match examples.len().saturating_sub(EXAMPLES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(lines: &[String]) -> usize {
        lines.iter().map(String::len).sum()
    }

    #[test]
    fn a_few_warnings_stay_as_they_are() {
        let lines: Vec<String> = (0..LINES).map(|n| format!("line {n}")).collect();
        assert_eq!(bounded_warnings(lines.clone()), lines);
        let long = vec!["x".repeat(BYTES)];
        assert_eq!(bounded_warnings(long.clone()), long);
        assert!(bounded_warnings(Vec::new()).is_empty());
    }

    #[test]
    fn of_many_the_longest_are_left_out_and_counted() {
        let mut lines: Vec<String> = (0..80).map(|n| "x".repeat(500 - n)).collect();
        lines.push("This report removed 30 of 40 modules".to_owned());
        let bounded = bounded_warnings(lines.clone());
        let (last, kept) = bounded.split_last().unwrap();
        assert!(kept.len() <= LINES && bytes(kept) <= BYTES && bytes(&bounded) <= 16 * 1024);
        assert_eq!(*last, format!("{} more warnings are left out", lines.len() - kept.len()));
        assert_eq!(kept, &lines[lines.len() - kept.len()..], "the shortest, in the order they came in");
        assert_eq!(bounded_warnings(bounded.clone()), bounded);
        assert_eq!(bounded_warnings(vec!["x".repeat(BYTES + 1)]), ["1 more warning is left out"]);
        assert_eq!(bounded_warnings(vec![String::new(); 60]).len(), LINES + 1);
    }
}

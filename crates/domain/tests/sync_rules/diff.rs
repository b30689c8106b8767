//! What changes on a site, case by case.

use module_monitor_domain::{
    CurrentModule, EventKind, ItemHash, MachineName, ModuleType, ReportedModule, SiteModuleState, diff,
};

use crate::support::{full, module, modules, name, no_registry, partial, rejected, rows_after, version};

fn names(rows: &[CurrentModule]) -> Vec<&str> {
    rows.iter().map(|row| row.machine_name.as_str()).collect()
}

/// The events of a module that goes from `before` to `after`.
fn events(before: &ReportedModule, removed: bool, after: &ReportedModule) -> Vec<EventKind> {
    let mut rows = rows_after(&full(vec![before.clone()]));
    rows[0].removed = removed;
    diff(&rows, &full(vec![after.clone()]), no_registry).changed.remove(0).events
}

#[test]
fn a_first_report_installs_everything() {
    let changes = diff(&[], &full(modules(3)), no_registry);
    assert_eq!(changes.changed.len(), 3);
    assert!(changes.changed.iter().all(|c| c.is_new() && c.events == [EventKind::Installed] && c.before.is_none()));
}

#[test]
fn a_disabled_module_is_installed_without_an_event_of_its_own() {
    let changes = diff(&[], &full(vec![ReportedModule { enabled: false, ..module("a", "1.0.0") }]), no_registry);
    assert_eq!(changes.changed[0].events, [EventKind::Installed]);
}

#[test]
fn a_version_is_another_one_when_its_text_is() {
    let (one, same) = (module("a", "8.x-1.0"), module("a", "1.0.0"));
    assert_eq!(events(&one, false, &same), [EventKind::VersionChanged]);
    let unknown = ReportedModule { version: None, ..module("a", "1.0.0") };
    assert_eq!(events(&one, false, &unknown), [EventKind::VersionChanged]);
    assert_eq!(events(&unknown, false, &one), [EventKind::VersionChanged]);
}

#[test]
fn a_restored_module_is_new_and_says_what_else_is_different() {
    let (one, two) = (module("a", "1.0.0"), module("a", "2.0.0"));
    let off = ReportedModule { enabled: false, ..two.clone() };
    assert_eq!(events(&one, true, &one), [EventKind::Restored]);
    assert_eq!(events(&one, true, &two), [EventKind::Restored, EventKind::VersionChanged]);
    assert_eq!(events(&one, true, &off), [EventKind::Restored, EventKind::VersionChanged, EventKind::Disabled]);
    assert_eq!(events(&off, true, &two), [EventKind::Restored, EventKind::Enabled]);
}

#[test]
fn details_alone_change_the_row_without_an_event() {
    let before = ReportedModule { module_type: ModuleType::Custom, ..module("mine", "1.0.0") };
    let mut after = before.clone();
    after.details.description = Some("new".to_owned());
    let changes = diff(&rows_after(&full(vec![before])), &full(vec![after]), no_registry);
    assert_eq!(changes.changed.len(), 1);
    assert!(changes.changed[0].events.is_empty() && !changes.changed[0].is_new() && !changes.changed[0].is_update());
}

#[test]
fn what_the_registry_keeps_changes_only_the_hash_of_the_row() {
    let before = module("shared", "1.0.0");
    let mut after = before.clone();
    after.details.description = Some("told otherwise".to_owned());
    let changes = diff(&rows_after(&full(vec![before])), &full(vec![after.clone()]), no_registry);
    let [change] = changes.changed.as_slice() else { panic!("{changes:?}") };
    assert_eq!((change.before.as_ref(), change.item), (Some(&change.after), ItemHash::of(&after)));
    assert!(change.events.is_empty());
}

#[test]
fn a_missing_module_is_removed_by_a_full_report_only_and_only_once() {
    let mut rows = rows_after(&full(modules(3)));
    assert_eq!(names(&diff(&rows, &full(modules(2)), no_registry).removed), ["m002"]);
    assert!(diff(&rows, &partial(modules(2)), no_registry).is_empty());
    rows[2].removed = true;
    assert!(diff(&rows, &full(modules(2)), no_registry).is_empty());
}

#[test]
fn rejected_names_stay_and_a_nameless_rejection_keeps_everything() {
    let rows = rows_after(&full(modules(4)));
    let lenient = full(modules(2)).with_rejected(vec![rejected(Some("m002"))]);
    assert_eq!(names(&diff(&rows, &lenient, no_registry).removed), ["m003"]);
    let incomplete = full(modules(2)).with_rejected(vec![rejected(Some("m002")), rejected(None)]);
    assert!(diff(&rows, &incomplete, no_registry).is_empty());
}

#[test]
fn the_site_keeps_the_details_that_the_registry_cannot_speak_for() {
    let kept = |module: ReportedModule, registry| SiteModuleState::of(&module, registry).own_details.is_some();
    let contrib = || module("a", "1.0.0");
    let custom = || ReportedModule { module_type: ModuleType::Custom, ..contrib() };
    assert!(!kept(contrib(), ModuleType::Contrib));
    assert!(kept(custom(), ModuleType::Custom), "custom code");
    assert!(kept(contrib(), ModuleType::Core), "a contradicted type");
    assert!(kept(contrib(), ModuleType::Custom), "a contradicted type");
    assert!(kept(ReportedModule { version: None, ..contrib() }, ModuleType::Contrib), "no version");
}

#[test]
fn the_sites_own_type_stays_on_its_row() {
    let as_core = |_: &MachineName| Some(ModuleType::Core);
    let changes = diff(&[], &full(vec![module("a", "1.0.0")]), as_core);
    assert_eq!(changes.changed[0].after.module_type, ModuleType::Contrib);
    assert_eq!(changes.changed[0].after.version, version("1.0.0"));
    assert_eq!(changes.changed[0].machine_name, name("a"));
}

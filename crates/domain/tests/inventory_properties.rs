//! What holds for every report on every site: the diff and the plan against a plain model of a site.

use std::collections::{BTreeMap, BTreeSet};

use module_monitor_domain::{
    CoreVersion, CurrentModule, DrupalVersion, EventKind, Extension, InventoryChanges, ItemHash, MachineName,
    ModuleDetails, ModuleType, PhpVersion, ProjectName, RejectedItem, Rejection, Report, ReportedModule, Scope,
    SiteDetails, SiteIdentity, SiteInfo, SiteModuleState, SiteState, diff, plan,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use time::macros::datetime;

/// A site's rows by name: the items they were written from, what they say, and whether they are removed.
type Rows = BTreeMap<MachineName, (ItemHash, SiteModuleState, bool)>;
type Types = BTreeMap<MachineName, ModuleType>;

/// A site, what it reports, and what the registry knows.
#[derive(Clone, Debug)]
struct Case {
    rows: Rows,
    types: Types,
    report: Report,
}

impl Case {
    fn current(&self) -> Vec<CurrentModule> {
        current(&self.rows)
    }

    fn diff(&self) -> InventoryChanges {
        diff(&self.current(), &self.report, |name| self.types.get(name).copied())
    }

    /// Adds the row that `module` leaves.
    fn add(&mut self, module: &ReportedModule, removed: bool) {
        let row = (ItemHash::of(module), self.reported_state(module), removed);
        self.rows.insert(module.machine_name.clone(), row);
    }

    fn reported_state(&self, module: &ReportedModule) -> SiteModuleState {
        let known = self.types.get(&module.machine_name).copied();
        SiteModuleState::of(module, known.unwrap_or(module.module_type))
    }
}

fn current(rows: &Rows) -> Vec<CurrentModule> {
    rows.iter()
        .map(|(name, (item, state, removed))| CurrentModule {
            machine_name: name.clone(),
            item: Some(*item),
            enabled: state.enabled,
            module_type: state.module_type,
            extension: state.extension,
            base_theme: state.site_details.base_theme.clone(),
            datestamp: state.datestamp,
            state: Some(state.clone()),
            removed: *removed,
            rejected: None,
            in_use: state.enabled,
            identification: None,
        })
        .collect()
}

/// What the rows are once the changes are written.
fn applied(rows: &Rows, changes: &InventoryChanges) -> Rows {
    let mut rows = rows.clone();
    for change in &changes.changed {
        rows.insert(change.machine_name.clone(), (change.item, change.after.clone(), false));
    }
    for gone in &changes.removed {
        rows.get_mut(&gone.machine_name).expect("a row that is removed was there").2 = true;
    }
    rows
}

fn present(rows: &Rows) -> BTreeMap<MachineName, SiteModuleState> {
    let present = rows.iter().filter(|(_, (_, _, removed))| !removed);
    present.map(|(name, (_, state, _))| (name.clone(), state.clone())).collect()
}

fn any_name() -> impl Strategy<Value = MachineName> {
    select(vec!["a", "b", "c", "d", "e", "f", "g", "h"]).prop_map(|name| MachineName::parse(name).expect("valid"))
}

fn any_type() -> impl Strategy<Value = ModuleType> {
    select(vec![ModuleType::Core, ModuleType::Contrib, ModuleType::Custom])
}

fn any_details() -> impl Strategy<Value = ModuleDetails> {
    (select(vec!["One", "Two"]), option::of(Just("text".to_owned()))).prop_map(|(name, description)| ModuleDetails {
        name: name.to_owned(),
        description,
        ..ModuleDetails::default()
    })
}

fn any_site_details() -> impl Strategy<Value = SiteDetails> {
    let text = |text: &'static str| option::of(Just(text.to_owned()));
    (text("VERSION"), text("modules/a"), any::<bool>()).prop_map(|(reported_version, path, hidden)| SiteDetails {
        reported_version,
        path,
        hidden,
        ..SiteDetails::default()
    })
}

prop_compose! {
    fn any_module()(
        machine_name in any_name(),
        module_type in any_type(),
        version in option::of(select(vec!["1.0.0", "8.x-1.0", "2.0.0"])),
        enabled in any::<bool>(),
        project in option::of(Just(ProjectName::drupal())),
        datestamp in option::of(0..2i64),
        schema_version in option::of(0..2i32),
        security_coverage in any::<bool>(),
        details in any_details(),
        site_details in any_site_details(),
    ) -> ReportedModule {
        ReportedModule {
            machine_name,
            module_type,
            extension: Extension::Module,
            version: version.map(|v| DrupalVersion::parse(v).expect("valid")),
            enabled,
            project,
            datestamp,
            schema_version,
            security_coverage,
            details,
            site_details,
        }
    }
}

/// What the rows were written from, and whether they are removed.
fn any_items() -> impl Strategy<Value = Vec<(ReportedModule, bool)>> {
    vec((any_module(), any::<bool>()), 0..8)
}

fn rejection(name: Option<MachineName>) -> RejectedItem {
    let machine_name = name.map(|n| n.to_string());
    let problem = Rejection {
        pointer: "/modules/0".to_owned(),
        machine_name: machine_name.clone(),
        code: "code".to_owned(),
        detail: "detail".to_owned(),
    };
    RejectedItem { machine_name, problems: vec![problem], ..RejectedItem::default() }
}

fn any_report() -> impl Strategy<Value = Report> {
    let scope = select(vec![Scope::Full, Scope::Full, Scope::Partial]);
    let rejected = vec(option::weighted(0.8, any_name()), 0..3);
    (scope, vec(any_module(), 0..10), rejected).prop_map(|(scope, modules, rejected)| {
        Report::new(
            scope,
            datetime!(2026-01-01 00:00 UTC),
            CoreVersion::parse("10.3.6").expect("valid"),
            PhpVersion::parse("8.3.0").expect("valid"),
            SiteInfo::default(),
            modules,
        )
        .with_rejected(rejected.into_iter().map(rejection).collect())
    })
}

fn any_case() -> impl Strategy<Value = Case> {
    let parts = (any_items(), btree_map(any_name(), any_type(), 0..8), any_report(), vec(any::<bool>(), 10));
    parts.prop_map(|(items, types, report, as_reported)| {
        let mut case = Case { rows: Rows::new(), types, report };
        items.iter().for_each(|(module, removed)| case.add(module, *removed));
        // Chance alone would hardly ever report a row as it is.
        for (module, _) in case.report.modules().to_vec().iter().zip(as_reported).filter(|(_, same)| *same) {
            let removed = case.rows.get(&module.machine_name).is_some_and(|(_, _, removed)| *removed);
            case.add(module, removed);
        }
        case
    })
}

fn site() -> SiteState {
    SiteState {
        active: true,
        strict_identity: false,
        identity: SiteIdentity::default(),
        drupal_version: None,
        last_sync_timestamp: None,
        fingerprint: None,
        mass_removal: false,
        unnamed_rejections: 0,
    }
}

proptest! {
    #[test]
    fn applying_the_changes_gives_the_reported_state(case in any_case()) {
        let after = present(&applied(&case.rows, &case.diff()));
        let mut expected = present(&case.rows);
        if case.report.is_complete() {
            expected.retain(|name, _| case.report.leaves_alone(name));
        }
        expected.extend(case.report.modules().iter().map(|m| (m.machine_name.clone(), case.reported_state(m))));
        prop_assert_eq!(after, expected);
    }

    #[test]
    fn a_second_run_finds_nothing_to_change(case in any_case()) {
        let rows = applied(&case.rows, &case.diff());
        let again = Case { rows, ..case }.diff();
        prop_assert!(again.is_empty(), "{again:?}");
    }

    #[test]
    fn what_stays_need_not_be_read(case in any_case()) {
        let mut glanced = case.current();
        let stays = glanced.iter_mut().filter(|row| row.stays(&case.report));
        stays.for_each(|row| row.state = None);
        prop_assert_eq!(diff(&glanced, &case.report, |name| case.types.get(name).copied()), case.diff());
    }

    #[test]
    fn every_reported_module_is_either_changed_or_unchanged(case in any_case()) {
        let changes = case.diff();
        let mut told: Vec<_> = changes.changed.iter().map(|c| c.machine_name.clone()).collect();
        told.extend(changes.unchanged.iter().cloned());
        told.sort();
        let reported: Vec<_> = case.report.modules().iter().map(|m| m.machine_name.clone()).collect();
        prop_assert_eq!(told, reported);
    }

    #[test]
    fn a_partial_or_incomplete_report_never_removes(case in any_case()) {
        if !case.report.is_complete() {
            prop_assert!(case.diff().removed.is_empty());
        }
    }

    #[test]
    fn rejected_names_keep_their_rows(case in any_case()) {
        let after = applied(&case.rows, &case.diff());
        for name in case.report.rejected().iter().filter_map(|r| r.machine_name.as_deref()) {
            let name = MachineName::parse(name).expect("valid");
            prop_assert_eq!(case.rows.get(&name), after.get(&name));
        }
    }

    #[test]
    fn lists_are_sorted_and_without_duplicates(case in any_case()) {
        let changes = case.diff();
        let lists = [
            changes.changed.iter().map(|c| c.machine_name.clone()).collect::<Vec<_>>(),
            changes.removed.iter().map(|r| r.machine_name.clone()).collect(),
            changes.unchanged.clone(),
        ];
        for list in lists {
            prop_assert!(list.is_sorted_by(|a, b| a < b), "{list:?}");
        }
    }

    #[test]
    fn events_tell_exactly_what_is_different(case in any_case()) {
        for change in case.diff().changed {
            let row = case.rows.get(&change.machine_name);
            let is = |kind| change.events.contains(&kind);
            let before = row.map(|(_, state, _)| state);
            prop_assert_eq!(change.before.as_ref(), before);
            prop_assert_eq!(is(EventKind::Installed), row.is_none());
            prop_assert_eq!(is(EventKind::Restored), row.is_some_and(|(_, _, removed)| *removed));
            prop_assert_eq!(is(EventKind::VersionChanged), before.is_some_and(|b| b.version != change.after.version));
            prop_assert_eq!(is(EventKind::Enabled), before.is_some_and(|b| !b.enabled && change.after.enabled));
            prop_assert_eq!(is(EventKind::Disabled), before.is_some_and(|b| b.enabled && !change.after.enabled));
            prop_assert!(!is(EventKind::Removed));
            let distinct: BTreeSet<_> = change.events.iter().collect();
            prop_assert_eq!(distinct.len(), change.events.len());
        }
    }

    #[test]
    fn counts_agree_with_the_events_and_with_the_rows(case in any_case()) {
        let plan = plan(&site(), &case.current(), &case.report, |name| case.types.get(name).copied());
        let before = present(&case.rows);
        let after = present(&applied(&case.rows, &plan.changes));
        let new = after.keys().filter(|name| !before.contains_key(*name)).count();
        let updated =
            after.iter().filter(|(name, state)| before.get(*name).is_some_and(|b| b.version != state.version)).count();
        let removed = before.keys().filter(|name| !after.contains_key(*name)).count();
        prop_assert_eq!(plan.counts.processed, case.report.modules().len());
        prop_assert_eq!((plan.counts.new, plan.counts.updated, plan.counts.removed), (new, updated, removed));
    }

    #[test]
    fn a_module_that_stays_and_was_named_is_seen_now(case in any_case()) {
        let plan = plan(&site(), &case.current(), &case.report, |name| case.types.get(name).copied());
        let again: BTreeSet<_> = plan.reported_again.iter().cloned().collect();
        prop_assert_eq!(again.len(), plan.reported_again.len(), "each name once");
        let after = present(&applied(&case.rows, &plan.changes));
        let changed: BTreeSet<_> = plan.changes.changed.iter().map(|c| c.machine_name.clone()).collect();
        for name in after.keys() {
            let named = case.report.modules().iter().any(|m| m.machine_name == *name);
            // Written with the row, or moved by itself, or derived from the site's last full report.
            let seen = changed.contains(name) || again.contains(name) || (plan.complete && named);
            prop_assert_eq!(seen, named || case.report.leaves_alone(name), "{}", name);
        }
        prop_assert!(again.iter().all(|name| after.contains_key(name)), "only present modules");
    }

    #[test]
    fn the_fingerprint_is_that_of_an_exact_report_or_stays_while_nothing_changes(case in any_case()) {
        let old = Report::new(
            Scope::Full,
            case.report.sync_timestamp(),
            case.report.drupal_version().clone(),
            case.report.php_version().clone(),
            SiteInfo::default(),
            Vec::new(),
        )
        .fingerprint();
        let drupal_version = Some(case.report.drupal_version().clone());
        let before = SiteState { fingerprint: old, drupal_version, ..site() };
        let plan = plan(&before, &case.current(), &case.report, |name| case.types.get(name).copied());
        let expected = if case.report.is_exact() {
            case.report.fingerprint()
        } else if plan.changes.is_empty() && case.report.rejected_items().is_empty() {
            old
        } else {
            None
        };
        prop_assert_eq!(plan.fingerprint, expected);
    }

    #[test]
    fn the_fingerprint_ignores_order_and_superseded_duplicates(
        modules in vec(any_module(), 1..10),
        seed in any::<u64>(),
    ) {
        let of = |modules: Vec<ReportedModule>| {
            Report::new(
                Scope::Full,
                datetime!(2026-01-01 00:00 UTC),
                CoreVersion::parse("10.3.6").expect("valid"),
                PhpVersion::parse("8.3.0").expect("valid"),
                SiteInfo::default(),
                modules,
            )
        };
        let report = of(modules.clone());
        let mut turned = report.modules().to_vec();
        let by = usize::try_from(seed % turned.len() as u64).expect("valid");
        turned.rotate_left(by);
        // Earlier occurrences of the names, whatever they say, do not count.
        let doubled: Vec<_> = modules.into_iter().chain(turned).collect();
        prop_assert_eq!(of(doubled).fingerprint(), report.fingerprint());
    }

    #[test]
    fn equal_fingerprints_mean_equal_rows(one in any_report(), other in any_report()) {
        if let (Some(a), Some(b)) = (one.fingerprint(), other.fingerprint()) {
            prop_assert_eq!(a == b, one.modules() == other.modules());
        }
    }
}

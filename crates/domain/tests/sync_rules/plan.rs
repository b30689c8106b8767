//! What a sync writes and says.

use module_monitor_domain::{
    CurrentModule, MachineName, ModuleType, Report, ReportedModule, Scope, SiteDetails, SiteIdentity, SiteInfo,
    SiteState, SyncPlan, plan, plan_unchanged,
};

use crate::support::{
    NOON, from_site, full, identity, module, modules, new_site, no_registry, partial, rejected, report_of, rows_after,
    site_after,
};

fn counts(plan: &SyncPlan) -> (usize, usize, usize, usize) {
    let c = plan.counts;
    (c.processed, c.new, c.updated, c.removed)
}

/// The plan for `report` on a site that `before` was applied to.
fn after(before: &Report, report: &Report) -> SyncPlan {
    plan(&site_after(before), &rows_after(before), report, no_registry)
}

fn names(names: &[MachineName]) -> Vec<&str> {
    names.iter().map(MachineName::as_str).collect()
}

#[test]
fn a_mixed_change_is_counted() {
    let report = full(vec![module("m000", "1.0.0"), module("m001", "2.0.0"), module("new", "1.0.0")]);
    let plan = after(&full(modules(4)), &report);
    assert_eq!(counts(&plan), (3, 1, 1, 2));
    assert_eq!(names(&plan.changes.unchanged), ["m000"]);
}

#[test]
fn a_restored_module_counts_as_new_and_not_as_updated() {
    let mut rows = rows_after(&full(modules(1)));
    rows[0].removed = true;
    let plan = plan(&new_site(), &rows, &full(vec![module("m000", "2.0.0")]), no_registry);
    assert_eq!(counts(&plan), (1, 1, 0, 0));
}

#[test]
fn an_unchanged_report_counts_what_it_names_and_keeps_the_fingerprint() {
    let report = full(modules(3));
    let plan = plan_unchanged(&site_after(&report), &report);
    assert_eq!(counts(&plan), (3, 0, 0, 0));
    assert!(plan.changes.is_empty() && plan.warnings.is_empty() && plan.complete);
    assert_eq!(plan.fingerprint, report.fingerprint());
}

#[test]
fn mass_removal_is_more_than_half_of_at_least_twenty() {
    for (had, left, flagged) in
        [(20, 9, true), (20, 10, false), (21, 10, true), (21, 11, false), (19, 1, false), (100, 49, true)]
    {
        let plan = after(&full(modules(had)), &full(modules(left)));
        assert_eq!(plan.mass_removal, flagged, "{left} of {had} are left");
        assert_eq!(plan.warnings.iter().any(|w| w.contains(&format!("of {had} modules"))), flagged);
    }
}

#[test]
fn modules_removed_earlier_do_not_count_for_mass_removal() {
    let mut rows = rows_after(&full(modules(30)));
    rows.iter_mut().skip(19).for_each(|row| row.removed = true);
    assert!(!plan(&new_site(), &rows, &full(modules(1)), no_registry).mass_removal);
}

#[test]
fn mass_removal_stays_until_the_next_full_report() {
    let report = full(modules(3));
    let flagged = SiteState { mass_removal: true, ..site_after(&report) };
    let rows = rows_after(&report);
    assert!(plan(&flagged, &rows, &partial(modules(1)), no_registry).mass_removal);
    assert!(!plan(&flagged, &rows, &full(modules(2)), no_registry).mass_removal);
    assert!(!plan_unchanged(&flagged, &report).mass_removal);
}

#[test]
fn a_full_report_with_nothing_rejected_leaves_its_fingerprint() {
    let report = full(modules(2));
    assert_eq!(after(&full(modules(3)), &report).fingerprint, report.fingerprint());
}

#[test]
fn any_other_report_that_changes_the_site_clears_the_fingerprint() {
    let before = full(modules(3));
    let cleared = |report: &Report| after(&before, report).fingerprint.is_none();
    assert!(cleared(&partial(vec![module("m000", "2.0.0")])));
    assert!(cleared(&partial(vec![module("new", "1.0.0")])));
    assert!(cleared(&full(modules(2)).with_rejected(vec![rejected(Some("x"))])), "removes m002");
    assert!(cleared(&full(vec![module("m000", "2.0.0")]).with_rejected(vec![rejected(None)])));
    let other_core = report_of(Scope::Partial, NOON, "10.3.7", SiteInfo::default(), modules(1));
    assert!(cleared(&other_core), "the Drupal version alone");
}

#[test]
fn any_other_report_that_changes_nothing_keeps_the_fingerprint() {
    let before = full(modules(3));
    let keeps = |report: &Report| after(&before, report).fingerprint == before.fingerprint();
    assert!(keeps(&partial(modules(2))));
    assert!(!keeps(&full(modules(2)).with_rejected(vec![rejected(Some("m002"))])), "what was rejected is not known");
    assert!(!keeps(&full(modules(1)).with_rejected(vec![rejected(None)])));
}

#[test]
fn what_was_seen_is_said_where_the_report_is_not_complete_or_rejected_it() {
    let before = full(modules(4));
    let again = |report: &Report| after(&before, report).reported_again;
    assert!(again(&full(modules(4))).is_empty(), "the site's own time says it");
    assert_eq!(names(&again(&partial(modules(2)))), ["m000", "m001"]);
    let lenient = full(modules(3)).with_rejected(vec![rejected(Some("m003")), rejected(Some("unknown"))]);
    assert_eq!(names(&again(&lenient)), ["m003"]);
    let incomplete = full(modules(1)).with_rejected(vec![rejected(Some("m003")), rejected(None)]);
    assert_eq!(names(&again(&incomplete)), ["m000", "m003"]);
}

#[test]
fn a_removed_module_that_was_rejected_is_not_seen() {
    let mut rows: Vec<CurrentModule> = rows_after(&full(modules(2)));
    rows[1].removed = true;
    let lenient = full(modules(1)).with_rejected(vec![rejected(Some("m001"))]);
    assert!(plan(&new_site(), &rows, &lenient, no_registry).reported_again.is_empty());
}

#[test]
fn another_identity_is_warned_about_and_becomes_the_sites_own() {
    let before = from_site(identity(Some("prod"), Some("https://a.example")), modules(1));
    let changed = after(&before, &from_site(identity(Some("stage"), None), modules(1)));
    assert_eq!(changed.identity_changed_from.as_ref(), Some(&before.site_info().identity));
    assert_eq!(changed.identity, identity(Some("stage"), Some("https://a.example")), "the rest is what is known");
    assert_eq!(changed.warnings.len(), 1);
    let silent = after(&before, &from_site(SiteIdentity::default(), modules(1)));
    assert_eq!((silent.identity_changed_from, silent.warnings.len()), (None, 0));
    assert_eq!(silent.identity, before.site_info().identity);
}

#[test]
fn an_incomplete_report_says_that_nothing_was_removed() {
    let plan = after(&full(modules(2)), &full(modules(1)).with_rejected(vec![rejected(None)]));
    assert_eq!(plan.warnings.len(), 1);
    assert!(!plan.complete && plan.changes.removed.is_empty());
    assert!(after(&full(modules(2)), &partial(modules(1))).warnings.is_empty(), "a partial one does not say so");
}

#[test]
fn custom_code_is_unknown_the_first_time_it_is_installed() {
    let custom = |version| ReportedModule { module_type: ModuleType::Custom, ..module("mine", version) };
    let first = full(vec![custom("1.0.0"), module("theirs", "1.0.0")]);
    assert_eq!(after(&full(Vec::new()), &first).warnings, ["Unknown module: mine"]);
    assert!(after(&first, &full(vec![custom("2.0.0"), module("theirs", "1.0.0")])).warnings.is_empty());
}

#[test]
fn a_type_that_the_registry_contradicts_is_warned_about() {
    let warned = |known, before: &[CurrentModule], report: &Report| {
        plan(&new_site(), before, report, |_: &MachineName| Some(known)).warnings
    };
    assert!(warned(ModuleType::Custom, &[], &full(modules(1))).is_empty(), "it says nothing of what it is here");
    assert!(warned(ModuleType::Core, &[], &full(modules(1))).is_empty(), "modules move between core and contrib");

    // Once, and not whenever something else of the module changes.
    let before = rows_after(&full(modules(1)));
    let own = ReportedModule { module_type: ModuleType::Custom, ..module("m000", "1.0.0") };
    let now_own = warned(ModuleType::Contrib, &before, &full(vec![own]));
    assert_eq!(now_own, ["Module m000 is known as contrib; this site reports it as custom"]);
    let still = |version| ReportedModule { module_type: ModuleType::Custom, ..module("m000", version) };
    let before = rows_after(&full(vec![still("1.0.0")]));
    assert!(warned(ModuleType::Contrib, &before, &full(vec![still("2.0.0")])).is_empty());
}

#[test]
fn a_warning_of_more_than_ten_modules_is_one_line() {
    let custom = |count| -> Vec<_> {
        modules(count).into_iter().map(|m| ReportedModule { module_type: ModuleType::Custom, ..m }).collect()
    };
    let nothing = full(Vec::new());
    assert_eq!(after(&nothing, &full(custom(10))).warnings.len(), 10);
    let examples = "m000, m001, m002, m003, m004";
    assert_eq!(after(&nothing, &full(custom(11))).warnings, [format!("Unknown modules (11): {examples} and 6 more")]);
    let twice = full(modules(12).into_iter().chain(modules(12)).collect());
    assert_eq!(
        after(&nothing, &twice).warnings,
        [format!("12 modules are listed more than once, and the last entry of each counts: {examples} and 7 more")]
    );
    let as_contrib = |_: &MachineName| Some(ModuleType::Contrib);
    let plan = plan(&new_site(), &[], &full(custom(2000)), as_contrib);
    let line = &plan.warnings[1];
    assert_eq!(plan.warnings.len(), 2, "one line for each kind");
    assert!(line.starts_with("2000 modules are known under another type") && line.len() < 300);
}

#[test]
fn names_listed_twice_are_told_of_where_the_report_changes_something() {
    let before = full(modules(2));
    let twice = full(modules(3).into_iter().chain(modules(2)).collect());
    assert_eq!(
        after(&before, &twice).warnings,
        [
            "Module m000 is listed more than once; the last entry counts",
            "Module m001 is listed more than once; the last entry counts"
        ]
    );
    assert!(plan_unchanged(&site_after(&twice), &twice).warnings.is_empty());
}

#[test]
fn what_is_no_version_is_told_of_in_one_line_when_it_comes_and_when_it_changes() {
    let unversioned = |count, text: &str| -> Vec<_> {
        let site_details = SiteDetails { reported_version: Some(text.to_owned()), ..SiteDetails::default() };
        let with = |m| ReportedModule { version: None, site_details: site_details.clone(), ..m };
        modules(count).into_iter().map(with).collect()
    };
    let (one, many) = (full(unversioned(1, "VERSION")), full(unversioned(7, "VERSION")));
    let warning = |n: &str, examples: &str| {
        format!("The version{n} taken as not known, because what was sent is not a version: {examples}")
    };
    assert_eq!(after(&full(Vec::new()), &one).warnings, [warning(" of 1 module is", r#"m000 ("VERSION")"#)]);
    let examples = (1..6).map(|n| format!(r#"m00{n} ("VERSION")"#)).collect::<Vec<_>>().join(", ");
    let six_more = after(&one, &many).warnings;
    assert_eq!(six_more, [warning("s of 6 modules are", &format!("{examples} and 1 more"))]);

    let disabled = unversioned(7, "VERSION").into_iter().map(|m| ReportedModule { enabled: false, ..m }).collect();
    assert!(after(&many, &full(disabled)).warnings.is_empty(), "nothing new about the versions");
    let changed = after(&one, &full(unversioned(1, "2.x")));
    assert_eq!(changed.warnings, [warning(" of 1 module is", r#"m000 ("2.x")"#)]);
    assert_eq!(changed.counts.updated, 0);
    assert!(after(&one, &full(modules(1))).warnings.is_empty(), "a version has come");
}

#[test]
fn a_changed_identity_names_both_sides_within_a_line() {
    let live = identity(Some("prod"), Some("https://a.example"));
    let before = from_site(live.clone(), modules(1));
    let told = |to: SiteIdentity| after(&before, &from_site(to, modules(1))).warnings.join("|");
    let copy = told(identity(Some("stage"), Some("https://b.example")));
    for part in ["https://a.example (environment prod)", "https://b.example (environment stage)"] {
        assert!(copy.contains(part), "{copy}");
    }
    assert!(told(identity(Some("stage"), None)).contains("from environment stage,"));
    let long = told(identity(None, Some(&format!("https://{}", "é\n".repeat(10_000)))));
    assert!(long.chars().count() < 600 && !long.contains('\n'), "{long}");
    assert_eq!(told(identity(Some("prod"), Some("http://www.A.example:80/"))), "", "the same place");
}

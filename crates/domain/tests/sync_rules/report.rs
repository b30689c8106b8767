//! What a report says once it is made.

use module_monitor_domain::{Scope, SiteInfo};
use time::macros::datetime;

use crate::support::{full, module, name, partial, rejected, report_of, version};

#[test]
fn modules_are_sorted_by_the_bytes_of_their_names() {
    let report = full(["é", "a", "_", "Z"].map(module_named).to_vec());
    let names: Vec<_> = report.modules().iter().map(|m| m.machine_name.as_str()).collect();
    assert_eq!(names, ["Z", "_", "a", "é"]);
}

fn module_named(text: &str) -> module_monitor_domain::ReportedModule {
    module_monitor_domain::ReportedModule { machine_name: name(text), ..module("x", "1.0.0") }
}

#[test]
fn of_several_with_one_name_the_last_counts() {
    let report = full(vec![module("a", "1.0.0"), module("b", "1.0.0"), module("a", "2.0.0"), module("a", "3.0.0")]);
    assert_eq!(report.modules().len(), 2);
    assert_eq!(report.modules()[0].version, version("3.0.0"));
    assert_eq!(report.repeated(), [name("a")]);
    assert!(report.with_rejected(vec![rejected(Some("a"))]).repeated().is_empty());
}

#[test]
fn a_name_with_any_rejected_occurrence_is_left_alone() {
    let report = full(vec![module("a", "1.0.0"), module("b", "1.0.0")]).with_rejected(vec![rejected(Some("a"))]);
    assert_eq!(report.modules().iter().map(|m| m.machine_name.as_str()).collect::<Vec<_>>(), ["b"]);
    assert!(report.leaves_alone(&name("a")) && !report.leaves_alone(&name("b")));
}

#[test]
fn complete_and_exact_depend_on_the_scope_and_on_what_was_rejected() {
    let of = |report: module_monitor_domain::Report| {
        assert_eq!(report.fingerprint().is_some(), report.is_exact());
        (report.is_complete(), report.is_exact())
    };
    let modules = || vec![module("a", "1.0.0")];
    assert_eq!(of(full(modules())), (true, true));
    assert_eq!(of(full(modules()).with_rejected(vec![rejected(Some("b"))])), (true, false));
    let misspelt = full(modules()).with_rejected(vec![rejected(Some("not a name"))]);
    assert_eq!(of(misspelt), (false, false), "it could be any module");
    assert_eq!(of(full(modules()).with_rejected(vec![rejected(Some("b")), rejected(None)])), (false, false));
    assert_eq!(of(partial(modules())), (false, false));
}

#[test]
fn the_time_stamp_is_cut_to_microseconds_and_keeps_its_moment() {
    let at = datetime!(2026-01-01 10:00:00.123456789 +2);
    let report = report_of(Scope::Full, at, "10.3.6", SiteInfo::default(), Vec::new());
    assert_eq!(report.sync_timestamp(), datetime!(2026-01-01 08:00:00.123456 UTC));
}

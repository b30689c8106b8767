//! What is done with a report, from the site's row alone.

use module_monitor_domain::{Decision, Refusal, Scope, SiteIdentity, SiteInfo, SiteState, decide};
use time::Duration;

use crate::support::{
    NOON, from_site, full, identity, module, modules, new_site, partial, rejected, report_of, site_after,
};

#[test]
fn the_first_report_is_compared() {
    assert_eq!(decide(&new_site(), &full(modules(3))), Decision::Compare);
}

#[test]
fn an_inactive_site_may_not_report_whatever_it_says() {
    let site = SiteState { active: false, ..site_after(&full(modules(3))) };
    assert_eq!(decide(&site, &full(modules(3))), Decision::Refuse(Refusal::InactiveSite));
}

#[test]
fn an_older_report_is_stale_and_one_as_old_or_newer_is_not() {
    let site = site_after(&full(modules(3)));
    let made = |at| report_of(Scope::Full, at, "10.3.6", SiteInfo::default(), modules(4));
    let step = Duration::MICROSECOND;
    assert_eq!(decide(&site, &made(NOON - step)), Decision::Refuse(Refusal::Stale { last_applied: NOON }));
    assert_eq!(decide(&site, &made(NOON)), Decision::Compare);
    assert_eq!(decide(&site, &made(NOON + step)), Decision::Compare);
}

#[test]
fn an_older_report_is_stale_even_when_it_changes_nothing() {
    let site = site_after(&full(modules(3)));
    let older = report_of(Scope::Full, NOON - Duration::SECOND, "10.3.6", SiteInfo::default(), modules(3));
    assert_eq!(decide(&site, &older), Decision::Refuse(Refusal::Stale { last_applied: NOON }));
}

#[test]
fn only_an_exact_report_with_the_same_fingerprint_is_unchanged() {
    let site = site_after(&full(modules(3)));
    assert_eq!(decide(&site, &full(modules(3))), Decision::Unchanged);
    assert_eq!(decide(&site, &full(modules(2))), Decision::Compare);
    assert_eq!(decide(&site, &partial(modules(3))), Decision::Compare, "a partial one always takes the diff");
    assert_eq!(decide(&site, &full(modules(3)).with_rejected(vec![rejected(Some("x"))])), Decision::Compare);
    let cleared = SiteState { fingerprint: None, ..site };
    assert_eq!(decide(&cleared, &full(modules(3))), Decision::Compare);
}

#[test]
fn a_strict_site_refuses_another_identity_and_any_other_does_not() {
    let known = identity(Some("prod"), Some("https://a.example"));
    let copy = from_site(identity(Some("stage"), Some("https://a.example")), vec![module("a", "1.0.0")]);
    let site = SiteState { identity: known.clone(), ..new_site() };
    assert_eq!(decide(&site, &copy), Decision::Compare);
    let strict = SiteState { strict_identity: true, ..site };
    let reported = copy.site_info().identity.clone();
    let conflict = Refusal::IdentityConflict { expected: known, reported };
    assert_eq!(decide(&strict, &copy), Decision::Refuse(conflict));
}

#[test]
fn what_is_not_said_is_not_compared() {
    let known = identity(Some("prod"), Some("https://a.example"));
    let strict = |identity| SiteState { strict_identity: true, identity, ..new_site() };
    let agreeing = [
        identity(None, None),
        identity(Some("prod"), None),
        identity(None, Some("http://www.a.example/")),
        known.clone(),
    ];
    for said in agreeing {
        assert_eq!(decide(&strict(known.clone()), &from_site(said.clone(), modules(1))), Decision::Compare, "{said:?}");
        assert_eq!(decide(&strict(said), &from_site(known.clone(), modules(1))), Decision::Compare);
    }
    let other = from_site(identity(None, Some("https://b.example")), modules(1));
    assert!(matches!(decide(&strict(known), &other), Decision::Refuse(Refusal::IdentityConflict { .. })));
    let first = from_site(identity(Some("prod"), None), modules(1));
    assert_eq!(decide(&strict(SiteIdentity::default()), &first), Decision::Compare, "a first report defines it");
}

#[test]
fn an_old_report_of_another_identity_is_stale_first() {
    let report = from_site(identity(Some("prod"), None), modules(1));
    let strict = SiteState { strict_identity: true, ..site_after(&report) };
    let info = SiteInfo { json: "{}".to_owned(), identity: identity(Some("stage"), None) };
    let old = report_of(Scope::Full, NOON - Duration::SECOND, "10.3.6", info, modules(1));
    assert!(matches!(decide(&strict, &old), Decision::Refuse(Refusal::Stale { .. })));
}

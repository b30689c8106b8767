//! The figures of all active sites together.

use module_monitor_domain::{CoverageClass, CoverageCounts, SecurityCounts};
use module_monitor_storage::{NewAcceptance, SecurityTotals, SiteChange, TotalsFilter};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::module;
use time::Duration;

use super::support::{FETCHED, history, import, insecure, risk, secure};
use crate::support::{Reporter, custom, without_version};

on_both_backends!(the_figures_of_active_sites_are_added_up);

async fn the_figures_of_active_sites_are_added_up(database: TestDatabase) {
    let storage = database.open().await;
    assert_eq!(
        storage.security_totals(TotalsFilter::default()).await.unwrap(),
        SecurityTotals::default(),
        "nothing yet"
    );
    let uncovered = {
        let mut history = secure("uncovered");
        history.releases[0].covered = Some(false);
        history
    };
    let core = history("drupal", "10.3.", &["10.3.6"]);
    let old = history("old", "2.0.", &["2.0.0", "1.0.0"]);
    for history in [insecure("a"), insecure("b"), secure("c"), old, uncovered, core] {
        import(&storage, history, FETCHED).await;
    }
    let all = ["a", "b", "old", "uncovered"].map(|name| module(name, "1.0.0")).to_vec();
    let unknown = vec![module("new", "1.0.0"), without_version("c"), custom("own", "1.0.0")];
    let mut sites = Vec::new();
    for (name, modules) in
        [("One", all.clone()), ("Two", [all, unknown].concat()), ("Three", vec![module("new", "1.0.0")])]
    {
        let mut site = Reporter::new(&storage, name).await;
        site.full(modules).await;
        sites.push(site);
    }
    let [one, two, three] = sites.as_slice() else { unreachable!("three sites") };
    for (project, class) in
        [("b", CoverageClass::Insecure), ("old", CoverageClass::Unsupported), ("new", CoverageClass::Unknown)]
    {
        let only = NewAcceptance { class, site_id: Some(two.id), ..risk(project, two.at, two.at + Duration::DAY) };
        storage.create_acceptance(only, "admin").await.unwrap();
    }
    // One has a and b insecure, old unsupported, the core and uncovered secure; two the same, but b, old and new accepted.
    let rest = CoverageCounts::of_list([1, 5, 2, 1, 1, 1, 0, 0, 0, 1, 1, 0]);
    let security = SecurityCounts {
        updates_found: 3,
        projects: 3,
        unsupported: 1,
        unknown: 2,
        rest,
        data_as_of: Some(FETCHED),
        recounting: false,
    };
    let totals = storage.security_totals(TotalsFilter::default()).await.unwrap();
    assert_eq!(totals, SecurityTotals { security, sites_with_unknown: 2 });

    let change = SiteChange { active: Some(false), ..SiteChange::default() };
    assert!(storage.change_site(three.id, change, three.at, "admin", "").await.unwrap());
    assert!(storage.remove_site(two.id, two.at, "admin").await.unwrap());
    let totals = storage.security_totals(TotalsFilter::default()).await.unwrap();
    let figures = one.site().await.security;
    assert_eq!(
        totals,
        SecurityTotals { security: figures, sites_with_unknown: 0 },
        "neither inactive nor removed ones"
    );
    assert_eq!(figures.coverage().map(|(_, count)| count), [2, 1, 0, 0, 2]);
}

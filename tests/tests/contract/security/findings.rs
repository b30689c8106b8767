//! Who needs a security update of what, and since when.

use module_monitor_domain::{ReportedModule, UpdateStatus};
use module_monitor_storage::{Bounds, Page, ProjectSitesFilter, SecurityFilter, Storage};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::module;
use std::sync::Arc;
use time::Duration;

use super::support::{
    FETCHED, core, differences, history, import, insecure, listed, project, secure, submodule, updates,
};
use crate::support::{Reporter, below, disabled, without_version};

on_both_backends!(
    there_is_one_row_for_each_site_and_project,
    the_list_is_paged_and_filtered,
    a_project_in_several_classes_is_on_several_pages,
    a_finding_keeps_its_times,
    a_disabled_module_has_a_finding_and_is_listed_on_request,
    the_sites_of_a_project_can_be_asked_for_below_a_version,
);

async fn there_is_one_row_for_each_site_and_project(database: TestDatabase) {
    let storage = database.open().await;
    import(&storage, history("a", "1.", &["1.2.0 security", "1.1.0 insecure", "1.0.0 insecure"]), FETCHED).await;
    import(&storage, insecure("b"), FETCHED).await;
    let mut site = Reporter::new(&storage, "Rows").await;
    let mut clean = Reporter::new(&storage, "Clean").await;
    site.full(vec![
        module("a", "1.1.0"),
        submodule("z_of_a", "1.0.0", "a"),
        submodule("fixed_of_a", "1.2.0", "a"),
        module("b", "1.0.0"),
    ])
    .await;
    clean.full(vec![module("a", "1.2.0")]).await;
    assert_eq!(listed(&site).await, ["a 1.0.0 a,z_of_a", "b 1.0.0 b"], "the lowest version that needs it");
    assert!(listed(&clean).await.is_empty());
    let all = updates(&storage, SecurityFilter::default()).await;
    assert_eq!(all.len(), 2);
    let a = &all[0];
    assert_eq!((a.site_id, a.site_name.as_str()), (site.id, "Rows"));
    assert_eq!((a.status, a.recommended.as_deref()), (Some(UpdateStatus::NotSecure), Some("1.2.0")));
    assert_eq!(a.security_updates.len(), 1);
    assert_eq!(a.insecure_since, Some(site.at));
    assert_eq!(a.accepted, None);
}

async fn the_list_is_paged_and_filtered(database: TestDatabase) {
    let storage = database.open().await;
    let names = ["a", "b", "c", "d_1", "d_2"];
    for name in names {
        import(&storage, insecure(name), FETCHED).await;
    }
    let mut sites = Vec::new();
    for n in 0..4 {
        let mut site = Reporter::new(&storage, &format!("Site {n}")).await;
        site.full(names.iter().map(|name| module(name, "1.0.0")).collect()).await;
        sites.push(site);
    }
    let all = updates(&storage, SecurityFilter::default()).await;
    assert_eq!(all.len(), 20);
    let key = |update: &module_monitor_storage::SecurityUpdate| (update.site_id, update.place());
    assert!(all.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])), "in the order of the cursor");
    let mut paged = Vec::new();
    while paged.len() < 20 {
        let page = Page { limit: 3, after: paged.last().map(key) };
        let next = storage.security_updates(SecurityFilter::default(), page).await.unwrap();
        assert!((1..=3).contains(&next.len()));
        paged.extend(next);
    }
    assert_eq!(paged, all);
    let filter = SecurityFilter { project: Some(project("d_1")), ..SecurityFilter::default() };
    assert_eq!(updates(&storage, filter.clone()).await.len(), 4);
    let both = SecurityFilter { site_id: Some(sites[2].id), ..filter };
    assert_eq!(updates(&storage, both).await.len(), 1);
}

async fn a_project_in_several_classes_is_on_several_pages(database: TestDatabase) {
    let storage = database.open().await;
    for name in ["a", "a_b"] {
        import(&storage, insecure(name), FETCHED).await;
    }
    let mut site = Reporter::new(&storage, "Site").await;
    let part_of =
        |name: &str| ReportedModule { project: Some(project(name)), ..without_version(&format!("{name}_part")) };
    site.full(vec![module("a", "1.0.0"), part_of("a"), module("a_b", "1.0.0"), part_of("a_b")]).await;
    let filter = SecurityFilter { class: None, ..SecurityFilter::default() };
    let (mut paged, mut after, mut more) = (Vec::new(), None, true);
    while more {
        let page = Page { limit: 1, after: after.take() };
        let part = storage.security_updates(filter.clone(), page).await.unwrap();
        assert_eq!(part.len(), 1);
        more = part.more;
        after = part.first().map(|update| (update.site_id, update.place()));
        paged.extend(part.iter().map(|update| format!("{} {}", update.project.as_ref().unwrap(), update.class)));
    }
    assert_eq!(paged, ["a insecure", "a unknown", "a_b insecure", "a_b unknown", "drupal unknown"]);
}

async fn a_finding_keeps_its_times(database: TestDatabase) {
    let storage = database.open().await;
    import(&storage, secure("a"), FETCHED).await;
    let mut site = Reporter::new(&storage, "Times").await;
    site.full(vec![module("a", "1.0.0"), module("other", "1.0.0")]).await;
    let known_at = site.at + Duration::minutes(10);
    import(&storage, insecure("a"), known_at).await;
    let since = async |storage: &Arc<dyn Storage>| updates(storage, SecurityFilter::default()).await[0].insecure_since;
    assert_eq!(since(&storage).await, Some(known_at));
    site.full(vec![disabled(module("a", "1.0.0")), module("other", "1.0.0")]).await;
    site.full(vec![module("a", "1.0.0"), module("other", "2.0.0")]).await;
    assert_eq!(since(&storage).await, Some(known_at), "switched off is not fixed");
    site.full(vec![module("a", "1.0.1"), module("other", "2.0.0")]).await;
    assert!(updates(&storage, SecurityFilter::default()).await.is_empty());
    let fixed_at = site.at;
    let fixed = async |filter| storage.fixed_findings(filter, Page { limit: 10, after: None }).await.unwrap();
    let found = fixed(SecurityFilter::default()).await;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].insecure_since, found[0].fixed_at), (known_at, fixed_at));
    assert_eq!((found[0].site_name.as_str(), found[0].project.as_str()), ("Times", "a"));
    site.full(vec![module("a", "1.0.0"), module("other", "2.0.0")]).await;
    assert_eq!(since(&storage).await, Some(site.at), "a new one");
    site.full(vec![module("other", "2.0.0")]).await;
    let found = fixed(SecurityFilter { project: Some(project("a")), ..SecurityFilter::default() }).await;
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].fixed_at, site.at, "newest first; removed is fixed, too");
    assert_eq!(fixed(SecurityFilter { project: Some(project("b")), ..SecurityFilter::default() }).await.items, []);
    assert_eq!(differences(&storage).await, []);
}

async fn a_disabled_module_has_a_finding_and_is_listed_on_request(database: TestDatabase) {
    let storage = database.open().await;
    import(&storage, insecure("a"), FETCHED).await;
    let mut site = Reporter::new(&storage, "Disabled").await;
    site.full(vec![disabled(module("a", "1.0.0"))]).await;
    assert!(listed(&site).await.is_empty());
    let filter = SecurityFilter { include_disabled: true, ..SecurityFilter::default() };
    let all = updates(&storage, filter).await;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].insecure_since, Some(site.at));
}

async fn the_sites_of_a_project_can_be_asked_for_below_a_version(database: TestDatabase) {
    let storage = database.open().await;
    let mut ids = Vec::new();
    for number in ["1.0.0", "8.x-1.5", "2.0.0-beta1", "2.0.0"] {
        let mut site = Reporter::new(&storage, number).await;
        site.full(vec![module("a", number), submodule("b_of_a", "9.0.0", "a"), module("c", "1.0.0")]).await;
        ids.push((site.id, number));
    }
    let mut gone = Reporter::new(&storage, "gone").await;
    gone.full(vec![module("a", "1.0.0"), module("c", "1.0.0")]).await;
    gone.full(vec![module("c", "1.0.0")]).await;
    ids.sort_unstable();
    let listed = async |bounds: Bounds| {
        let mut after = None;
        let mut sites = Vec::new();
        loop {
            let page = Page { limit: 2, after };
            let filter = ProjectSitesFilter { project: project("a"), bounds: bounds.clone(), tag: None };
            let next = storage.project_sites(filter, page).await.unwrap().sites;
            after = next.last().map(|site| site.site_id);
            if next.is_empty() {
                return sites;
            }
            sites.extend(next);
        }
    };
    let names = |sites: &[module_monitor_storage::ProjectSite]| {
        sites.iter().map(|site| site.site_name.clone()).collect::<Vec<_>>()
    };
    let all: Vec<_> = ids.iter().map(|(_, name)| (*name).to_owned()).collect();
    let found = listed(Bounds::default()).await;
    assert_eq!(names(&found), all);
    assert_eq!(found[0].modules.len(), 2);
    assert_eq!(found[0].version.as_deref(), Some(ids[0].1), "the lowest");
    let mut found = names(&listed(below("2.0.0", "2.0.")).await);
    found.sort();
    assert_eq!(found, ["1.0.0", "2.0.0-beta1", "8.x-1.5"]);
    let mut on_core = Reporter::new(&storage, "Core").await;
    on_core.full(vec![core("system", "10.3.6")]).await;
    let drupal = async |text| {
        let filter = ProjectSitesFilter { project: project("drupal"), bounds: below(text, "10.3."), tag: None };
        storage.project_sites(filter, Page { limit: 9, after: None }).await.unwrap().sites
    };
    assert_eq!(drupal("10.3.6").await.items, []);
    let found = drupal("10.3.7").await;
    assert_eq!(found.len(), 6, "the others have reported no core module, but they run Drupal");
    let on_core = found.into_iter().find(|site| site.site_id == on_core.id).unwrap();
    assert_eq!((on_core.version.as_deref(), on_core.modules.len()), (Some("10.3.6"), 1));
}

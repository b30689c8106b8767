//! The question of an advisory night: which sites are below a bound, on its branch and on older ones.

use module_monitor_domain::{BranchSide, ProjectName, SiteId, Tag, Tags, UpdateStatus, VersionBound, VersionRange};
use module_monitor_storage::{
    BoundedSites, Bounds, BranchCounts, ModuleSite, ModuleSitesFilter, Page, ProjectSite, ProjectSitesFilter,
    SecurityFilter, SiteChange, Storage,
};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::module;

use crate::support::{Reporter, below, machine_name, without_version};

on_both_backends!(
    nothing_below_a_bound_is_hidden_and_none_is_of_the_other_drupal,
    bounds_of_core_do_not_cross_either,
    a_site_with_several_versions_shows_the_one_that_counts,
    sites_are_found_by_tag_and_by_what_they_lack,
);

fn all<C>() -> Page<C> {
    Page { limit: 100, after: None }
}

fn project(name: &str) -> ProjectName {
    ProjectName::parse(name).unwrap()
}

async fn of_module(storage: &dyn Storage, bounds: Bounds, page: Page<SiteId>) -> BoundedSites<ModuleSite> {
    let filter = ModuleSitesFilter { module: machine_name("m"), version: None, bounds, tag: None, removed: false };
    storage.module_sites(filter, page).await.unwrap()
}

async fn of_project(
    storage: &dyn Storage,
    name: &str,
    bounds: Bounds,
    page: Page<SiteId>,
) -> BoundedSites<ProjectSite> {
    storage.project_sites(ProjectSitesFilter { project: project(name), bounds, tag: None }, page).await.unwrap()
}

/// `name side` of each, sorted by name, which is the version.
fn sides<'a>(sites: impl Iterator<Item = (&'a String, Option<BranchSide>)>) -> Vec<String> {
    let mut sides: Vec<String> =
        sites.map(|(name, side)| format!("{name} {}", side.map_or("-", BranchSide::as_str))).collect();
    sides.sort();
    sides
}

/// What both lists say, which must be the same.
async fn both(storage: &dyn Storage, bounds: Bounds) -> (Vec<String>, Option<BranchCounts>) {
    let modules = of_module(storage, bounds.clone(), all()).await;
    let projects = of_project(storage, "m", bounds.clone(), all()).await;
    let of_modules = sides(modules.sites.iter().map(|site| (&site.site_name, site.branch)));
    let of_projects = sides(projects.sites.iter().map(|site| (&site.site_name, site.branch)));
    assert_eq!((&of_modules, modules.counts), (&of_projects, projects.counts), "{bounds:?}");
    for site in modules.sites {
        assert_eq!(site.status, Some(UpdateStatus::NotFetched), "{site:?}");
    }
    // A page says of the whole list what the list says of itself.
    let page = of_project(storage, "m", bounds.clone(), Page { limit: 1, after: Some(SiteId(1)) }).await;
    assert_eq!(page.counts, projects.counts);
    assert_eq!(of_module(storage, bounds, Page { limit: 1, after: Some(SiteId(1)) }).await.counts, projects.counts);
    (of_projects, projects.counts)
}

async fn nothing_below_a_bound_is_hidden_and_none_is_of_the_other_drupal(database: TestDatabase) {
    let storage = database.open().await;
    for text in ["7.x-1.2", "7.x-1.14", "7.x-2.0"] {
        Reporter::new(&storage, text).await.on_core("7.103", vec![module("m", text)]).await;
    }
    for text in ["8.x-1.1", "8.x-1.2", "2.0.3", "2.1.0", "2.1.5"] {
        Reporter::new(&storage, text).await.full(vec![module("m", text)]).await;
    }
    Reporter::new(&storage, "unknown").await.full(vec![without_version("m")]).await;
    let counts = |same, older| Some(BranchCounts { same, older });

    let (found, counted) = both(&*storage, below("7.x-1.14", "7.x-1.")).await;
    assert_eq!((found, counted), (vec!["7.x-1.2 same".to_owned()], counts(1, 0)));
    let (found, counted) = both(&*storage, below("8.x-1.2", "8.x-1.")).await;
    assert_eq!((found, counted), (vec!["8.x-1.1 same".to_owned()], counts(1, 0)));

    let (found, counted) = both(&*storage, below("2.1.5", "2.1.")).await;
    assert_eq!(found, ["2.0.3 older", "2.1.0 same", "8.x-1.1 older", "8.x-1.2 older"]);
    assert_eq!(counted, counts(1, 3));
    let (found, counted) = both(&*storage, Bounds { same_branch: true, ..below("2.1.5", "2.1.") }).await;
    assert_eq!((found, counted), (vec!["2.1.0 same".to_owned()], counts(1, 3)), "what is left out is counted");

    let bound = |text| Some(VersionBound::parse(text).unwrap());
    let to = VersionRange::new(bound("8.x-1.2"), bound("2.1.0")).unwrap();
    let inclusive = Bounds { versions: to, ..below("2.1.0", "2.1.") };
    let (found, _) = both(&*storage, inclusive).await;
    assert_eq!(found, ["2.0.3 older", "2.1.0 same", "8.x-1.2 older"], "both bounds belong to it");
    let open = Bounds { versions: VersionRange::new(bound("7.x-1.14"), None).unwrap(), ..Bounds::default() };
    let (found, counted) = both(&*storage, open).await;
    assert_eq!((found, counted), (vec!["7.x-1.14 -".to_owned(), "7.x-2.0 -".to_owned()], None));
}

async fn bounds_of_core_do_not_cross_either(database: TestDatabase) {
    let storage = database.open().await;
    for text in ["7.98", "7.103", "9.5.11", "10.3.6", "10.4.1"] {
        Reporter::new(&storage, text).await.on_core(text, vec![module("m", "1.0.0")]).await;
    }
    let found = of_project(&*storage, "drupal", below("10.4.2", "10.4."), all()).await;
    let listed = sides(found.sites.iter().map(|site| (&site.site_name, site.branch)));
    assert_eq!(listed, ["10.3.6 older", "10.4.1 same", "9.5.11 older"]);
    let found = of_project(&*storage, "drupal", below("7.103", "7."), all()).await;
    assert_eq!(sides(found.sites.iter().map(|site| (&site.site_name, site.branch))), ["7.98 same"]);
}

async fn a_site_with_several_versions_shows_the_one_that_counts(database: TestDatabase) {
    let storage = database.open().await;
    let of_m = |name: &str, version: &str| {
        let mut module = module(name, version);
        module.project = Some(project("m"));
        module
    };
    let mut mixed = Reporter::new(&storage, "mixed").await;
    mixed.full(vec![of_m("m", "2.1.9"), of_m("m_old", "1.0.0"), of_m("m_sub", "2.1.1")]).await;
    for same_branch in [false, true] {
        let found = of_project(&*storage, "m", Bounds { same_branch, ..below("2.1.5", "2.1.") }, all()).await;
        let [site] = &*found.sites else { panic!("{found:?}") };
        assert_eq!((site.version.as_deref(), site.branch), (Some("2.1.1"), Some(BranchSide::Same)));
        assert_eq!(site.modules.len(), 3, "all of the project");
        assert_eq!(found.counts, Some(BranchCounts { same: 1, older: 0 }));
    }
}

async fn sites_are_found_by_tag_and_by_what_they_lack(database: TestDatabase) {
    let storage = database.open().await;
    let tag = Tag::parse("few").unwrap();
    let mut ids = Vec::new();
    for (name, modules) in [("with", "m"), ("with and tag", "m"), ("without", "x"), ("without and tag", "x")] {
        let mut site = Reporter::new(&storage, name).await;
        site.full(vec![module(modules, "1.0.0")]).await;
        if name.ends_with("tag") {
            let tags = Some(Tags::new([tag.clone()].into()).unwrap());
            storage
                .change_site(site.id, SiteChange { tags, ..SiteChange::default() }, site.at, "ann", "{}")
                .await
                .unwrap();
        }
        ids.push(site.id);
    }
    let filter = ProjectSitesFilter { project: project("m"), bounds: Bounds::default(), tag: Some(tag.clone()) };
    let found = storage.project_sites(filter, all()).await.unwrap();
    assert_eq!(found.sites.iter().map(|site| site.site_id).collect::<Vec<_>>(), [ids[1]]);
    assert_eq!(found.counts, None);
    let filter = ModuleSitesFilter {
        module: machine_name("m"),
        version: None,
        bounds: below("2.0.0", "2.0."),
        tag: Some(tag.clone()),
        removed: false,
    };
    let found = storage.module_sites(filter, all()).await.unwrap();
    assert_eq!(found.sites.iter().map(|site| site.site_id).collect::<Vec<_>>(), [ids[1]]);
    assert_eq!(found.counts, Some(BranchCounts { same: 0, older: 1 }), "of those that the list is about");

    let lacking = async |tag: Option<&Tag>, name: &str| {
        let found = storage.sites_without_project(&project(name), tag, all()).await.unwrap();
        found.into_iter().map(|site| site.site_id).collect::<Vec<_>>()
    };
    let mut untagged = vec![ids[2], ids[3]];
    untagged.sort_unstable();
    assert_eq!(lacking(None, "m").await, untagged);
    assert_eq!(lacking(Some(&tag), "m").await, [ids[3]]);
    assert_eq!(lacking(None, "drupal").await, [], "all of them have reported");
    let silent = Reporter::new(&storage, "silent").await;
    assert_eq!(lacking(None, "drupal").await, [silent.id]);
    let security = SecurityFilter { tag: Some(tag), ..SecurityFilter::default() };
    let page = Page { limit: 9, after: None };
    assert_eq!(storage.security_updates(security, page).await.unwrap().items, []);
}

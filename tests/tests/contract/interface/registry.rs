//! The registry: listed, corrected, and which sites run what.

use module_monitor_domain::{AdminAction, Description, DrupalVersion, ModuleTitle, ModuleType, ReportedModule};
use module_monitor_storage::{Bounds, ModuleCorrection, ModuleFilter, ModuleSite, ModuleSitesFilter, Page};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::module;

use crate::support::{Reporter, below, custom, described, machine_name, without_version};

on_both_backends!(
    modules_are_listed_by_type_and_beginning,
    versions_are_listed_in_their_order,
    a_correction_stays_and_shows,
    the_sites_of_a_module_are_found_by_version,
);

fn version(text: &str) -> DrupalVersion {
    DrupalVersion::parse(text).unwrap()
}

fn typed(name: &str, module_type: ModuleType) -> ReportedModule {
    ReportedModule { module_type, ..module(name, "1.0.0") }
}

async fn modules_are_listed_by_type_and_beginning(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Site").await;
    let names = ["view", "views", "views_ui", "viewsé", "Views", "vieux", "zebra"];
    let mut reported: Vec<_> = names.map(|name| module(name, "1.0.0")).into();
    reported.extend([typed("views_core", ModuleType::Core), custom("views_own", "1.0.0")]);
    site.full(reported).await;
    let list = async |module_type, prefix: &str, after: Option<&str>, limit| {
        let filter = ModuleFilter { module_type, prefix: prefix.to_owned() };
        let page = Page { limit, after: after.map(machine_name) };
        let found = storage.list_modules(filter, page).await.unwrap();
        found.iter().map(|module| module.machine_name.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(list(None, "", None, 100).await, "Views vieux view views views_core views_own views_ui viewsé zebra");
    assert_eq!(list(None, "views", None, 100).await, "views views_core views_own views_ui viewsé");
    assert_eq!(list(None, "views", Some("views_core"), 2).await, "views_own views_ui");
    assert_eq!(list(Some(ModuleType::Core), "", None, 100).await, "views views_ui", "by their names");
    assert_eq!(list(Some(ModuleType::Custom), "view", None, 100).await, "views_own");
    assert_eq!(list(Some(ModuleType::Core), "z", None, 100).await, "");
}

async fn versions_are_listed_in_their_order(database: TestDatabase) {
    let storage = database.open().await;
    // 8.x-1.0 and 1.0.0 are one version in the order, and still two rows of the list.
    let ordered =
        ["7.x-2.0-beta1+5-dev", "8.x-1.0-beta2", "8.x-1.0-beta10", "1.0.0", "8.x-1.0", "8.x-1.x-dev", "2.0.0"];
    for (n, text) in ordered.iter().rev().enumerate() {
        let mut site = Reporter::new(&storage, &format!("Site {n}")).await;
        site.full(vec![described(module("m", text), text)]).await;
    }
    let mut site = Reporter::new(&storage, "Custom").await;
    site.full(vec![custom("m", "9.9.9")]).await;
    let all = async |limit| {
        let mut found: Vec<DrupalVersion> = Vec::new();
        loop {
            let page = Page { limit, after: found.last().cloned() };
            let part = storage.module_versions(&machine_name("m"), page).await.unwrap();
            assert!(part.len() <= limit);
            for version in part.iter() {
                let name = version.details.as_ref().map(|details| details.name.as_str());
                assert_eq!(name, Some(version.version.as_str()).filter(|text| *text != "9.9.9"));
            }
            found.extend(part.iter().map(|version| version.version.clone()));
            if part.is_empty() {
                return found.iter().map(DrupalVersion::to_string).collect::<Vec<_>>();
            }
        }
    };
    let mut expected: Vec<_> = ordered.iter().chain(&["9.9.9"]).map(|text| version(text)).collect();
    expected.sort_by(|a, b| (a.sort_key(), a.as_str()).cmp(&(b.sort_key(), b.as_str())));
    let expected: Vec<_> = expected.iter().map(DrupalVersion::to_string).collect();
    for limit in [1, 2, 3, 100] {
        assert_eq!(all(limit).await, expected, "{limit} at a time");
    }
    let position = |text: &str| expected.iter().position(|found| found == text).unwrap();
    assert!(position("8.x-1.0-beta2") < position("8.x-1.0-beta10"));
    assert!(position("8.x-1.0-beta10") < position("1.0.0"));
    assert_eq!(position("1.0.0").abs_diff(position("8.x-1.0")), 1);
}

async fn a_correction_stays_and_shows(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Site").await;
    site.full(vec![described(module("m", "1.0.0"), "Reported")]).await;
    let shown = async |site: &Reporter| {
        let details = site.module("m").await.details;
        (details.name, details.description.unwrap_or_default(), details.package.unwrap_or_default())
    };
    assert_eq!(shown(&site).await.1, "Description of Reported");
    let correction = ModuleCorrection {
        module_type: None,
        name: Some(ModuleTitle::parse("Corrected").ok()),
        description: Some(Description::parse("Said by an admin").ok()),
        project_link: None,
    };
    let correct = async |correction: ModuleCorrection| {
        storage.correct_module(&machine_name("m"), correction, site.at, "ann", "{}").await.unwrap()
    };
    assert!(correct(correction).await);
    let expected = ("Corrected".to_owned(), "Said by an admin".to_owned(), "Package of Reported".to_owned());
    assert_eq!(shown(&site).await, expected);

    // Neither another version nor another site brings the reported words back.
    let mut other = Reporter::new(&storage, "Other").await;
    other.full(vec![described(module("m", "2.0.0"), "Reported elsewhere")]).await;
    let (name, description, package) = shown(&other).await;
    assert_eq!((name.as_str(), description.as_str()), ("Corrected", "Said by an admin"));
    assert_eq!(package, "Package of Reported elsewhere", "what belongs to the release");
    let found = storage.find_module(&machine_name("m")).await.unwrap().unwrap();
    assert_eq!((found.name.as_deref(), found.corrected_at), (Some("Corrected"), Some(site.at)));

    assert!(correct(ModuleCorrection { description: Some(None), ..ModuleCorrection::default() }).await);
    assert_eq!(shown(&site).await.1, "Description of Reported", "the release speaks again");
    // A type is no word: the releases go on to speak for a module of which only that was corrected.
    site.full(vec![described(module("m", "1.0.0"), "Reported"), described(module("typed", "1.0.0"), "Typed")]).await;
    let typed = ModuleCorrection { module_type: Some(ModuleType::Custom), ..ModuleCorrection::default() };
    assert!(storage.correct_module(&machine_name("typed"), typed, site.at, "ann", "{}").await.unwrap());
    let found = storage.find_module(&machine_name("typed")).await.unwrap().unwrap();
    assert_eq!((found.module_type, found.corrected_at), (ModuleType::Custom, None));
    other.full(vec![module("typed", "1.0.0")]).await;
    let found = storage.find_module(&machine_name("typed")).await.unwrap().unwrap();
    assert_eq!(found.module_type, ModuleType::Custom, "no report brings the old one back");
    let nobody = machine_name("nobody");
    let unknown = storage.correct_module(&nobody, ModuleCorrection::default(), site.at, "ann", "{}").await;
    assert!(!unknown.unwrap());
    let events = storage.admin_events(Page { limit: 10, after: None }).await.unwrap();
    let corrected = events.iter().filter(|e| e.action == AdminAction::ModuleCorrected && e.target == "m");
    assert_eq!(corrected.count(), 2);
}

async fn the_sites_of_a_module_are_found_by_version(database: TestDatabase) {
    let storage = database.open().await;
    let versions = ["8.x-1.0-beta2", "8.x-1.0", "1.1.0", "2.0.0", "2.0.0-rc1", "2.x-dev"];
    let mut sites = Vec::new();
    for text in versions {
        let mut site = Reporter::new(&storage, text).await;
        site.full(vec![module("m", text), module("other", "1.0.0")]).await;
        sites.push(site);
    }
    let mut unknown = Reporter::new(&storage, "unknown").await;
    unknown.full(vec![without_version("m")]).await;
    let mut gone = Reporter::new(&storage, "gone").await;
    gone.full(vec![module("m", "1.1.0")]).await;
    gone.full(vec![module("other", "1.0.0")]).await;
    let mut deleted = Reporter::new(&storage, "deleted").await;
    deleted.full(vec![module("m", "1.1.0")]).await;
    storage.remove_site(deleted.id, deleted.at, "ann").await.unwrap();

    let none = ModuleSitesFilter {
        module: machine_name("m"),
        version: None,
        bounds: Bounds::default(),
        tag: None,
        removed: false,
    };
    let all = async |filter: ModuleSitesFilter, limit| {
        let mut found: Vec<ModuleSite> = Vec::new();
        loop {
            let page = Page { limit, after: found.last().map(|site| site.site_id) };
            let part = storage.module_sites(filter.clone(), page).await.unwrap().sites;
            if part.is_empty() {
                return found;
            }
            found.extend(part);
        }
    };
    let names = async |filter: ModuleSitesFilter| {
        let mut names: Vec<_> = all(filter, 2).await.into_iter().map(|site| site.site_name).collect();
        names.sort();
        names.join(" ")
    };
    let below = |text: &str| ModuleSitesFilter { bounds: below(text, ""), ..none.clone() };
    let exactly = |text: &str| ModuleSitesFilter { version: Some(version(text)), ..none.clone() };
    assert_eq!(names(none.clone()).await, "1.1.0 2.0.0 2.0.0-rc1 2.x-dev 8.x-1.0 8.x-1.0-beta2 unknown");
    assert_eq!(names(below("2.0.0")).await, "1.1.0 2.0.0-rc1 8.x-1.0 8.x-1.0-beta2");
    assert_eq!(names(below("1.0.0")).await, "8.x-1.0-beta2", "8.x-1.0 is 1.0.0");
    assert_eq!(names(below("0.1.0")).await, "");
    assert_eq!(names(exactly("8.x-1.0")).await, "8.x-1.0");
    assert_eq!(names(exactly("3.0.0")).await, "");
    let both = ModuleSitesFilter { version: Some(version("1.1.0")), ..below("2.0.0") };
    assert_eq!(names(both).await, "1.1.0");
    let removed = ModuleSitesFilter { removed: true, ..below("2.0.0") };
    assert_eq!(names(removed).await, "gone");

    let found = all(exactly("1.1.0"), 100).await;
    let [site] = found.as_slice() else { panic!("{found:?}") };
    let reporter = &sites[2];
    assert_eq!((site.site_id, site.version.clone()), (reporter.id, Some(version("1.1.0"))));
    assert_eq!((site.first_seen, site.last_seen, site.removed_at), (reporter.at, reporter.at, None));
    assert!(site.enabled && site.module_type == ModuleType::Contrib);
    sites[2].full(vec![module("m", "1.1.0"), module("other", "1.0.0")]).await;
    assert_eq!(all(exactly("1.1.0"), 100).await[0].last_seen, sites[2].at, "derived");
    let ids: Vec<_> = all(none, 100).await.iter().map(|site| site.site_id).collect();
    assert!(ids.is_sorted());
}

//! The inventory and the history as they are listed.

use module_monitor_domain::{EventKind, MachineName, ModuleType, ReportedModule, UpdateStatus};
use module_monitor_storage::{InventoryFilter, Page};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{NOBODY, module, modules};

use crate::support::{Reporter, as_listed, custom, described, disabled, machine_name, without_version};

on_both_backends!(
    modules_are_listed_by_the_bytes_of_their_names,
    a_list_has_of_the_details_only_the_name,
    filters_select_and_combine,
    the_inventory_is_paged,
    a_site_lists_only_its_own,
    the_history_is_newest_first_and_paged,
    events_of_one_sync_keep_their_order,
);

fn named(name: &str) -> ReportedModule {
    ReportedModule { machine_name: machine_name(name), ..module("x", "1.0.0") }
}

async fn names(site: &Reporter, filter: InventoryFilter) -> Vec<String> {
    site.list(filter).await.into_iter().map(|m| m.machine_name.to_string()).collect()
}

async fn modules_are_listed_by_the_bytes_of_their_names(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Order").await;
    let sorted = ["Z", "Zz", "_", "__", "a", "a1", "aZ", "a_", "aa", "é", "名前", "\u{1F600}"];
    let mut reported: Vec<_> = sorted.map(named).to_vec();
    reported.rotate_left(5);
    site.full(reported).await;
    assert_eq!(names(&site, InventoryFilter::default()).await, sorted);
    let mut paged = Vec::new();
    let mut after = None;
    loop {
        let page = Page { limit: 1, after: after.take() };
        let items = site.storage.site_modules(site.id, InventoryFilter::default(), page).await.unwrap();
        let Some(item) = items.into_iter().next() else { break };
        paged.push(item.machine_name.to_string());
        after = Some(item.machine_name);
    }
    assert_eq!(paged, sorted);
}

async fn a_list_has_of_the_details_only_the_name(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Names").await;
    let known = described(module("known", "1.0.0"), "Of the registry");
    let own = described(custom("own", "1.0.0"), "Our \"own\"\u{1F600}");
    let other = ReportedModule { module_type: ModuleType::Custom, ..described(module("other", "1.0.0"), "Other") };
    site.full(vec![known, own, other, described(without_version("unknown"), "Unknown")]).await;
    let listed = site.list(InventoryFilter::default()).await;
    let names: Vec<&str> = listed.iter().map(|module| module.details.name.as_str()).collect();
    assert_eq!(names, ["Of the registry", "Other", "Our \"own\"\u{1F600}", "Unknown"]);
    for module in listed {
        let single = site.module(module.machine_name.as_str()).await;
        assert!(single.details.description.is_some());
        assert_eq!(module, as_listed(single));
    }
}

async fn filters_select_and_combine(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Filters").await;
    let core = ReportedModule { module_type: ModuleType::Core, ..module("core_on", "10.3.6") };
    let mut all = vec![
        core,
        module("contrib_on", "1.0.0"),
        disabled(module("contrib_off", "1.0.0")),
        custom("custom_on", "1.0.0"),
        disabled(custom("custom_off", "1.0.0")),
    ];
    let gone = [module("gone_contrib", "1.0.0"), disabled(custom("gone_custom", "1.0.0"))];
    site.full(all.iter().cloned().chain(gone).collect()).await;
    site.full(all.clone()).await;
    all.sort_by(|a, b| a.machine_name.cmp(&b.machine_name));

    let none = InventoryFilter::default();
    let on = InventoryFilter { enabled: Some(true), ..none };
    let off = InventoryFilter { enabled: Some(false), ..none };
    let contrib = InventoryFilter { module_type: Some(ModuleType::Contrib), ..none };
    assert_eq!(names(&site, none).await, ["contrib_off", "contrib_on", "core_on", "custom_off", "custom_on"]);
    assert_eq!(names(&site, on).await, ["contrib_on", "core_on", "custom_on"]);
    assert_eq!(names(&site, off).await, ["contrib_off", "custom_off"]);
    assert_eq!(names(&site, contrib).await, ["contrib_off", "contrib_on"]);
    assert_eq!(names(&site, InventoryFilter { enabled: Some(true), ..contrib }).await, ["contrib_on"]);
    let removed = InventoryFilter { removed: true, ..none };
    assert_eq!(names(&site, removed).await, ["gone_contrib", "gone_custom"]);
    assert_eq!(names(&site, InventoryFilter { enabled: Some(false), ..removed }).await, ["gone_custom"]);
    let status = |status| InventoryFilter { update_status: Some(status), ..none };
    let judged = ["contrib_off", "contrib_on", "core_on"];
    assert_eq!(names(&site, status(UpdateStatus::NotFetched)).await, judged, "modules with a project");
    assert!(names(&site, status(UpdateStatus::Current)).await.is_empty());
    for listed in site.list(none).await {
        let expected = listed.state.project.is_some().then_some(UpdateStatus::NotFetched);
        assert_eq!(listed.update_status(), expected);
    }
}

async fn the_inventory_is_paged(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Pages").await;
    site.full(modules("m", 25, "1.0.0")).await;
    let page = async |limit, after: Option<MachineName>| {
        site.storage.site_modules(site.id, InventoryFilter::default(), Page { limit, after }).await.unwrap()
    };
    let first = page(10, None).await;
    let second = page(10, first.last().map(|m| m.machine_name.clone())).await;
    let third = page(10, second.last().map(|m| m.machine_name.clone())).await;
    assert_eq!((first.len(), second.len(), third.len()), (10, 10, 5));
    let all: Vec<_> = first.into_iter().chain(second).chain(third).collect();
    assert_eq!(all, site.list(InventoryFilter::default()).await);
    assert!(page(10, Some(machine_name("zzz"))).await.is_empty());
    assert_eq!(page(10, Some(machine_name("m_0019x"))).await.len(), 5, "the item itself need not be there");
}

async fn a_site_lists_only_its_own(database: TestDatabase) {
    let storage = database.open().await;
    let (mut one, mut other) = (Reporter::new(&storage, "One").await, Reporter::new(&storage, "Other").await);
    one.full(vec![module("a", "1.0.0"), module("b", "1.0.0")]).await;
    other.full(vec![module("b", "1.0.0"), module("c", "1.0.0")]).await;
    assert_eq!(other.present().await, ["b 1.0.0", "c 1.0.0"]);
    assert_eq!(storage.site_module(other.id, &machine_name("a")).await.unwrap(), None);
    assert!(other.history("a").await.is_empty());
    assert_eq!(one.history("b").await.len(), 1);
    let all = Page { limit: 10, after: None };
    assert!(storage.site_modules(NOBODY, InventoryFilter::default(), all).await.unwrap().is_empty());
}

async fn the_history_is_newest_first_and_paged(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "History").await;
    let versions = ["1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0"];
    let mut told = Vec::new();
    for version in versions {
        let outcome = site.full(vec![module("a", version), module("other", version)]).await;
        told.push((outcome.sync_id, site.at));
    }
    let page = async |limit, after| {
        let history = site.storage.module_history(site.id, &machine_name("a"), Page { limit, after }).await.unwrap();
        history.expect("a module that the site has").events
    };
    let all = page(100, None).await;
    let newest_first: Vec<_> = all.iter().map(|e| e.to_version.as_deref().unwrap_or_default()).collect();
    assert_eq!(newest_first, ["1.4.0", "1.3.0", "1.2.0", "1.1.0", "1.0.0"]);
    assert!(all.iter().map(|e| (e.sync_id, e.at)).rev().eq(told), "each with its sync and its time");
    assert_eq!(all.last().unwrap().before, None);
    let first = page(2, None).await;
    let second = page(2, first.last().unwrap().before).await;
    let third = page(2, second.last().unwrap().before).await;
    assert_eq!((first.more, second.more, third.more), (true, true, false));
    assert_eq!(first.into_iter().chain(second).chain(third).collect::<Vec<_>>(), all.items);
}

async fn events_of_one_sync_keep_their_order(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "History").await;
    site.full(modules("m", 30, "1.0.0")).await;
    site.full(Vec::new()).await;
    site.full(modules("m", 30, "2.0.0").into_iter().map(disabled).collect()).await;
    for n in [0, 17, 29] {
        let kinds: Vec<_> = site.history(&format!("m_{n:04}")).await.into_iter().map(|e| e.0).collect();
        use EventKind::{Disabled, Installed, Removed, Restored, VersionChanged};
        assert_eq!(kinds, [Installed, Removed, Restored, VersionChanged, Disabled]);
    }
}

//! What sites share, and what each keeps to itself.

use module_monitor_domain::{Extension, Module, ModuleType, ProjectName, ReportedModule};
use module_monitor_storage::Storage;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{module, modules};

use crate::support::{Reporter, changes, custom, described, details, machine_name, without_version};

on_both_backends!(
    the_first_report_describes_a_shared_module_and_no_other_rewrites_it,
    each_site_keeps_its_own_use_of_a_module,
    a_type_that_others_contradict_stays_with_its_site,
    the_registry_knows_only_the_name_of_custom_code,
    each_version_is_described_by_its_first_report,
    custom_code_of_the_same_name_does_not_take_a_versions_details_away,
    details_without_a_version_stay_with_the_site,
    a_name_that_is_custom_elsewhere_keeps_its_details,
);

async fn find(storage: &dyn Storage, name: &str) -> Module {
    storage.find_module(&machine_name(name)).await.unwrap().unwrap()
}

async fn the_first_report_describes_a_shared_module_and_no_other_rewrites_it(database: TestDatabase) {
    let storage = database.open().await;
    let (mut one, mut other) = (Reporter::new(&storage, "One").await, Reporter::new(&storage, "Other").await);
    assert!(storage.find_module(&machine_name("token")).await.unwrap().is_none());
    one.full(vec![described(module("token", "1.0.0"), "Token")]).await;
    let first = one.at;
    let second = other.full(vec![described(module("token", "1.0.0"), "Rewritten")]).await;
    assert_eq!(changes(&second), (1, 0, 0));
    let known = find(&*storage, "token").await;
    assert_eq!((known.name, known.description), (Some(details("Token").name), details("Token").description));
    assert_eq!((known.project_link, known.created_at), (details("Token").project_link, first));
    assert_eq!(known.module_type, ModuleType::Contrib);
    for site in [&one, &other] {
        let shown = site.module("token").await;
        assert_eq!(shown.details, details("Token"));
        assert_eq!(shown.state.own_details, None);
    }
    let again = one.full(vec![described(module("token", "1.0.0"), "Changed my mind")]).await;
    assert_eq!(changes(&again), (0, 0, 0));
    assert_eq!(one.module("token").await.details, details("Token"));
}

async fn each_site_keeps_its_own_use_of_a_module(database: TestDatabase) {
    let storage = database.open().await;
    let (mut one, mut other) = (Reporter::new(&storage, "One").await, Reporter::new(&storage, "Other").await);
    let project = |name: &str| Some(ProjectName::parse(name).unwrap());
    let here = ReportedModule { project: project("here"), datestamp: Some(4_102_444_800), ..module("shared", "1.0.0") };
    let there = ReportedModule {
        project: project("there"),
        extension: Extension::Theme,
        schema_version: Some(-8001),
        security_coverage: false,
        enabled: false,
        ..module("shared", "2.0.0")
    };
    one.full(vec![here.clone()]).await;
    other.full(vec![there.clone()]).await;
    for (site, sent) in [(&one, here), (&other, there)] {
        let state = site.module("shared").await.state;
        assert_eq!(state, module_monitor_domain::SiteModuleState::of(&sent, ModuleType::Contrib));
    }
    assert_eq!(changes(&one.full(Vec::new()).await), (0, 0, 1));
    assert_eq!(other.present().await, ["shared 2.0.0"], "another site's removal is not ours");
}

async fn a_type_that_others_contradict_stays_with_its_site(database: TestDatabase) {
    let storage = database.open().await;
    let (mut one, mut other) = (Reporter::new(&storage, "One").await, Reporter::new(&storage, "Other").await);
    one.full(vec![described(module("views", "1.0.0"), "First")]).await;
    let core = || described(ReportedModule { module_type: ModuleType::Core, ..module("views", "10.3.6") }, "Core");
    let warned = other.full(vec![core()]).await;
    assert!(warned.warnings.is_empty(), "modules move between core and contrib: {:?}", warned.warnings);
    let shown = other.module("views").await;
    assert_eq!(shown.state.module_type, ModuleType::Core);
    assert_eq!(shown.details, details("Core"));
    assert_eq!(find(&*storage, "views").await.module_type, ModuleType::Core, "whoever comes first");
    assert_eq!(one.module("views").await.details, details("First"));
    let again = other.full(vec![core()]).await;
    assert_eq!((changes(&again), again.warnings.len()), ((0, 0, 0), 0));
}

async fn the_registry_knows_only_the_name_of_custom_code(database: TestDatabase) {
    let storage = database.open().await;
    let (mut one, mut other) = (Reporter::new(&storage, "One").await, Reporter::new(&storage, "Other").await);
    let first = one.full(vec![described(custom("mine", "1.0.0"), "Secret of one")]).await;
    assert_eq!(first.warnings, ["Unknown module: mine"]);
    let second = other.full(vec![described(custom("mine", "1.0.0"), "Secret of the other")]).await;
    assert_eq!(second.warnings, ["Unknown module: mine"], "new to this site");
    let known = find(&*storage, "mine").await;
    assert_eq!((known.name, known.description, known.project_link), (None, None, None));
    assert_eq!(known.module_type, ModuleType::Custom);
    assert_eq!(one.module("mine").await.details, details("Secret of one"));
    assert_eq!(other.module("mine").await.details, details("Secret of the other"));
    let mut raw = database.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM module_versions WHERE details IS NOT NULL").await, 0);
    let changed = one.full(vec![described(custom("mine", "1.0.0"), "New text")]).await;
    assert_eq!(changes(&changed), (0, 0, 0));
    assert_eq!(one.module("mine").await.details, details("New text"));
}

async fn each_version_is_described_by_its_first_report(database: TestDatabase) {
    let storage = database.open().await;
    let (mut one, mut other) = (Reporter::new(&storage, "One").await, Reporter::new(&storage, "Other").await);
    one.full(vec![described(module("token", "1.0.0"), "Token")]).await;
    let mut second = described(module("token", "2.0.0"), "Token two");
    second.details.dependencies = vec!["drupal:user (>=10.2)".to_owned()];
    let sent = second.details.clone();
    other.full(vec![second]).await;
    let (old, new) = (one.module("token").await.details, other.module("token").await.details);
    assert_eq!(old, details("Token"));
    assert_eq!((new.dependencies, new.package), (sent.dependencies, sent.package));
    assert_eq!(new.description, sent.description);
    assert_eq!(new.name, "Token", "the display name is the registry's");
}

async fn custom_code_of_the_same_name_does_not_take_a_versions_details_away(database: TestDatabase) {
    let storage = database.open().await;
    let mut first = Reporter::new(&storage, "Defines the type").await;
    let mut fork = Reporter::new(&storage, "Has a fork").await;
    let mut site = Reporter::new(&storage, "Has the release").await;
    first.full(vec![described(module("token", "1.0.0"), "Token")]).await;
    fork.full(vec![described(custom("token", "2.0.0"), "Fork")]).await;
    site.full(vec![described(module("token", "2.0.0"), "Token")]).await;
    assert_eq!(site.module("token").await.details, details("Token"));
    assert_eq!(fork.module("token").await.details, details("Fork"));
    // The site with the fork takes the release, in the same version.
    fork.full(vec![described(module("token", "2.0.0"), "Not the first to say")]).await;
    assert_eq!(fork.module("token").await.details, details("Token"));
    // A site whose own custom code becomes the release.
    site.full(vec![described(custom("token", "3.0.0"), "Fork")]).await;
    site.full(vec![described(module("token", "3.0.0"), "Token")]).await;
    assert_eq!(site.module("token").await.details, details("Token"));
    first.full(vec![described(module("token", "3.0.0"), "Too late")]).await;
    assert_eq!(first.module("token").await.details, details("Token"));
}

async fn details_without_a_version_stay_with_the_site(database: TestDatabase) {
    let storage = database.open().await;
    let (mut one, mut other) = (Reporter::new(&storage, "One").await, Reporter::new(&storage, "Other").await);
    one.full(vec![described(without_version("token"), "Checkout of one")]).await;
    other.full(vec![described(without_version("token"), "Checkout of the other")]).await;
    assert_eq!(one.module("token").await.details, details("Checkout of one"));
    assert_eq!(other.module("token").await.details, details("Checkout of the other"));
    let versioned = other.full(vec![described(module("token", "1.0.0"), "Release")]).await;
    assert_eq!(changes(&versioned), (0, 1, 0));
    let shown = other.module("token").await;
    assert_eq!(shown.state.own_details, None);
    assert_eq!(shown.details.package, details("Release").package);
}

async fn a_name_that_is_custom_elsewhere_keeps_its_details(database: TestDatabase) {
    let storage = database.open().await;
    let (mut one, mut other) = (Reporter::new(&storage, "One").await, Reporter::new(&storage, "Other").await);
    one.full(vec![custom("shared", "1.0.0")]).await;
    let outcome = other.full(vec![described(module("shared", "1.0.0"), "Contrib")]).await;
    assert!(outcome.warnings.is_empty(), "what is custom elsewhere says nothing of what it is here");
    assert_eq!(other.module("shared").await.details, details("Contrib"));
    assert_eq!(find(&*storage, "shared").await.name, None);
    assert_eq!(other.full(modules("m", 1, "1.0.0")).await.counts.removed, 1);
}

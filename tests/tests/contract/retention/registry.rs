//! Modules and versions that nobody has any more.

use std::sync::Arc;

use module_monitor_domain::{ModuleType, Settlement};
use module_monitor_storage::{Cutoff, KeptRows, ModuleCorrection, Storage};
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::reports::{module, modules};
use time::Duration;

use crate::support::{Reporter, changes, custom, keep_from, machine_name, prune};

on_both_backends!(
    what_no_row_of_a_site_names_goes,
    what_an_administrator_has_spoken_of_stays,
    the_modules_of_a_removed_site_go,
    a_long_registry_is_gone_through_in_steps,
);

/// The registry: `module version version`.
async fn registry(raw: &mut RawConnection) -> Vec<String> {
    let mut lines = Vec::new();
    for name in raw.texts("SELECT machine_name FROM modules ORDER BY machine_name").await {
        let versions = format!(
            "SELECT v.version FROM module_versions v JOIN modules m ON m.id = v.module_id \
             WHERE m.machine_name = '{name}' ORDER BY v.version"
        );
        lines.push([vec![name], raw.texts(&versions).await].concat().join(" "));
    }
    lines
}

/// Removes what is nobody's, and says how many versions and modules.
async fn sweep(storage: &Arc<dyn Storage>, cutoff: Cutoff) -> (usize, usize) {
    let versions = prune(&**storage, KeptRows::Versions, cutoff, 2).await.iter().sum();
    (versions, prune(&**storage, KeptRows::Modules, cutoff, 2).await.iter().sum())
}

async fn what_no_row_of_a_site_names_goes(database: TestDatabase) {
    let storage = database.open().await;
    let (mut one, mut other) = (Reporter::new(&storage, "One").await, Reporter::new(&storage, "Other").await);
    let mut raw = database.raw().await;
    let everything = keep_from(one.at + Duration::days(10), one.at - Duration::days(1000));
    one.full(vec![module("a", "1.0.0"), module("b", "1.0.0"), custom("c", "1.0.0")]).await;
    other.full(vec![module("a", "1.0.0")]).await;
    assert_eq!(sweep(&storage, everything).await, (0, 0));

    one.full(vec![module("a", "2.0.0"), module("b", "2.0.0")]).await;
    assert_eq!(sweep(&storage, everything).await, (1, 0), "b 1.0.0; a removed module keeps its version");
    assert_eq!(registry(&mut raw).await, ["a 1.0.0 2.0.0", "b 2.0.0", "c 1.0.0"]);

    let nothing_removed = keep_from(one.at, one.at + Duration::DAY);
    one.full(vec![module("a", "2.0.0")]).await;
    assert_eq!(prune(&*storage, KeptRows::RemovedModules, nothing_removed, 10).await, [2, 0]);
    assert_eq!(sweep(&storage, everything).await, (2, 2));
    assert_eq!(registry(&mut raw).await, ["a 1.0.0 2.0.0"]);

    // This process knows their old ids; the attempt that uses them is tried again.
    for site in [&mut one, &mut other] {
        let report = vec![module("a", "2.0.0"), module("b", "1.0.0"), custom("c", "1.0.0")];
        let sync =
            site.next(|at| module_monitor_tests::reports::report(module_monitor_domain::Scope::Full, at, report));
        if storage.apply_sync(Arc::clone(&sync)).await.is_err() {
            storage.apply_sync(sync).await.unwrap();
        }
        assert_eq!(site.present().await, ["a 2.0.0", "b 1.0.0", "c 1.0.0"]);
    }
    assert_eq!(sweep(&storage, everything).await, (1, 0), "a 1.0.0");
    assert_eq!(registry(&mut raw).await, ["a 2.0.0", "b 1.0.0", "c 1.0.0"]);
}

async fn what_an_administrator_has_spoken_of_stays(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Site").await;
    let mut raw = database.raw().await;
    site.full(vec![custom("corrected", "1.0.0"), custom("settled", "1.0.0"), custom("neither", "1.0.0")]).await;
    let correction = ModuleCorrection { module_type: Some(ModuleType::Contrib), ..ModuleCorrection::default() };
    assert!(storage.correct_module(&machine_name("corrected"), correction, site.at, "ann", "{}").await.unwrap());
    let settled = storage.settle_for_all(&machine_name("settled"), Some(Settlement::Own), site.at, "ann").await;
    assert!(settled.unwrap());
    site.full(Vec::new()).await;
    let cutoff = keep_from(site.at + Duration::DAY, site.at + Duration::DAY);
    assert_eq!(prune(&*storage, KeptRows::RemovedModules, cutoff, 10).await, [3, 0]);
    assert_eq!(sweep(&storage, cutoff).await, (3, 1));
    assert_eq!(registry(&mut raw).await, ["corrected", "settled"]);
    let corrected = storage.find_module(&machine_name("corrected")).await.unwrap().unwrap();
    assert_eq!(corrected.module_type, ModuleType::Contrib);
}

async fn the_modules_of_a_removed_site_go(database: TestDatabase) {
    let storage = database.open().await;
    let (mut one, mut other) = (Reporter::new(&storage, "One").await, Reporter::new(&storage, "Other").await);
    let mut raw = database.raw().await;
    one.full(modules("m", 3, "1.0.0")).await;
    other.full(modules("m", 1, "1.0.0")).await;
    assert!(storage.remove_site(one.id, one.at, "ann").await.unwrap());
    while storage.delete_leftovers(10).await.unwrap().is_some() {}
    assert_eq!(sweep(&storage, keep_from(one.at + Duration::DAY, one.at)).await, (2, 2));
    assert_eq!(registry(&mut raw).await, ["m_0000 1.0.0"]);
    assert_eq!(changes(&other.full(modules("m", 1, "1.0.0")).await), (0, 0, 0));
}

/// More rows than one statement looks at, one in a hundred of them somebody's.
async fn a_long_registry_is_gone_through_in_steps(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Site").await;
    let mut raw = database.raw().await;
    site.full(vec![module("first", "1.0.0")]).await;
    let numbers = match database.backend() {
        Backend::Sqlite => "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4500)",
        Backend::Postgres => "WITH n AS (SELECT generate_series(1, 4500) AS i)",
    };
    for statement in [
        format!(
            "{numbers} INSERT INTO modules (machine_name, type, created_at) \
             SELECT 'm_' || i, 'contrib', created_at FROM n JOIN modules ON machine_name = 'first'"
        ),
        "INSERT INTO module_versions (module_id, version, sort_key, created_at) \
         SELECT id, '1.0.0', '1', created_at FROM modules WHERE machine_name <> 'first'"
            .to_owned(),
        "INSERT INTO site_modules (site_id, module_id, version_id, enabled, in_use, type, extension, security_coverage, \
         first_seen, last_updated, last_reported_at) \
         SELECT sm.site_id, v.module_id, v.id, sm.enabled, sm.in_use, sm.type, sm.extension, sm.security_coverage, \
         sm.first_seen, sm.last_updated, sm.last_reported_at \
         FROM site_modules sm JOIN module_versions v ON v.id % 100 = 0"
            .to_owned(),
    ] {
        raw.execute(&statement).await;
    }
    let had = raw.number("SELECT count(*) FROM module_versions WHERE id % 100 = 0").await;
    // Not while they are new.
    let new = keep_from(site.at + Duration::minutes(10), site.at);
    assert_eq!(prune(&*storage, KeptRows::Versions, new, 300).await, [0, 0, 0]);
    let cutoff = keep_from(site.at + Duration::minutes(11), site.at);
    for (kind, table) in [(KeptRows::Versions, "module_versions"), (KeptRows::Modules, "modules")] {
        let steps = prune(&*storage, kind, cutoff, 300).await;
        assert_eq!(steps.len(), 3, "2000 rows, 2000 rows, and the rest: {steps:?}");
        assert_eq!(steps.iter().sum::<usize>() as i64, 4500 - had);
        assert_eq!(raw.number(&format!("SELECT count(*) FROM {table}")).await, had + 1);
    }
    assert_eq!(site.present().await.len() as i64, had + 1);
}

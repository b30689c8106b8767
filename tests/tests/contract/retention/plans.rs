//! What is looked at in every run is looked up in indexes, however much there is.

use module_monitor_storage::KeptRows;
use module_monitor_tests::backends::{Backend, TestDatabase, patient};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::reports::{module, now};
use module_monitor_tests::watch::StatementLog;
use time::Duration;

use crate::support::{Reporter, keep_from, prune};

on_both_backends!(a_run_reads_no_inventory_whole);

/// 100 sites with 500 modules each, a fifth of them removed, and three times as many modules that no site has.
async fn fill(raw: &mut RawConnection) {
    let numbers = match raw.backend() {
        Backend::Sqlite => "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)",
        Backend::Postgres => "WITH n AS (SELECT generate_series(1, 2000) AS i)",
    };
    for statement in [
        format!("{numbers} INSERT INTO sites (name, created_at) SELECT 'Site ' || i, created_at FROM n JOIN sites ON true WHERE i <= 100"),
        format!(
            "{numbers} INSERT INTO modules (machine_name, type, created_at) \
             SELECT 'm_' || i, 'contrib', created_at FROM n JOIN modules ON true"
        ),
        "INSERT INTO module_versions (module_id, version, sort_key, created_at) SELECT id, '2.0.0', '2', created_at FROM modules".to_owned(),
        "INSERT INTO assessments (project, feed, version, datestamp, status, needs_update, class, covered, security_updates, \
         introduced_by, created_at) \
         SELECT m.machine_name, a.feed, '2.0.0', -1, a.status, a.needs_update, a.class, a.covered, a.security_updates, \
         a.introduced_by, a.created_at FROM modules m JOIN assessments a ON a.project = 'first'"
            .to_owned(),
        "INSERT INTO projects (name, feed, next_check_at, created_at) \
         SELECT m.machine_name, 'current', m.created_at, m.created_at FROM modules m WHERE m.machine_name <> 'first'"
            .to_owned(),
        "INSERT INTO site_modules (site_id, module_id, version_id, enabled, in_use, type, extension, security_coverage, \
         first_seen, last_updated, last_reported_at, removed_at, assessment_id) \
         SELECT s.id, v.module_id, v.id, sm.enabled, sm.in_use, sm.type, sm.extension, sm.security_coverage, \
         sm.first_seen, sm.last_updated, sm.last_reported_at, CASE WHEN v.module_id % 20 = 0 THEN sm.first_seen END, \
         a.id \
         FROM site_modules sm JOIN module_versions v ON v.module_id % 4 = 0 JOIN sites s ON s.id <> sm.site_id \
         JOIN modules m ON m.id = v.module_id JOIN assessments a ON a.project = m.machine_name AND a.version = '2.0.0'"
            .to_owned(),
    ] {
        raw.execute(&statement).await;
    }
    raw.execute(match raw.backend() {
        Backend::Sqlite => "ANALYZE",
        Backend::Postgres => "VACUUM ANALYZE",
    })
    .await;
}

async fn a_run_reads_no_inventory_whole(database: TestDatabase) {
    let log = StatementLog::default();
    let storage = database.open_with(log.watch(patient(1))).await;
    let mut raw = database.raw().await;
    Reporter::new(&storage, "First").await.full(vec![module("first", "1.0.0")]).await;
    fill(&mut raw).await;
    storage.check().await.unwrap();
    let time = match database.backend() {
        Backend::Sqlite => "0",
        Backend::Postgres => "now()",
    };
    let span = ("bigint, bigint, bigint, timestamptz", format!("0, 9000000, 2000, {time}"));
    let aged = ("timestamptz, bigint", format!("{time}, 500"));
    for (kind, (types, values), indexes) in [
        (KeptRows::Versions, span.clone(), &["site_modules_version"][..]),
        (KeptRows::Modules, span.clone(), &["site_modules_module"]),
        (KeptRows::Assessments, span, &["site_modules_assessment", "sites_core_assessment"]),
        (
            KeptRows::Projects,
            ("bigint, bigint, bigint, timestamptz, timestamptz", format!("0, 9000000, 2000, {time}, {time}")),
            // What waits to be judged is few rows here, however it is found.
            &["site_modules_module"],
        ),
        (KeptRows::RemovedModules, aged, &["site_modules_age"]),
    ] {
        log.take();
        // Nothing is as old as that.
        let at = now() - Duration::days(20_000);
        prune(&*storage, kind, keep_from(at, at), 500).await;
        let sent = log.take();
        let statement = sent.iter().find(|statement| statement.contains("site_modules")).expect("its statement");
        let plan = raw.plan(statement.split(" -- binds:").next().unwrap_or_default(), types, &values).await;
        for index in indexes {
            assert!(plan.iter().any(|line| line.contains(index)), "{kind:?} does not use {index}: {plan:#?}");
        }
        let whole = |line: &&String| line.contains("Seq Scan on site_modules") || line.trim() == "SCAN sm";
        assert!(!plan.iter().any(|line| whole(&line)), "{kind:?}: {plan:#?}");
    }
}

//! Cost follows change, not size: how many statements a sync sends and how many rows it writes.

use std::sync::Arc;

use module_monitor_domain::Scope;
use module_monitor_storage::StorageError;
use module_monitor_tests::backends::{Backend, TestDatabase, patient};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::process::wait_for;
use module_monitor_tests::reports::{module, modules, report};
use module_monitor_tests::watch::{StatementLog, watch_rows, written_rows};

use crate::support::{Reporter, changes, custom, disabled};

on_both_backends!(
    an_unchanged_sync_is_one_statement_and_two_rows,
    an_unchanged_sync_with_another_site_info_is_as_cheap,
    a_first_sync_of_many_modules_takes_no_more_statements_than_one_of_few,
    a_small_change_writes_few_rows,
    a_partial_report_writes_only_what_it_names,
    a_second_site_needs_fewer_statements,
    ids_of_a_sync_that_was_rolled_back_are_not_used,
    a_registry_that_was_put_back_is_looked_up_again,
);

const MODULE_TABLES: [&str; 4] = ["modules", "module_versions", "site_modules", "change_sets"];

/// A statement without its parameters, and without what the text says in comments.
fn words(statement: &str) -> Vec<String> {
    let sql = statement.split(" -- binds:").next().unwrap_or_default();
    let lines = sql.lines().filter(|line| !line.trim_start().starts_with("--"));
    let split = |line: &str| {
        let words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    lines.flat_map(split).collect()
}

fn assert_touches_only_the_site(backend: Backend, statements: &[String]) {
    let first_words: Vec<_> = statements.iter().map(|s| words(s).first().cloned().unwrap_or_default()).collect();
    let expected: &[&str] = match backend {
        Backend::Postgres => &["WITH"],
        Backend::Sqlite => &["BEGIN", "UPDATE", "INSERT", "COMMIT"],
    };
    assert_eq!(first_words, expected, "{statements:#?}");
    for statement in statements {
        assert!(!words(statement).iter().any(|word| MODULE_TABLES.contains(&word.as_str())), "{statement}");
    }
}

async fn an_unchanged_sync_is_one_statement_and_two_rows(database: TestDatabase) {
    let log = StatementLog::default();
    let mut site = Reporter::new(&database.open_with(log.watch(patient(1))).await, "Unchanged").await;
    let mut raw = database.raw().await;
    site.full(modules("m", 1000, "1.0.0")).await;
    watch_rows(&mut raw).await;
    for _ in 0..3 {
        log.take();
        let outcome = site.full(modules("m", 1000, "1.0.0")).await;
        assert_touches_only_the_site(database.backend(), &log.take());
        assert_eq!(written_rows(&mut raw).await, ["insert syncs", "update sites"]);
        assert_eq!((outcome.counts.processed, changes(&outcome)), (1000, (0, 0, 0)));
    }
}

async fn an_unchanged_sync_with_another_site_info_is_as_cheap(database: TestDatabase) {
    let log = StatementLog::default();
    let mut site = Reporter::new(&database.open_with(log.watch(patient(1))).await, "Unchanged").await;
    let mut raw = database.raw().await;
    site.full(modules("m", 10, "1.0.0")).await;
    log.take();
    site.as_identity("prod", modules("m", 10, "1.0.0")).await;
    assert_touches_only_the_site(database.backend(), &log.take());
    let stored = raw.texts("SELECT site_info FROM sites").await;
    assert_eq!(stored, [r#"{"environment":"prod"}"#]);
    assert_eq!(raw.texts("SELECT reported_environment FROM sites").await, ["prod"]);
}

async fn a_first_sync_of_many_modules_takes_no_more_statements_than_one_of_few(database: TestDatabase) {
    let log = StatementLog::default();
    let storage = database.open_with(log.watch(patient(1))).await;
    let mut counts = Vec::new();
    for (prefix, size) in [("few", 50), ("many", 1000)] {
        let mut site = Reporter::new(&storage, prefix).await;
        log.take();
        site.full(modules(prefix, size, "1.0.0")).await;
        counts.push(log.take().len());
        // All updated, half of them removed.
        site.full(modules(prefix, size / 2, "2.0.0")).await;
        counts.push(log.take().len());
    }
    assert_eq!(counts[..2], counts[2..], "first sync, then all updated or removed");
    assert!(counts.iter().all(|count| *count <= 32), "{counts:?}");
}

async fn a_small_change_writes_few_rows(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Small change").await;
    let mut raw = database.raw().await;
    watch_rows(&mut raw).await;
    site.full(modules("m", 1000, "1.0.0")).await;
    // Registry, versions, inventory, projects and assessments; Drupal itself; the sync and what it changed; the site and its
    // figures.
    assert_eq!(written_rows(&mut raw).await.len(), 5 * 1000 + 2 + 2 + 2);
    let mut changed = modules("m", 1000, "1.0.0");
    changed[500] = module("m_0500", "2.0.0");
    site.full(changed.clone()).await;
    let one_updated = [
        "insert assessments",
        "insert change_sets",
        "insert module_versions",
        "insert syncs",
        "update site_modules",
        "update sites",
    ];
    assert_eq!(written_rows(&mut raw).await, one_updated);
    changed.pop();
    changed[0] = disabled(changed[0].clone());
    site.full(changed.clone()).await;
    let one_removed_one_disabled = [
        "insert change_sets",
        "insert syncs",
        "update site_modules",
        "update site_modules",
        "update sites",
        "update sites",
    ];
    assert_eq!(written_rows(&mut raw).await, one_removed_one_disabled);
    site.on_core("10.4.0", changed).await;
    assert_eq!(written_rows(&mut raw).await, ["insert assessments", "insert syncs", "update sites"], "Drupal alone");
}

async fn a_partial_report_writes_only_what_it_names(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Partial").await;
    let mut raw = database.raw().await;
    site.full(modules("m", 300, "1.0.0")).await;
    watch_rows(&mut raw).await;
    site.partial(modules("m", 2, "1.0.0")).await;
    let seen = ["insert syncs", "update site_modules", "update site_modules", "update sites"];
    assert_eq!(written_rows(&mut raw).await, seen);
}

async fn a_second_site_needs_fewer_statements(database: TestDatabase) {
    let log = StatementLog::default();
    let storage = database.open_with(log.watch(patient(1))).await;
    let mut counts = Vec::new();
    for name in ["First", "Second", "Third"] {
        let mut site = Reporter::new(&storage, name).await;
        log.take();
        let mut reported = modules("m", 200, "1.0.0");
        reported.push(custom("mine", "1.0.0"));
        site.full(reported).await;
        counts.push(log.take().len());
        assert_eq!(site.present().await.len(), 201);
    }
    assert!(counts[1] <= counts[0] - 2, "neither modules nor versions are looked up: {counts:?}");
    assert_eq!(counts[1], counts[2]);
}

async fn ids_of_a_sync_that_was_rolled_back_are_not_used(database: TestDatabase) {
    let log = StatementLog::default();
    let storage = database.open_with(log.watch(patient(1))).await;
    let mut other = Reporter::new(&storage, "Other").await;
    let mut site = Reporter::new(&storage, "Rolled back").await;
    log.take();
    let taken = other.full(modules("first", 50, "1.0.0")).await.sync_id;
    let uncached = log.take().len();
    // The audit row comes last, so this fails after the registry has got its rows, and all of it is undone.
    let mut sync = Arc::unwrap_or_clone(site.next(|at| report(Scope::Full, at, modules("m", 50, "2.0.0"))));
    sync.sync_id = taken;
    let error = storage.apply_sync(Arc::new(sync)).await.unwrap_err();
    assert!(matches!(error, StorageError::Duplicate(_)), "{error:?}");
    let mut raw = database.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM modules").await, 50);
    // Others take the ids that are free again.
    other.partial(modules("others", 60, "3.0.0")).await;
    log.take();
    assert_eq!(changes(&site.full(modules("m", 50, "2.0.0")).await), (50, 0, 0));
    assert_eq!(log.take().len(), uncached, "everything is looked up again");
    let expected: Vec<_> = (0..50).map(|n| format!("m_{n:04} 2.0.0")).collect();
    assert_eq!(site.present().await, expected);
    assert_eq!(other.present().await.len(), 110);
    let mut second = Reporter::new(&storage, "Second").await;
    log.take();
    second.full(modules("m", 50, "2.0.0")).await;
    assert!(log.take().len() <= uncached - 2, "now they are known");
    assert_eq!(second.present().await, expected);
}

async fn a_registry_that_was_put_back_is_looked_up_again(database: TestDatabase) {
    let storage = database.open_with(patient(1)).await;
    let mut first = Reporter::new(&storage, "First").await;
    first.full(modules("m", 20, "1.0.0")).await;
    // A backup from before the first sync is put back while the server runs.
    let mut raw = database.raw().await;
    for table in ["change_sets", "site_modules", "module_versions", "modules"] {
        raw.execute(&format!("DELETE FROM {table}")).await;
    }
    let mut second = Reporter::new(&storage, "Second").await;
    let sync = second.next(|at| report(Scope::Full, at, modules("m", 20, "1.0.0")));
    storage.apply_sync(sync).await.unwrap();
    assert_eq!(second.present().await.len(), 20);
}

/// PostgreSQL writes no index for a row that it updates in place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unchanged_sync_updates_the_row_of_its_site_in_place() {
    let Some(database) = TestDatabase::new(Backend::Postgres).await else { return };
    let mut site = Reporter::new(&database.open_with(patient(1)).await, "In place").await;
    site.full(modules("m", 3, "1.0.0")).await;
    let mut raw = database.raw().await;
    let updated = |what: &str| format!("SELECT {what} FROM pg_stat_user_tables WHERE relname = 'sites'");
    let mut sent = 0;
    // What the server has counted is told by and by.
    let counted = wait_for("the updates are counted", async || {
        site.full(modules("m", 3, "1.0.0")).await;
        sent += 1;
        let counted = raw.number(&updated("n_tup_upd")).await;
        (sent >= 48 && counted >= 48).then_some(counted)
    });
    let counted = counted.await;
    let in_place = raw.number(&updated("n_tup_hot_upd")).await;
    // The day of its silence moves once in 24 hourly reports; the first report is none of these.
    assert!(in_place * 20 >= (counted - 2) * 18, "{in_place} of {counted}");
}

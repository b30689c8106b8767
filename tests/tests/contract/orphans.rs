//! Rows that name others which are not there.

use module_monitor_storage::Orphaned;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::modules;

use crate::support::Reporter;

on_both_backends!(every_reference_without_a_foreign_key_is_looked_at);

/// Each of them is broken by itself, in so many rows, and mended again.
async fn every_reference_without_a_foreign_key_is_looked_at(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "A site").await;
    site.full(modules("m", 2, "1.0.0")).await;
    let mut raw = database.raw().await;
    let finding =
        "INSERT INTO security_findings (site_id, project, insecure_since) SELECT id, 'm_0000', created_at FROM sites";
    raw.execute(finding).await;
    assert_eq!(storage.orphans().await.unwrap(), []);
    for (table, column, rows) in [
        ("site_modules", "site_id", 2),
        ("site_modules", "module_id", 2),
        ("site_modules", "version_id", 2),
        ("site_modules", "assessment_id", 2),
        ("module_versions", "module_id", 2),
        ("sites", "core_assessment_id", 1),
        ("change_sets", "site_id", 1),
        ("syncs", "site_id", 1),
        ("security_findings", "site_id", 1),
    ] {
        raw.execute(&format!("UPDATE {table} SET {column} = {column} + 100000")).await;
        let reference = format!("{table}.{column}");
        assert_eq!(storage.orphans().await.unwrap(), [Orphaned { reference, rows }]);
        raw.execute(&format!("UPDATE {table} SET {column} = {column} - 100000")).await;
    }
    assert_eq!(storage.orphans().await.unwrap(), []);
}

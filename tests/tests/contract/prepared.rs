//! Every statement of the storage fits the schema, also those that no other story runs.

use std::fs;
use std::path::{Path, PathBuf};

use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::on_both_backends;

on_both_backends!(every_statement_can_be_prepared);

/// The types of parameters that PostgreSQL cannot tell from the text. The storage sends all types with the values.
const TYPES: [(&str, &str); 14] = [
    ("inventory/sql/site_modules.pg.sql", "(unknown, boolean, text, text)"),
    ("registry/sql/modules.sql", "(unknown, unknown, unknown, text)"),
    ("releases/sql/note_check.sql", "(unknown, unknown, timestamptz)"),
    ("registry/sql/module_sites.sql", "(text, bigint, boolean, bigint, text, text, text, text)"),
    (
        "registry/sql/version_ids_between.sql",
        "(text, bigint, boolean, bigint, text, text, text, text, boolean, boolean)",
    ),
    ("security/sql/fixed_findings.sql", "(unknown, bigint, text, bigint, text)"),
    ("security/sql/project_sites.sql", "(text, text, text, text, text, boolean, bigint, bigint, text)"),
    ("recounts/sql/request_postponed.sql", "(timestamptz)"),
    ("identities/sql/insert_settlement.sql", "(text, bigint, text)"),
    ("security/sql/security_totals.pg.sql", "(bigint, boolean, text)"),
    ("security/sql/security_totals.sqlite.sql", "(bigint, boolean, text)"),
    ("security/sql/security_updates.sql", "(unknown, unknown, bigint, text, boolean, bigint, text, text)"),
    ("security/sql/sites_without_project.sql", "(text, bigint, bigint, text)"),
    (
        "syncs/sql/touch_site.pg.sql",
        "(unknown, unknown, unknown, text, text, unknown, unknown, unknown, unknown, unknown, unknown, unknown, text)",
    ),
];

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// What has the database prepare the statement of a file, and nothing else.
fn prepare(backend: Backend, path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    match backend {
        Backend::Sqlite => format!("EXPLAIN {}", text.replace('$', "?")),
        Backend::Postgres => {
            let types = TYPES.iter().find(|(file, _)| path.ends_with(file)).map_or("", |(_, types)| types);
            format!("PREPARE statement {types} AS {text}; DEALLOCATE statement")
        }
    }
}

// The texts that the storage completes (sites.sql, module_sites.sql, version_ids.sql) are statements as they stand, too.
async fn every_statement_can_be_prepared(database: TestDatabase) {
    database.open().await;
    let (backend, mut raw) = (database.backend(), database.raw().await);
    let of_the_other = match backend {
        Backend::Sqlite => ".pg.sql",
        Backend::Postgres => ".sqlite.sql",
    };
    let mut prepared = 0;
    for path in files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/storage/src")) {
        let name = path.file_name().unwrap().to_string_lossy();
        if name.ends_with(".sql") && !name.ends_with(of_the_other) {
            raw.execute(&prepare(backend, &path)).await;
            let text = std::fs::read_to_string(&path).unwrap();
            // Other JSON is that of each row.
            let given = text.contains("json_each($");
            assert!(!(given && raw.takes_json_apart_in_a_loop(&text)), "{name}: give it a subquery with LIMIT -1");
            prepared += 1;
        }
    }
    assert!(prepared > 100, "the statements were not found");
}

//! How connections to a SQLite file are made.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::result::ConnectionResult;
use diesel::{ConnectionError, SqliteConnection};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use futures::FutureExt;
use tokio::task::spawn_blocking;

use super::super::error::StorageError;
use super::super::options::{StatementObserver, StorageOptions};

/// `synchronous=FULL`: what has been answered survives a power cut. The busy timeout is for other processes; within this
/// one, writers queue.
const PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                       PRAGMA foreign_keys = ON;";

/// Each connection to a database in memory would have a database of its own.
pub(super) fn check_path(path: &str) -> Result<(), StorageError> {
    if path.is_empty() || path.starts_with(':') {
        return Err(StorageError::Url("it names no file; write sqlite://module-monitor.db".to_owned()));
    }
    if path.contains(['?', '#']) {
        return Err(StorageError::Url("a SQLite URL has no parameters; write sqlite://module-monitor.db".to_owned()));
    }
    let folder = Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => {
            Err(StorageError::Url(format!("there is no folder {}; create it first", folder.display())))
        }
        _ => Ok(()),
    }
}

/// Makes the pool's connections.
pub(super) fn manager(
    path: &str,
    options: StorageOptions,
) -> AsyncDieselConnectionManager<SyncConnectionWrapper<SqliteConnection>> {
    let mut manager = ManagerConfig::default();
    manager.custom_setup = Box::new(move |path| {
        let (path, observer) = (path.to_owned(), options.on_statement.clone());
        async {
            let opened = spawn_blocking(move || open(&path, observer)).await;
            opened
                .unwrap_or_else(|panic| Err(ConnectionError::BadConnection(panic.to_string())))
                .map(SyncConnectionWrapper::new)
        }
        .boxed()
    });
    AsyncDieselConnectionManager::new_with_config(path, manager)
}

fn open(path: &str, on_statement: Option<StatementObserver>) -> ConnectionResult<SqliteConnection> {
    // What sites run is nobody else's business. SQLite gives the files beside it the same permissions. Whatever is wrong
    // with the path, SQLite says it better.
    let _ = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut connection = SqliteConnection::establish(path)?;
    connection.batch_execute(PRAGMAS).map_err(ConnectionError::CouldntSetupConfiguration)?;
    if let Some(observe) = on_statement {
        connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                observe(&query);
            }
        });
    }
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use diesel::sql_query;
    use diesel::sql_types::BigInt;

    use super::*;

    #[derive(QueryableByName)]
    struct Number {
        #[diesel(sql_type = BigInt)]
        value: i64,
    }

    #[test]
    fn what_has_been_answered_survives_a_power_cut() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = open(&folder.path().join("test.db").display().to_string(), None).unwrap();
        let mut number = |select: &str| -> i64 {
            sql_query(format!("SELECT {select} AS value")).get_result::<Number>(&mut connection).unwrap().value
        };
        assert_eq!(number("(SELECT journal_mode = 'wal' FROM pragma_journal_mode)"), 1);
        assert_eq!(number("(SELECT synchronous FROM pragma_synchronous)"), 2, "FULL");
        assert_eq!(number("(SELECT foreign_keys FROM pragma_foreign_keys)"), 1);
        assert!(number("(SELECT timeout FROM pragma_busy_timeout)") > 0);
    }

    #[test]
    fn a_file_that_takes_no_writes_is_told_from_a_bug() {
        let folder = tempfile::tempdir().unwrap();
        let open = || open(&folder.path().join("test.db").display().to_string(), None).unwrap();
        let (mut connection, mut other) = (open(), open());
        connection.batch_execute("CREATE TABLE t (x)").unwrap();
        let fill = "INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 99) \
                    SELECT zeroblob(4096) FROM n";
        for (fault, statement) in [
            ("PRAGMA max_page_count = 10", fill),
            ("PRAGMA query_only = ON", "INSERT INTO t VALUES (1)"),
            ("PRAGMA query_only = OFF; PRAGMA busy_timeout = 0", "INSERT INTO t VALUES (1)"),
        ] {
            connection.batch_execute(fault).unwrap();
            if fault.contains("busy") {
                other.batch_execute("BEGIN IMMEDIATE").unwrap();
            }
            let error = StorageError::from(connection.batch_execute(statement).unwrap_err());
            assert!(matches!(error, StorageError::Unwritable(_)), "{fault}: {error:?}");
        }
        let bug = StorageError::from(connection.batch_execute("SELECT nothing").unwrap_err());
        assert!(matches!(bug, StorageError::Database(_)), "{bug:?}");
    }

    #[test]
    fn nobody_else_may_read_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = open(&folder.path().join("test.db").display().to_string(), None).unwrap();
        connection.batch_execute("CREATE TABLE t (x)").unwrap();
        let mut files: Vec<(String, u32)> = fs::read_dir(folder.path())
            .unwrap()
            .map(|file| file.unwrap())
            .map(|file| (file.file_name().into_string().unwrap(), file.metadata().unwrap().mode() & 0o777))
            .collect();
        files.sort();
        assert_eq!(files, ["test.db", "test.db-shm", "test.db-wal"].map(|name| (name.to_owned(), 0o600)));
    }

    #[test]
    fn urls_that_cannot_work_are_refused() {
        for bad in ["", ":memory:", "file.db?mode=ro", "/no/such/folder/file.db"] {
            assert!(matches!(check_path(bad), Err(StorageError::Url(_))), "{bad}");
        }
        assert!(check_path("file.db").is_ok());
    }
}

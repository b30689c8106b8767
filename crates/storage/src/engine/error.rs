//! The one error of both backends.

use std::error::Error as StdError;
use std::time::Duration;

/// Why a unit of work did not succeed. Whatever the kind, nothing of the unit was stored, except that after
/// [`StorageError::ConnectionLost`] the commit may have arrived.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// No connection could be had within the checkout timeout.
    #[error("the database cannot be reached")]
    Unavailable(#[source] BoxError),
    /// The connection broke while the unit of work was running.
    #[error("the connection to the database was lost")]
    ConnectionLost(#[source] BoxError),
    /// The database answers, but takes no writes at the moment: it only reads (a standby, a file without permission), has no
    /// room left, or another process holds its lock.
    #[error("the database cannot write at the moment")]
    Unwritable(#[source] BoxError),
    /// Another transaction was in the way: serialization failure, deadlock or lock timeout.
    #[error("another transaction was in the way")]
    Contention(#[source] BoxError),
    /// A row with the same key is there already.
    #[error("a row with this key exists already")]
    Duplicate(#[source] BoxError),
    /// A row refers to one that is not there.
    #[error("a row refers to another that does not exist")]
    MissingReference(#[source] BoxError),
    /// The database URL cannot be used; the text says why and what to write instead.
    #[error("the database URL cannot be used: {0}")]
    Url(String),
    /// The migrations could not be run.
    #[error("the database could not be migrated")]
    Migration(#[source] BoxError),
    /// The schema is not there, or older than this program.
    #[error(
        "the database is not migrated: its newest migration is {found}, {needed} is needed; run module-monitor migrate"
    )]
    NotMigrated {
        /// The newest migration that was run, or `none`.
        found: String,
        /// The one that this program needs.
        needed: &'static str,
    },
    /// Another process holds the migration lock, and has done so for as long as there was time to wait.
    #[error(
        "another process has been migrating the database for {0:?}; wait for it, or end its session if it hangs: \
         pg_stat_activity shows the one in a transaction with an advisory lock"
    )]
    MigrationLocked(Duration),
    /// A pooler between this program and PostgreSQL gives it sessions in which its prepared statements are not.
    #[error(
        "a connection pooler loses prepared statements: use PgBouncer 1.21 or later with max_prepared_statements = 500, or \
         pool_mode = session"
    )]
    Pooler(#[source] BoxError),
    /// The database was made by another text of the schema, which was changed until its first release.
    #[error(
        "the database was made by a program of before the first release, whose schema is another, and cannot be brought \
         up to date: give a new file or an empty database and register the sites anew, or run the program that made it"
    )]
    AnotherSchema,
    /// The database holds something that this version cannot have written.
    #[error("the database holds an unreadable {what}: {value:?}")]
    Corrupt {
        /// What kind of value it should be.
        what: &'static str,
        /// What was found.
        value: String,
    },
    /// Anything else: a bug, or a database in trouble.
    #[error("the database refused a statement")]
    Database(#[source] BoxError),
}

type BoxError = Box<dyn StdError + Send + Sync>;

impl StorageError {
    /// Whether running the same unit of work again may succeed by itself.
    pub fn is_transient(&self) -> bool {
        self.is_outage() || matches!(self, Self::Contention(_))
    }

    /// Whether the database as a whole cannot be used at the moment, and not only this unit of work.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::ConnectionLost(_) | Self::Unwritable(_))
    }

    pub(crate) fn corrupt(what: &'static str, value: impl ToString) -> Self {
        Self::Corrupt { what, value: value.to_string() }
    }
}

impl From<diesel::result::Error> for StorageError {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::{DatabaseErrorKind as Kind, Error};
        let Error::DatabaseError(kind, info) = &error else {
            return Self::Database(error.into());
        };
        match kind {
            Kind::UniqueViolation => Self::Duplicate(error.into()),
            Kind::ForeignKeyViolation => Self::MissingReference(error.into()),
            Kind::SerializationFailure => Self::Contention(error.into()),
            Kind::ClosedConnection | Kind::UnableToSendCommand => Self::ConnectionLost(error.into()),
            Kind::ReadOnlyTransaction => Self::Unwritable(error.into()),
            _ => match Trouble::told_by(info.message()) {
                Some(Trouble::Contention) => Self::Contention(error.into()),
                Some(Trouble::Lost) => Self::ConnectionLost(error.into()),
                Some(Trouble::Unwritable) => Self::Unwritable(error.into()),
                None if loses_statements(info.message()) => Self::Pooler(error.into()),
                None => Self::Database(error.into()),
            },
        }
    }
}

/// 26000 and 42P05: within one session neither happens.
fn loses_statements(message: &str) -> bool {
    message.starts_with("prepared statement \"")
        && (message.ends_with("does not exist") || message.ends_with("already exists"))
}

/// What Diesel has no kind of its own for, and hands on without the SQLSTATE: there is only the database's text, which
/// is why connections ask PostgreSQL for English.
#[derive(Clone, Copy)]
enum Trouble {
    Contention,
    Lost,
    Unwritable,
}

impl Trouble {
    /// Parts of texts of PostgreSQL (with its SQLSTATE) and SQLite.
    const TEXTS: &[(&str, Self)] = &[
        ("deadlock detected", Self::Contention),        // 40P01
        ("due to lock timeout", Self::Contention),      // 55P03
        ("due to statement timeout", Self::Contention), // 57014
        ("database table is locked", Self::Contention), // SQLITE_LOCKED
        ("terminating connection", Self::Lost),         // 57P01, 57P02, 25P03
        ("the database system is", Self::Lost),         // 57P03
        ("server closed the connection", Self::Lost),
        ("no more connections allowed", Self::Lost),    // 08P01, PgBouncer
        ("No space left on device", Self::Unwritable),  // 53100
        ("Disk quota exceeded", Self::Unwritable),      // 53100
        ("out of memory", Self::Unwritable),            // 53200, SQLITE_NOMEM
        ("database or disk is full", Self::Unwritable), // SQLITE_FULL
        ("attempt to write a readonly database", Self::Unwritable), // SQLITE_READONLY
        ("unable to open database file", Self::Unwritable), // SQLITE_CANTOPEN, for the file beside the database
        ("disk I/O error", Self::Unwritable),           // SQLITE_IOERR
        // SQLite's writers within this process queue, so it is another one, and has held the lock for the whole wait.
        ("database is locked", Self::Unwritable), // SQLITE_BUSY
    ];

    fn told_by(message: &str) -> Option<Self> {
        Self::TEXTS.iter().find(|(text, _)| message.contains(text)).map(|(_, trouble)| *trouble)
    }
}

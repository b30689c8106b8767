//! The one error of both backends.

use std::error::Error as StdError;

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
    /// Another transaction was in the way: serialization failure, deadlock, lock timeout or busy file.
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
        matches!(self, Self::Unavailable(_) | Self::ConnectionLost(_) | Self::Contention(_))
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
            _ if is_contention(info.message()) => Self::Contention(error.into()),
            _ if is_shutdown(info.message()) => Self::ConnectionLost(error.into()),
            _ => Self::Database(error.into()),
        }
    }
}

/// Diesel has no kind of its own for these, only the database's words.
fn is_contention(message: &str) -> bool {
    ["deadlock detected", "database is locked", "database table is locked", "due to lock timeout"]
        .iter()
        .any(|words| message.contains(words))
}

/// What PostgreSQL says while it stops or starts.
fn is_shutdown(message: &str) -> bool {
    ["terminating connection", "the database system is", "server closed the connection"]
        .iter()
        .any(|words| message.contains(words))
}

impl From<bb8::RunError<diesel_async::pooled_connection::PoolError>> for StorageError {
    fn from(error: bb8::RunError<diesel_async::pooled_connection::PoolError>) -> Self {
        Self::Unavailable(error.into())
    }
}

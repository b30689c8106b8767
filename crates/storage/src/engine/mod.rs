//! How statements reach a database. Knows no table of the areas beside it.
//!
//! A unit of work is written once, against [`transaction::Transaction`]. What differs between PostgreSQL and SQLite is a
//! pair of texts behind one name ([`statement`]), or one of the two constants of a transaction.

pub(crate) mod batch;
pub(crate) mod error;
pub(crate) mod migrations;
pub(crate) mod options;
mod pool;
pub(crate) mod postgres;
pub(crate) mod read;
mod runtime;
pub(crate) mod sql_types;
pub(crate) mod sqlite;
pub(crate) mod statement;
#[cfg(test)]
mod statement_files;
pub(crate) mod transaction;

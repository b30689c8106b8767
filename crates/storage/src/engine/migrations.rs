//! The schema, embedded in the program.

use std::error::Error;

use diesel::migration::MigrationVersion;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::{AnsiTransactionManager, AsyncMigrationHarness, AsyncPgConnection, TransactionManager};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use sha2::{Digest, Sha256};

use super::error::StorageError;
use super::read::CountRow;
use super::statement::{Portable, Sql, statement};
use super::transaction::{Backend, Transaction, at_once};

const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// The text of the first migration. Until the schema is frozen, it changes.
const POSTGRES_TEXT: &str = include_str!("../../../../migrations/postgres/2026-11-25-000001_schema/up.sql");
const SQLITE_TEXT: &str = include_str!("../../../../migrations/sqlite/2026-11-25-000001_schema/up.sql");

/// The first and the newest migration of this program, as Diesel records them.
const FIRST: &str = "20261125000001";
const LATEST: &str = "20261125000001";

#[derive(QueryableByName)]
struct VersionRow {
    #[diesel(sql_type = Text)]
    version: String,
}

#[derive(QueryableByName)]
struct HashRow {
    #[diesel(sql_type = Text)]
    hash: String,
}

/// A hash of the schema's text, as it is kept in the database that was made by it.
fn hash_of(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn versions() -> Sql<impl Portable> {
    statement!("migration_versions")
}

fn has_migrations() -> Sql<impl Portable> {
    statement!(pair "has_migrations")
}

fn schema_text() -> Sql<impl Portable> {
    statement!("schema_text")
}

fn write_probe() -> Sql<impl Portable> {
    statement!("write_probe")
}

fn insert_schema_text(text: &str) -> Sql<impl Portable + use<>> {
    statement!("insert_schema_text").bind::<Text, _>(hash_of(text))
}

/// Runs what is pending in the transaction of the connection, which has the lock, and ends it.
pub(crate) async fn run_postgres(connection: AsyncPgConnection) -> Result<usize, StorageError> {
    // The harness blocks its thread.
    let migrated = tokio::task::spawn_blocking(move || {
        let mut harness = AsyncMigrationHarness::new(connection);
        let ran = run(&mut harness, POSTGRES)?;
        Ok((ran, harness.into_inner()))
    });
    let (ran, mut connection) = migrated.await.unwrap_or_else(|panic| Err(StorageError::Migration(panic.into())))?;
    keep_text(&mut connection, POSTGRES_TEXT).await?;
    AnsiTransactionManager::commit_transaction(&mut connection).await?;
    Ok(ran)
}

/// Runs what is pending, within a transaction.
pub(crate) fn run_sqlite(connection: &mut SqliteConnection) -> Result<usize, StorageError> {
    let ran = run(connection, SQLITE)?;
    at_once(keep_text(connection, SQLITE_TEXT))?;
    Ok(ran)
}

fn run<DB: diesel::backend::Backend>(
    harness: &mut impl MigrationHarness<DB>,
    migrations: EmbeddedMigrations,
) -> Result<usize, StorageError> {
    let applied = harness.applied_migrations().map_err(failed)?;
    if applied.iter().any(|version: &MigrationVersion<'_>| version.to_string().as_str() < FIRST) {
        return Err(StorageError::AnotherSchema);
    }
    harness.run_pending_migrations(migrations).map(|versions| versions.len()).map_err(failed)
}

/// Why the migrations were not run: for a reason that may pass, or because they cannot be.
fn failed(error: Box<dyn Error + Send + Sync>) -> StorageError {
    match error.downcast::<diesel::result::Error>().map(|error| StorageError::from(*error)) {
        Ok(error) if error.is_transient() => error,
        Ok(error) => StorageError::Migration(error.into()),
        Err(error) => StorageError::Migration(error),
    }
}

/// Keeps the hash of the text that made the database, or compares it with the one that did.
async fn keep_text<T: Transaction>(transaction: &mut T, text: &str) -> Result<(), StorageError> {
    transaction.execute(insert_schema_text(text)).await?;
    compare(transaction.first::<HashRow>(schema_text()).await?, text)
}

fn compare(stored: Option<HashRow>, text: &str) -> Result<(), StorageError> {
    if stored.is_some_and(|row| row.hash == hash_of(text)) {
        return Ok(());
    }
    Err(StorageError::AnotherSchema)
}

/// Whether a database has everything this program needs. A newer one does: nodes are updated one after the other.
pub(crate) async fn check(backend: &impl Backend) -> Result<(), StorageError> {
    let versions = match backend.rows::<VersionRow>(versions()).await {
        Err(StorageError::Database(_)) if !is_begun(backend).await? => Vec::new(),
        versions => versions?,
    };
    if versions.first().is_some_and(|oldest| oldest.version.as_str() < FIRST) {
        return Err(StorageError::AnotherSchema);
    }
    let newest = versions.last().map(|row| row.version.as_str());
    if newest.is_none_or(|newest| newest < LATEST) {
        let found = newest.unwrap_or("none").to_owned();
        return Err(StorageError::NotMigrated { found, needed: LATEST });
    }
    let text = if backend.name() == "postgres" { POSTGRES_TEXT } else { SQLITE_TEXT };
    compare(backend.first::<HashRow>(schema_text()).await?, text)
}

/// Whether any migration was ever run.
async fn is_begun(backend: &impl Backend) -> Result<bool, StorageError> {
    Ok(backend.first::<CountRow>(has_migrations()).await?.is_some_and(|row| row.count > 0))
}

/// Whether a database that has everything also takes a write.
pub(crate) async fn check_writes(backend: &impl Backend) -> Result<(), StorageError> {
    check(backend).await?;
    backend.execute(write_probe()).await.map(drop)
}

#[cfg(test)]
mod tests {
    use diesel::migration::{Migration, MigrationSource};
    use diesel::pg::Pg;
    use diesel::sqlite::Sqlite;

    use super::*;

    #[test]
    fn both_backends_have_the_first_and_end_at_the_latest_migration() {
        let postgres: Vec<Box<dyn Migration<Pg>>> = POSTGRES.migrations().unwrap();
        let sqlite: Vec<Box<dyn Migration<Sqlite>>> = SQLITE.migrations().unwrap();
        let ends = |names: Vec<String>| (names.iter().min().cloned().unwrap(), names.into_iter().max().unwrap());
        let expected = (FIRST.to_owned(), LATEST.to_owned());
        assert_eq!(ends(postgres.iter().map(|m| m.name().version().to_string()).collect()), expected);
        assert_eq!(ends(sqlite.iter().map(|m| m.name().version().to_string()).collect()), expected);
    }
}

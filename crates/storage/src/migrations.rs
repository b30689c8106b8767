//! The schema's migrations, embedded in the program.

use std::error::Error;

use diesel::migration::MigrationVersion;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use crate::StorageError;

pub(crate) const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");
pub(crate) const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// The newest migration of this program, as Diesel records it.
const LATEST: &str = "20261123000004";

/// How many migrations were run.
pub(crate) fn ran(
    result: Result<Vec<MigrationVersion<'_>>, Box<dyn Error + Send + Sync>>,
) -> Result<usize, StorageError> {
    result.map(|versions| versions.len()).map_err(StorageError::Migration)
}

/// Whether a database whose newest migration is `version` (`None`: it has none) has everything this program needs. A newer one does: nodes
/// are updated one after the other.
pub(crate) fn check_version(version: Option<String>) -> Result<(), StorageError> {
    if version.as_deref().is_some_and(|version| version >= LATEST) {
        return Ok(());
    }
    let found = version.unwrap_or_else(|| "none".to_owned());
    let missing = format!("its newest migration is {found}, {LATEST} is needed: run module-monitor migrate");
    Err(StorageError::Migration(missing.into()))
}

#[cfg(test)]
mod tests {
    use diesel::migration::{Migration, MigrationSource};
    use diesel::pg::Pg;
    use diesel::sqlite::Sqlite;

    use super::*;

    #[test]
    fn both_backends_end_at_the_latest_migration() {
        let postgres: Vec<Box<dyn Migration<Pg>>> = POSTGRES.migrations().unwrap();
        let sqlite: Vec<Box<dyn Migration<Sqlite>>> = SQLITE.migrations().unwrap();
        let last = |names: Vec<String>| names.into_iter().max().unwrap();
        assert_eq!(last(postgres.iter().map(|m| m.name().version().to_string()).collect()), LATEST);
        assert_eq!(last(sqlite.iter().map(|m| m.name().version().to_string()).collect()), LATEST);
    }
}

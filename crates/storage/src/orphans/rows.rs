//! What the statement that finds orphans answers.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};

use super::Orphaned;

#[derive(QueryableByName)]
pub(super) struct OrphanedRow {
    #[diesel(sql_type = Text)]
    reference: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

impl From<OrphanedRow> for Orphaned {
    fn from(row: OrphanedRow) -> Self {
        Self { reference: row.reference, rows: u64::try_from(row.count).unwrap_or_default() }
    }
}

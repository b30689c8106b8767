//! Rows of the audit log, and of the list of migrations.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use module_monitor_domain::{SecurityCounts, SiteId, SyncCounts, SyncId, SyncOutcome};

use super::SecurityRow;
use super::{moment, read_json};
use crate::sql_types::{At, DbId, Id, Moment};
use crate::{AppliedSync, StorageError, SyncOrigin};

/// An applied sync in the audit log.
#[derive(QueryableByName)]
pub(crate) struct AuditRow {
    #[diesel(sql_type = Id)]
    id: DbId,
    #[diesel(sql_type = Id)]
    site_id: DbId,
    #[diesel(sql_type = Nullable<Text>)]
    key_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    client_address: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    body_bytes: Option<i64>,
    #[diesel(sql_type = Moment)]
    received_at: At,
    #[diesel(sql_type = Integer)]
    processed_count: i32,
    #[diesel(sql_type = Integer)]
    new_modules: i32,
    #[diesel(sql_type = Integer)]
    updated_modules: i32,
    #[diesel(sql_type = Integer)]
    removed_modules: i32,
    #[diesel(embed)]
    security: SecurityRow,
    #[diesel(sql_type = Nullable<Moment>)]
    security_data_as_of: Option<At>,
    #[diesel(sql_type = Text)]
    warnings: String,
    #[diesel(sql_type = Text)]
    rejected: String,
    #[diesel(sql_type = Moment)]
    next_sync_after: At,
    #[diesel(sql_type = BigInt)]
    processing_time_ms: i64,
}

impl TryFrom<AuditRow> for AppliedSync {
    type Error = StorageError;

    fn try_from(row: AuditRow) -> Result<Self, StorageError> {
        let count = |n: i32| usize::try_from(n).map_err(|_| StorageError::corrupt("count", n));
        let counts = SyncCounts {
            processed: count(row.processed_count)?,
            new: count(row.new_modules)?,
            updated: count(row.updated_modules)?,
            removed: count(row.removed_modules)?,
        };
        let outcome = SyncOutcome {
            sync_id: SyncId(row.id.0),
            site_id: SiteId(row.site_id.0),
            counts,
            security: SecurityCounts { data_as_of: moment(row.security_data_as_of), ..row.security.into() },
            warnings: read_json("list of warnings", &row.warnings)?,
            rejected: read_json("list of rejections", &row.rejected)?,
            next_sync_after: row.next_sync_after.0,
            processing_time_ms: row.processing_time_ms,
        };
        let origin = SyncOrigin { key_id: row.key_id, client_address: row.client_address, body_bytes: row.body_bytes };
        Ok(Self { outcome, received_at: row.received_at.0, origin })
    }
}

/// The newest migration that has been run.
#[derive(QueryableByName)]
pub(crate) struct MigrationRow {
    #[diesel(sql_type = Text)]
    pub(crate) version: String,
}

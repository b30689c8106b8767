//! Rows of applied syncs.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
use module_monitor_domain::{SiteId, SyncCounts, SyncId, SyncOutcome};

use super::command::SyncOrigin;
use super::result::AppliedSync;
use crate::engine::error::StorageError;
use crate::engine::read::read_json;
use crate::engine::sql_types::{At, DbId, Id, Moment};
use crate::sites::rows::SecurityRow;

/// An applied sync in the audit log.
#[derive(QueryableByName)]
pub(super) struct AuditRow {
    #[diesel(sql_type = Id)]
    id: DbId,
    #[diesel(sql_type = BigInt)]
    site_id: i64,
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
        let counts = SyncCounts {
            processed: count(row.processed_count)?,
            new: count(row.new_modules)?,
            updated: count(row.updated_modules)?,
            removed: count(row.removed_modules)?,
        };
        let outcome = SyncOutcome {
            sync_id: SyncId(row.id.0),
            site_id: SiteId(row.site_id),
            counts,
            security: row.security.try_into()?,
            warnings: read_json("list of warnings", &row.warnings)?,
            rejected: read_json("list of rejections", &row.rejected)?,
            next_sync_after: row.next_sync_after.0,
            processing_time_ms: row.processing_time_ms,
        };
        let origin = SyncOrigin { key_id: row.key_id, client_address: row.client_address, body_bytes: row.body_bytes };
        Ok(Self { outcome, received_at: row.received_at.0, origin })
    }
}

/// What an unchanged report finds of its site.
#[derive(QueryableByName)]
pub(super) struct TouchedRow {
    #[diesel(sql_type = Integer)]
    processed_count: i32,
    #[diesel(embed)]
    pub(super) security: SecurityRow,
    /// Whether somebody is still to be told.
    #[diesel(sql_type = Bool)]
    pub(super) wanted: bool,
}

impl TouchedRow {
    /// What the site has.
    pub(super) fn counts(&self) -> Result<SyncCounts, StorageError> {
        Ok(SyncCounts { processed: count(self.processed_count)?, ..SyncCounts::default() })
    }
}

fn count(n: i32) -> Result<usize, StorageError> {
    usize::try_from(n).map_err(|_| StorageError::corrupt("count", n))
}

/// The sync that an idempotency key stands for.
#[derive(QueryableByName)]
pub(super) struct IdempotencyRow {
    #[diesel(sql_type = Binary)]
    pub(super) body_hash: Vec<u8>,
    #[diesel(sql_type = Id)]
    sync_id: DbId,
}

impl IdempotencyRow {
    pub(super) fn sync_id(&self) -> SyncId {
        SyncId(self.sync_id.0)
    }
}

/// How many bytes a site has used of a bound.
#[derive(QueryableByName)]
pub(super) struct UsedRow {
    #[diesel(sql_type = BigInt)]
    pub(super) bytes: i64,
}

/// The newest sync of which nothing is to be kept, and the bytes of what is newer.
#[derive(QueryableByName)]
pub(super) struct TrimmedRow {
    #[diesel(sql_type = Id)]
    pub(super) id: DbId,
    #[diesel(sql_type = BigInt)]
    pub(super) kept: i64,
}

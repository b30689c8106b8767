//! Rows of the audit log, and of the list of migrations.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
use module_monitor_domain::{SiteId, SyncCounts, SyncId, SyncOutcome};

use super::SecurityRow;
use super::read_json;
use crate::sql_types::{At, DbId, Id, Moment};
use crate::{AdminEvent, AppliedSync, Rejections, StorageError, SyncOrigin};

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
            security: row.security.into(),
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

/// Refused syncs in the audit log.
#[derive(QueryableByName)]
pub(crate) struct RejectedRow {
    #[diesel(sql_type = Id)]
    id: DbId,
    #[diesel(sql_type = Id)]
    site_id: DbId,
    #[diesel(sql_type = Text)]
    key_id: String,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
    #[diesel(sql_type = Moment)]
    first_at: At,
    #[diesel(sql_type = Moment)]
    last_at: At,
    #[diesel(sql_type = Nullable<Text>)]
    client_address: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    body_bytes: Option<i64>,
}

impl TryFrom<RejectedRow> for Rejections {
    type Error = StorageError;

    fn try_from(row: RejectedRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.id.0,
            site_id: SiteId(row.site_id.0),
            key_id: row.key_id,
            reason: row.reason,
            count: row.count,
            first_at: row.first_at.0,
            last_at: row.last_at.0,
            client_address: row.client_address,
            body_bytes: row.body_bytes,
        })
    }
}

/// The sync that an idempotency key stands for.
#[derive(QueryableByName)]
pub(crate) struct IdempotencyRow {
    #[diesel(sql_type = Binary)]
    pub(crate) body_hash: Vec<u8>,
    #[diesel(sql_type = Id)]
    sync_id: DbId,
}

impl IdempotencyRow {
    pub(crate) fn sync_id(&self) -> SyncId {
        SyncId(self.sync_id.0)
    }
}

/// What an administrator did.
#[derive(QueryableByName)]
pub(crate) struct AdminEventRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Moment)]
    at: At,
    #[diesel(sql_type = Text)]
    actor: String,
    #[diesel(sql_type = Text)]
    action: String,
    #[diesel(sql_type = Nullable<Id>)]
    site_id: Option<DbId>,
    #[diesel(sql_type = Text)]
    target: String,
    #[diesel(sql_type = Nullable<Text>)]
    detail: Option<String>,
}

impl TryFrom<AdminEventRow> for AdminEvent {
    type Error = StorageError;

    fn try_from(row: AdminEventRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.id,
            at: row.at.0,
            actor: row.actor,
            action: row.action,
            site_id: row.site_id.map(|id| SiteId(id.0)),
            target: row.target,
            detail: row.detail,
        })
    }
}

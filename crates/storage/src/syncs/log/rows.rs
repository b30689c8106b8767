//! Rows of refused syncs.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use module_monitor_domain::SiteId;

use super::Rejections;
use crate::engine::error::StorageError;
use crate::engine::sql_types::{At, DbId, Id, Moment};

/// Refused syncs in the audit log.
#[derive(QueryableByName)]
pub(super) struct RejectedRow {
    #[diesel(sql_type = Id)]
    id: DbId,
    #[diesel(sql_type = BigInt)]
    site_id: i64,
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
            site_id: SiteId(row.site_id),
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

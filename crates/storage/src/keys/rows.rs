//! Rows of keys.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
use module_monitor_domain::SiteId;

use super::{ApiKey, KeyGrant};
use crate::engine::error::StorageError;
use crate::engine::read::{moment, read};
use crate::engine::sql_types::{At, Moment};

#[derive(QueryableByName)]
pub(super) struct KeyRow {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    site_id: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Moment)]
    created_at: At,
    #[diesel(sql_type = Nullable<Moment>)]
    last_used_at: Option<At>,
    #[diesel(sql_type = Nullable<Moment>)]
    expires_at: Option<At>,
    #[diesel(sql_type = Nullable<Moment>)]
    revoked_at: Option<At>,
}

impl TryFrom<KeyRow> for ApiKey {
    type Error = StorageError;

    fn try_from(row: KeyRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.id,
            site_id: row.site_id.map(SiteId),
            name: row.name,
            created_at: row.created_at.0,
            last_used_at: moment(row.last_used_at),
            expires_at: moment(row.expires_at),
            revoked_at: moment(row.revoked_at),
        })
    }
}

#[derive(QueryableByName)]
pub(super) struct GrantRow {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Binary)]
    secret_hash: Vec<u8>,
    #[diesel(sql_type = Nullable<BigInt>)]
    site_id: Option<i64>,
    #[diesel(sql_type = Nullable<Moment>)]
    expires_at: Option<At>,
    #[diesel(sql_type = Nullable<Moment>)]
    revoked_at: Option<At>,
    #[diesel(sql_type = Bool)]
    site_active: bool,
    #[diesel(sql_type = Nullable<Integer>)]
    rate_limit: Option<i32>,
}

impl TryFrom<GrantRow> for KeyGrant {
    type Error = StorageError;

    fn try_from(row: GrantRow) -> Result<Self, StorageError> {
        let hash = <[u8; 32]>::try_from(row.secret_hash.as_slice()).ok();
        Ok(Self {
            secret_hash: read("secret hash", &row.id, hash)?,
            id: row.id,
            site_id: row.site_id.map(SiteId),
            expires_at: moment(row.expires_at),
            revoked_at: moment(row.revoked_at),
            site_active: row.site_active,
            rate_limit: row.rate_limit.and_then(|limit| u32::try_from(limit).ok()),
        })
    }
}

/// The number that grows with every change of a key.
#[derive(QueryableByName)]
pub(super) struct RevisionRow {
    #[diesel(sql_type = BigInt)]
    pub(super) revision: i64,
}

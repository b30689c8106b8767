//! Rows of the administrators' log.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use module_monitor_domain::{AdminAction, SiteId};

use super::AdminEvent;
use crate::engine::error::StorageError;
use crate::engine::read::read;
use crate::engine::sql_types::{At, Moment};

/// What an administrator did.
#[derive(QueryableByName)]
pub(super) struct AdminEventRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Moment)]
    at: At,
    #[diesel(sql_type = Text)]
    actor: String,
    #[diesel(sql_type = Text)]
    action: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    site_id: Option<i64>,
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
            action: read("administrator's action", &row.action, AdminAction::from_name(&row.action))?,
            site_id: row.site_id.map(SiteId),
            target: row.target,
            detail: row.detail,
        })
    }
}

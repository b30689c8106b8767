//! Batches of refused syncs and of used keys.

use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::json;

use super::bulk::Written;
use crate::sql_types::At;
use crate::statement::sql;
use crate::sync_writes::minute_of;
use crate::{KeyUse, Rejections};

pub(super) fn write_rejections(connection: &mut SqliteConnection, rows: &[Rejections]) -> Written {
    let row = |r: &Rejections| {
        json!({
            "id": r.id.simple().to_string(),
            "site_id": r.site_id.0.simple().to_string(),
            "key_id": r.key_id,
            "reason": r.reason,
            "minute": At(minute_of(r.first_at)).micros(),
            "count": r.count,
            "first_at": At(r.first_at).micros(),
            "last_at": At(r.last_at).micros(),
            "client_address": r.client_address,
            "body_bytes": r.body_bytes,
        })
    };
    let rows = rows.iter().map(row).collect::<serde_json::Value>().to_string();
    sql(include_str!("sql/add_refusals.sql")).bind::<Text, _>(&rows).execute(connection)?;
    sql(include_str!("sql/write_rejected_syncs.sql")).bind::<Text, _>(&rows).execute(connection)?;
    Ok(())
}

pub(super) fn write_key_uses(connection: &mut SqliteConnection, uses: &[KeyUse]) -> Written {
    let uses: serde_json::Value = uses.iter().map(|u| json!({ "id": u.id, "at": At(u.at).micros() })).collect();
    sql(include_str!("sql/mark_keys_used.sql")).bind::<Text, _>(uses.to_string()).execute(connection)?;
    Ok(())
}

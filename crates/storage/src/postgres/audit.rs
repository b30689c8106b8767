//! Batches of refused syncs and of used keys.

use diesel::sql_types::{Array, BigInt, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::bulk::{Written, column};
use crate::sql_types::{At, DbId, Id, Moment};
use crate::statement::sql;
use crate::sync_writes::minute_of;
use crate::{KeyUse, Rejections};

/// In the order of the unique key, so that nodes which write at once wait for each other in one order. The sites are
/// locked first: what counts against one must be seen against its last applied report.
pub(super) async fn write_rejections(connection: &mut AsyncPgConnection, mut rows: Vec<Rejections>) -> Written {
    let key = |r: &Rejections| (r.site_id, r.key_id.clone(), r.reason.clone(), minute_of(r.first_at));
    rows.sort_by_cached_key(key);
    sql(include_str!("sql/lock_sites.sql"))
        .bind::<Array<Id>, _>(column(&rows, |r| DbId::from(r.site_id)))
        .execute(connection)
        .await?;
    sql(include_str!("sql/add_refusals.sql"))
        .bind::<Array<Id>, _>(column(&rows, |r| DbId::from(r.site_id)))
        .bind::<Array<Text>, _>(column(&rows, |r| r.reason.as_str()))
        .bind::<Array<BigInt>, _>(column(&rows, |r| r.count))
        .bind::<Array<Moment>, _>(column(&rows, |r| At(r.first_at)))
        .bind::<Array<Moment>, _>(column(&rows, |r| At(r.last_at)))
        .execute(connection)
        .await?;
    sql(include_str!("sql/write_rejected_syncs.sql"))
        .bind::<Array<Id>, _>(column(&rows, |r| DbId(r.id)))
        .bind::<Array<Id>, _>(column(&rows, |r| DbId::from(r.site_id)))
        .bind::<Array<Text>, _>(column(&rows, |r| r.key_id.as_str()))
        .bind::<Array<Text>, _>(column(&rows, |r| r.reason.as_str()))
        .bind::<Array<Moment>, _>(column(&rows, |r| At(minute_of(r.first_at))))
        .bind::<Array<BigInt>, _>(column(&rows, |r| r.count))
        .bind::<Array<Moment>, _>(column(&rows, |r| At(r.first_at)))
        .bind::<Array<Moment>, _>(column(&rows, |r| At(r.last_at)))
        .bind::<Array<Nullable<Text>>, _>(column(&rows, |r| r.client_address.as_deref()))
        .bind::<Array<Nullable<BigInt>>, _>(column(&rows, |r| r.body_bytes))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn write_key_uses(connection: &mut AsyncPgConnection, mut uses: Vec<KeyUse>) -> Written {
    uses.sort_by(|a, b| a.id.cmp(&b.id));
    sql(include_str!("sql/mark_keys_used.sql"))
        .bind::<Array<Text>, _>(column(&uses, |u| u.id.as_str()))
        .bind::<Array<Moment>, _>(column(&uses, |u| At(u.at)))
        .execute(connection)
        .await?;
    Ok(())
}

//! The statements of the audit log.

use diesel::sql_types::{self, BigInt};
use module_monitor_domain::{SiteId, WebhookEvent};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::Rejections;
use crate::engine::batch::Batch;
use crate::engine::sql_types::{At, DbId, Id};
use crate::engine::statement::{BoxedSql, Portable, Sql, Text, statement};
use crate::page::Page;
use crate::retention::statements::{beyond, older, with_more_than};
use crate::retention::trim::Trim;

pub(super) fn syncs(site: SiteId, page: &Page<Uuid>) -> Sql<impl Portable + use<>> {
    before(statement!("syncs_before").cut(), site, page)
}

pub(super) fn rejected_syncs(site: SiteId, page: &Page<Uuid>) -> Sql<impl Portable + use<>> {
    before(statement!("rejected_syncs_before"), site, page)
}

fn before(statement: Sql<Text>, site: SiteId, page: &Page<Uuid>) -> Sql<impl Portable + use<>> {
    statement
        .bind::<BigInt, _>(site.0)
        .bind::<Id, _>(DbId(page.after.unwrap_or(Uuid::max())))
        .bind::<BigInt, _>(page.rows())
}

pub(crate) fn prune_idempotency_keys(before: OffsetDateTime, batch: usize) -> BoxedSql {
    older(statement!("prune_idempotency_keys"), before, batch)
}

pub(crate) fn prune_rejected_syncs(before: OffsetDateTime, batch: usize) -> BoxedSql {
    older(statement!("prune_rejected_syncs"), before, batch)
}

pub(crate) fn prune_syncs(before: OffsetDateTime, batch: usize) -> BoxedSql {
    older(statement!("prune_syncs"), before, batch)
}

/// Bounds the refused syncs of a site.
pub(crate) const TRIM: Trim = Trim {
    sites: |most| with_more_than(statement!("sites_with_many_refusals"), most),
    delete: |site, most, batch| beyond(statement!("trim_rejected_syncs"), site, most, batch),
};

/// Counts refused syncs on their sites, where they came after the last applied report.
pub(super) fn add_refusals(rows: &[Rejections]) -> Sql<impl Portable> {
    statement!(pair "add_refusals").bind_rows(
        Batch::of(rows)
            .column("site_id", |r| r.site_id.0)
            .column("reason", |r| r.reason.as_str())
            .column("count", |r| r.count)
            .column("first_at", |r| At(r.first_at))
            .column("last_at", |r| At(r.last_at)),
    )
}

/// Tells whoever wants to know of refused syncs; to be run before [`write_rejected_syncs`].
pub(super) fn tell_refusals(rows: &[Rejections]) -> Sql<impl Portable> {
    statement!(pair "tell_refusals").bind::<sql_types::Text, _>(WebhookEvent::SyncFailed.as_str()).bind_rows(
        Batch::of(rows)
            .column("site_id", |r| r.site_id.0)
            .column("key_id", |r| r.key_id.as_str())
            .column("reason", |r| r.reason.as_str())
            .column("minute", |r| At(minute_of(r.first_at)))
            .column("first_at", |r| At(r.first_at)),
    )
}

pub(super) fn write_rejected_syncs(rows: &[Rejections]) -> Sql<impl Portable> {
    statement!(pair "write_rejected_syncs").bind_rows(
        Batch::of(rows)
            .column("id", |r| DbId(r.id))
            .column("site_id", |r| r.site_id.0)
            .column("key_id", |r| r.key_id.as_str())
            .column("reason", |r| r.reason.as_str())
            .column("minute", |r| At(minute_of(r.first_at)))
            .column("count", |r| r.count)
            .column("first_at", |r| At(r.first_at))
            .column("last_at", |r| At(r.last_at))
            .column("client_address", |r| r.client_address.as_deref())
            .column("body_bytes", |r| r.body_bytes),
    )
}

/// The whole minute that refused syncs are counted in.
pub(super) fn minute_of(at: OffsetDateTime) -> OffsetDateTime {
    at - Duration::seconds(i64::from(at.second())) - Duration::nanoseconds(i64::from(at.nanosecond()))
}

//! The statements about keys.

use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use module_monitor_domain::SiteId;
use time::OffsetDateTime;

use super::{KeyUse, NewKey};
use crate::engine::batch::Batch;
use crate::engine::sql_types::{At, Moment};
use crate::engine::statement::{Portable, Sql, statement};
use crate::page::Page;

pub(super) fn insert_key(key: NewKey) -> Sql<impl Portable> {
    statement!("insert_key")
        .bind::<Text, _>(key.id)
        .bind::<Nullable<BigInt>, _>(key.site_id.map(|site| site.0))
        .bind::<Nullable<Text>, _>(key.name.map(String::from))
        .bind::<Binary, _>(key.secret_hash.to_vec())
        .bind::<Moment, _>(At(key.created_at))
        .bind::<Nullable<Moment>, _>(key.expires_at.map(At))
}

pub(crate) fn bump_key_revision() -> Sql<impl Portable> {
    statement!("bump_key_revision")
}

pub(super) fn key_revision() -> Sql<impl Portable> {
    statement!("key_revision")
}

pub(super) fn key_grants() -> Sql<impl Portable> {
    statement!("key_grants")
}

pub(super) fn key_grant(id: &str) -> Sql<impl Portable + use<>> {
    statement!("key_grant").bind::<Text, _>(id.to_owned())
}

pub(super) fn keys(page: &Page<String>) -> Sql<impl Portable + use<>> {
    statement!("keys_after").bind::<Text, _>(page.after.clone().unwrap_or_default()).bind::<BigInt, _>(page.rows())
}

pub(super) fn revoke_key(id: &str, now: OffsetDateTime) -> Sql<impl Portable + use<>> {
    statement!("revoke_key").bind::<Moment, _>(At(now)).bind::<Text, _>(id.to_owned())
}

pub(super) fn site_keys(site: SiteId, page: &Page<String>) -> Sql<impl Portable + use<>> {
    statement!("site_keys")
        .bind::<BigInt, _>(site.0)
        .bind::<Text, _>(page.after.clone().unwrap_or_default())
        .bind::<BigInt, _>(page.rows())
}

/// Moves last uses forward; in the order of ids, so that nodes which write at once wait for each other in one order.
pub(super) fn mark_keys_used(uses: &[KeyUse]) -> Sql<impl Portable> {
    let rows = Batch::of(uses).column("id", |u| u.id.as_str()).column("at", |u| At(u.at));
    statement!(pair "mark_keys_used").bind_rows(rows)
}

/// Of a site that is removed.
pub(crate) fn revoke_site_keys(site: SiteId, now: OffsetDateTime) -> Sql<impl Portable> {
    statement!("revoke_site_keys").bind::<BigInt, _>(site.0).bind::<Moment, _>(At(now))
}

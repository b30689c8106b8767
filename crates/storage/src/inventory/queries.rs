//! The statements about inventories.

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use module_monitor_domain::{ChangeRef, MachineName, SiteId, UpdateStatus};
use time::OffsetDateTime;

use super::InventoryFilter;
use crate::engine::sql_types::{DbId, Id};
use crate::engine::statement::{BoxedSql, Portable, Sql, statement};
use crate::page::{Page, limit};
use crate::retention::statements::older;

pub(super) fn site_modules(
    site: SiteId,
    filter: InventoryFilter,
    page: &Page<MachineName>,
) -> Sql<impl Portable + use<>> {
    statement!(pair "site_modules")
        .cut()
        .bind::<BigInt, _>(site.0)
        .bind::<Nullable<Bool>, _>(filter.enabled)
        .bind::<Nullable<Text>, _>(filter.module_type.map(|t| t.as_str()))
        .bind::<Nullable<Text>, _>(filter.update_status.map(UpdateStatus::as_str))
        .bind::<Bool, _>(filter.removed)
        .bind::<Text, _>(page.after.as_ref().map(|name| name.to_string()).unwrap_or_default())
        .bind::<BigInt, _>(page.rows())
}

pub(super) fn site_module(site: SiteId, name: &MachineName) -> Sql<impl Portable + use<>> {
    statement!("site_module").bind::<BigInt, _>(site.0).bind::<Text, _>(name.to_string())
}

/// What happened to a module, from the change on at which `page` begins.
pub(super) fn module_history(site: SiteId, name: &MachineName, page: &Page<ChangeRef>) -> Sql<impl Portable + use<>> {
    statement!(pair "module_history")
        .bind::<BigInt, _>(site.0)
        .bind::<Text, _>(name.to_string())
        .bind::<Nullable<Id>, _>(page.after.map(|change| DbId::from(change.sync_id)))
        .bind::<Nullable<Integer>, _>(page.after.map(|change| i32::try_from(change.position).unwrap_or(i32::MAX)))
        .bind::<BigInt, _>(limit(page.limit))
}

pub(super) fn complete_since(site: SiteId, name: &MachineName) -> Sql<impl Portable + use<>> {
    statement!("complete_since").bind::<BigInt, _>(site.0).bind::<Text, _>(name.to_string())
}

/// Everything of those rows of a site.
pub(super) fn module_states(site: SiteId, modules: Vec<i64>) -> Sql<impl Portable> {
    statement!(pair "module_states").bind::<BigInt, _>(site.0).bind_list(modules)
}

pub(super) fn current_modules(site: SiteId) -> Sql<impl Portable> {
    statement!("current_modules").bind::<BigInt, _>(site.0)
}

/// Notes on their sites that change sets of before go, and removes them.
pub(crate) fn prune_change_sets(before: OffsetDateTime, batch: usize) -> Vec<BoxedSql> {
    let millis = u64::try_from(before.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
    let first_kept = DbId(uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid());
    let old = |statement: Sql<_>| statement.bind::<Id, _>(first_kept).bind::<BigInt, _>(limit(batch)).boxed();
    vec![old(statement!(pair "note_old_change_sets")), old(statement!("prune_change_sets"))]
}

/// The rows of modules that sites removed before.
pub(crate) fn prune_removed_modules(before: OffsetDateTime, batch: usize) -> BoxedSql {
    older(statement!(pair "prune_removed_modules"), before, batch)
}

//! The statements about inventories.

use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use module_monitor_domain::{MachineName, SiteId, UpdateStatus};

use super::InventoryFilter;
use crate::engine::statement::{Portable, Sql, statement};
use crate::page::{Page, limit};

pub(super) fn site_modules(site: SiteId, filter: InventoryFilter, page: Page<MachineName>) -> Sql<impl Portable> {
    statement!("site_modules")
        .bind::<BigInt, _>(site.0)
        .bind::<Nullable<Bool>, _>(filter.enabled)
        .bind::<Nullable<Text>, _>(filter.module_type.map(|t| t.as_str()))
        .bind::<Nullable<Text>, _>(filter.update_status.map(UpdateStatus::as_str))
        .bind::<Bool, _>(filter.removed)
        .bind::<Text, _>(page.after.map(|name| name.to_string()).unwrap_or_default())
        .bind::<BigInt, _>(limit(page.limit))
}

pub(super) fn site_module(site: SiteId, name: &MachineName) -> Sql<impl Portable + use<>> {
    statement!("site_module").bind::<BigInt, _>(site.0).bind::<Text, _>(name.to_string())
}

pub(super) fn module_history(site: SiteId, name: &MachineName, page: &Page<i64>) -> Sql<impl Portable + use<>> {
    statement!("module_history")
        .bind::<BigInt, _>(site.0)
        .bind::<Text, _>(name.to_string())
        .bind::<BigInt, _>(page.after.unwrap_or(i64::MAX))
        .bind::<BigInt, _>(limit(page.limit))
}

pub(crate) fn current_modules(site: SiteId) -> Sql<impl Portable> {
    statement!("current_modules").bind::<BigInt, _>(site.0)
}

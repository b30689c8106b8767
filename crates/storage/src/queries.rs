//! The statements that are the same on both backends, with their parameters. The backends run them.

use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
use module_monitor_domain::{MachineName, SiteId, SyncId, SyncOutcome, UpdateStatus};
use time::OffsetDateTime;

use crate::sql_types::{At, DbId, Id, Moment};
use crate::statement::{Portable, Sql, sql};
use crate::sync_writes::{SiteWrite, count, json};
use crate::{InventoryFilter, NewKey, Page, SyncCommand};

/// A number of rows, as the databases take it.
pub(crate) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(crate) fn insert_key(key: NewKey) -> Sql<impl Portable> {
    sql(include_str!("sql/insert_key.sql"))
        .bind::<Text, _>(key.id)
        .bind::<Nullable<Id>, _>(key.site_id.map(DbId::from))
        .bind::<Nullable<Text>, _>(key.name)
        .bind::<Binary, _>(key.secret_hash.to_vec())
        .bind::<Moment, _>(At(key.created_at))
        .bind::<Nullable<Moment>, _>(key.expires_at.map(At))
}

pub(crate) fn bump_key_revision() -> Sql<impl Portable> {
    sql(include_str!("sql/bump_key_revision.sql"))
}

pub(crate) fn key_revision() -> Sql<impl Portable> {
    sql(include_str!("sql/key_revision.sql"))
}

pub(crate) fn key_grants() -> Sql<impl Portable> {
    sql(include_str!("sql/key_grants.sql"))
}

pub(crate) fn key_grant(id: &str) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/key_grant.sql")).bind::<Text, _>(id.to_owned())
}

pub(crate) fn keys(page: Page<String>) -> Sql<impl Portable> {
    sql(include_str!("sql/keys_after.sql"))
        .bind::<Text, _>(page.after.unwrap_or_default())
        .bind::<BigInt, _>(limit(page.limit))
}

pub(crate) fn revoke_key(id: &str, now: OffsetDateTime) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/revoke_key.sql")).bind::<Moment, _>(At(now)).bind::<Text, _>(id.to_owned())
}

pub(crate) fn site_modules(site: SiteId, filter: InventoryFilter, page: Page<MachineName>) -> Sql<impl Portable> {
    sql(include_str!("sql/site_modules.sql"))
        .bind::<Id, _>(DbId::from(site))
        .bind::<Nullable<Bool>, _>(filter.enabled)
        .bind::<Nullable<Text>, _>(filter.module_type.map(|t| t.as_str()))
        .bind::<Nullable<Text>, _>(filter.update_status.map(UpdateStatus::as_str))
        .bind::<Bool, _>(filter.removed)
        .bind::<Text, _>(page.after.map(|name| name.to_string()).unwrap_or_default())
        .bind::<BigInt, _>(limit(page.limit))
}

pub(crate) fn site_module(site: SiteId, name: &MachineName) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/site_module.sql")).bind::<Id, _>(DbId::from(site)).bind::<Text, _>(name.to_string())
}

pub(crate) fn module_history(site: SiteId, name: &MachineName, page: &Page<i64>) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/module_history.sql"))
        .bind::<Id, _>(DbId::from(site))
        .bind::<Text, _>(name.to_string())
        .bind::<BigInt, _>(page.after.unwrap_or(i64::MAX))
        .bind::<BigInt, _>(limit(page.limit))
}

pub(crate) fn current_modules(site: SiteId) -> Sql<impl Portable> {
    sql(include_str!("sql/current_modules.sql")).bind::<Id, _>(DbId::from(site))
}

pub(crate) fn update_site(command: &SyncCommand, site: SiteWrite<'_>) -> Sql<impl Portable + use<>> {
    let report = &command.report;
    sql(include_str!("sql/update_site.sql"))
        .bind::<Id, _>(DbId::from(command.site_id))
        .bind::<Text, _>(report.site_info().json.clone())
        .bind::<Nullable<Text>, _>(site.identity.environment.clone())
        .bind::<Nullable<Text>, _>(site.identity.url.clone())
        .bind::<Text, _>(report.drupal_version().to_string())
        .bind::<Text, _>(report.php_version().to_string())
        .bind::<Moment, _>(At(report.sync_timestamp()))
        .bind::<Moment, _>(At(command.received_at))
        .bind::<Nullable<Moment>, _>(site.last_full_sync_at.map(At))
        .bind::<Nullable<Binary>, _>(site.fingerprint)
        .bind::<Bool, _>(site.mass_removal)
        .bind::<Bool, _>(site.conflict)
        .bind::<Nullable<BigInt>, _>(site.core_assessment_id)
}

pub(crate) fn insert_site_event(
    command: &SyncCommand,
    kind: &'static str,
    detail: String,
) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/insert_site_event.sql"))
        .bind::<Id, _>(DbId::from(command.site_id))
        .bind::<Text, _>(kind)
        .bind::<Text, _>(detail)
        .bind::<Id, _>(DbId::from(command.sync_id))
        .bind::<Moment, _>(At(command.received_at))
}

pub(crate) fn insert_sync(command: &SyncCommand, outcome: &SyncOutcome) -> Sql<impl Portable + use<>> {
    let origin = &command.origin;
    sql(include_str!("sql/insert_sync.sql"))
        .bind::<Id, _>(DbId::from(command.sync_id))
        .bind::<Id, _>(DbId::from(command.site_id))
        .bind::<Nullable<Text>, _>(origin.key_id.clone())
        .bind::<Nullable<Text>, _>(origin.client_address.clone())
        .bind::<Nullable<BigInt>, _>(origin.body_bytes)
        .bind::<Text, _>(command.report.scope().as_str())
        .bind::<Moment, _>(At(command.report.sync_timestamp()))
        .bind::<Moment, _>(At(command.received_at))
        .bind::<Integer, _>(count(outcome.counts.processed))
        .bind::<Integer, _>(count(outcome.counts.new))
        .bind::<Integer, _>(count(outcome.counts.updated))
        .bind::<Integer, _>(count(outcome.counts.removed))
        .bind::<Text, _>(json(&outcome.warnings))
        .bind::<Text, _>(json(&outcome.rejected))
        .bind::<Moment, _>(At(outcome.next_sync_after))
        .bind::<BigInt, _>(outcome.processing_time_ms)
        .bind::<Integer, _>(outcome.security.updates_found)
        .bind::<Integer, _>(outcome.security.projects)
        .bind::<Integer, _>(outcome.security.unknown)
        .bind::<Nullable<Moment>, _>(outcome.security.data_as_of.map(At))
}

pub(crate) fn sync(id: SyncId) -> Sql<impl Portable> {
    sql(include_str!("sql/sync.sql")).bind::<Id, _>(DbId::from(id))
}

pub(crate) fn latest_migration() -> Sql<impl Portable> {
    sql(include_str!("sql/latest_migration.sql"))
}

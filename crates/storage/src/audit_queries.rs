//! The statements of the audit log, the same on both backends.

use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use module_monitor_domain::{MachineName, SiteId};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::queries::limit;
use crate::sql_types::{At, DbId, Id, Moment};
use crate::statement::{Portable, Sql, sql};
use crate::{IdempotencyKey, Page, SyncCommand};

/// How long an idempotency key stands for its sync.
pub(crate) const IDEMPOTENCY_WINDOW: Duration = Duration::hours(24);

pub(crate) fn find_idempotency_key(command: &SyncCommand, key: &IdempotencyKey) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/find_idempotency_key.sql"))
        .bind::<Id, _>(DbId::from(command.site_id))
        .bind::<Text, _>(key.key.clone())
        .bind::<Moment, _>(At(command.received_at - IDEMPOTENCY_WINDOW))
}

pub(crate) fn write_idempotency_key(command: &SyncCommand, key: &IdempotencyKey) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/write_idempotency_key.sql"))
        .bind::<Id, _>(DbId::from(command.site_id))
        .bind::<Text, _>(key.key.clone())
        .bind::<Binary, _>(key.body_hash.to_vec())
        .bind::<Id, _>(DbId::from(command.sync_id))
        .bind::<Moment, _>(At(command.received_at))
}

pub(crate) fn syncs(site: SiteId, page: &Page<Uuid>) -> Sql<impl Portable + use<>> {
    before(include_str!("sql/syncs_before.sql"), site, page)
}

pub(crate) fn rejected_syncs(site: SiteId, page: &Page<Uuid>) -> Sql<impl Portable + use<>> {
    before(include_str!("sql/rejected_syncs_before.sql"), site, page)
}

pub(crate) fn before(text: &'static str, site: SiteId, page: &Page<Uuid>) -> Sql<impl Portable + use<>> {
    sql(text)
        .bind::<Id, _>(DbId::from(site))
        .bind::<Id, _>(DbId(page.after.unwrap_or(Uuid::max())))
        .bind::<BigInt, _>(limit(page.limit))
}

pub(crate) fn insert_admin_event(
    at: OffsetDateTime,
    actor: &str,
    action: &'static str,
    site: Option<SiteId>,
    target: impl ToString,
    detail: Option<&str>,
) -> Sql<impl Portable + 'static> {
    sql(include_str!("sql/insert_admin_event.sql"))
        .bind::<Moment, _>(At(at))
        .bind::<Text, _>(actor.to_owned())
        .bind::<Text, _>(action)
        .bind::<Nullable<Id>, _>(site.map(DbId::from))
        .bind::<Text, _>(target.to_string())
        .bind::<Nullable<Text>, _>(detail.map(str::to_owned))
}

pub(crate) fn insert_site_changed_event(
    at: OffsetDateTime,
    actor: &str,
    site: SiteId,
    detail: &str,
) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/insert_site_changed_event.sql"))
        .bind::<Moment, _>(At(at))
        .bind::<Text, _>(actor.to_owned())
        .bind::<Text, _>(site.to_string())
        .bind::<Text, _>(detail.to_owned())
        .bind::<Id, _>(DbId::from(site))
}

pub(crate) fn insert_site_removed_event(at: OffsetDateTime, actor: &str, site: SiteId) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/insert_site_removed_event.sql"))
        .bind::<Moment, _>(At(at))
        .bind::<Text, _>(actor.to_owned())
        .bind::<Text, _>(site.to_string())
        .bind::<Id, _>(DbId::from(site))
}

pub(crate) fn insert_module_corrected_event(
    at: OffsetDateTime,
    actor: &str,
    module: &MachineName,
    detail: &str,
) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/insert_module_corrected_event.sql"))
        .bind::<Moment, _>(At(at))
        .bind::<Text, _>(actor.to_owned())
        .bind::<Text, _>(detail.to_owned())
        .bind::<Text, _>(module.to_string())
}

pub(crate) fn insert_key_revoked_event(at: OffsetDateTime, actor: &str, key: &str) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/insert_key_revoked_event.sql"))
        .bind::<Moment, _>(At(at))
        .bind::<Text, _>(actor.to_owned())
        .bind::<Text, _>(key.to_owned())
}

pub(crate) fn admin_events(page: &Page<i64>) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/admin_events_before.sql"))
        .bind::<BigInt, _>(page.after.unwrap_or(i64::MAX))
        .bind::<BigInt, _>(limit(page.limit))
}

/// Removes what is older than `before`, at most `batch` rows. `text` is one of the `prune_*` statements.
pub(crate) fn prune(text: &'static str, before: OffsetDateTime, batch: usize) -> Sql<impl Portable> {
    sql(text).bind::<Moment, _>(At(before)).bind::<BigInt, _>(limit(batch))
}

//! The statements of the administrators' log.

use diesel::sql_types::{BigInt, Nullable, Text};
use module_monitor_domain::{AdminAction, MachineName, SiteId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::engine::sql_types::{At, DbId, Id, Moment};
use crate::engine::statement::{BoxedSql, Portable, Sql, statement};
use crate::page::Page;
use crate::retention::statements::older;

/// What an administrator did to `target`.
pub(crate) fn insert(
    at: OffsetDateTime,
    actor: &str,
    action: AdminAction,
    site: Option<SiteId>,
    target: impl ToString,
    detail: Option<&str>,
) -> Sql<impl Portable + 'static> {
    statement!("insert")
        .bind::<Moment, _>(At(at))
        .bind::<Text, _>(actor.to_owned())
        .bind::<Text, _>(action.as_str())
        .bind::<Nullable<BigInt>, _>(site.map(|site| site.0))
        .bind::<Text, _>(target.to_string())
        .bind::<Nullable<Text>, _>(detail.map(str::to_owned))
}

pub(crate) fn site_changed(at: OffsetDateTime, actor: &str, site: SiteId, detail: &str) -> Sql<impl Portable + use<>> {
    statement!("site_changed")
        .bind::<Moment, _>(At(at))
        .bind::<Text, _>(actor.to_owned())
        .bind::<Text, _>(site.to_string())
        .bind::<Text, _>(detail.to_owned())
        .bind::<BigInt, _>(site.0)
        .bind::<Text, _>(AdminAction::SiteChanged.as_str())
}

pub(crate) fn site_removed(at: OffsetDateTime, actor: &str, site: SiteId) -> Sql<impl Portable + use<>> {
    statement!("site_removed")
        .bind::<Moment, _>(At(at))
        .bind::<Text, _>(actor.to_owned())
        .bind::<Text, _>(site.to_string())
        .bind::<BigInt, _>(site.0)
        .bind::<Text, _>(AdminAction::SiteRemoved.as_str())
}

pub(crate) fn module_corrected(
    at: OffsetDateTime,
    actor: &str,
    module: &MachineName,
    detail: &str,
) -> Sql<impl Portable + use<>> {
    statement!("module_corrected")
        .bind::<Moment, _>(At(at))
        .bind::<Text, _>(actor.to_owned())
        .bind::<Text, _>(detail.to_owned())
        .bind::<Text, _>(module.to_string())
        .bind::<Text, _>(AdminAction::ModuleCorrected.as_str())
}

pub(crate) fn key_revoked(at: OffsetDateTime, actor: &str, key: &str) -> Sql<impl Portable + use<>> {
    statement!("key_revoked")
        .bind::<Moment, _>(At(at))
        .bind::<Text, _>(actor.to_owned())
        .bind::<Text, _>(key.to_owned())
        .bind::<Text, _>(AdminAction::KeyRevoked.as_str())
}

pub(super) fn admin_events(page: &Page<i64>) -> Sql<impl Portable + use<>> {
    statement!("admin_events_before")
        .cut()
        .bind::<BigInt, _>(page.after.unwrap_or(i64::MAX))
        .bind::<BigInt, _>(page.rows())
}

pub(crate) fn prune_admin_events(before: OffsetDateTime, batch: usize) -> BoxedSql {
    older(statement!("prune_admin_events"), before, batch)
}

/// What administrators read of an end at `now`; to be run after it.
pub(crate) fn acceptance_ended(
    now: OffsetDateTime,
    actor: &str,
    action: AdminAction,
    acceptance: Uuid,
    detail: &str,
) -> Sql<impl Portable + use<>> {
    statement!("acceptance_ended")
        .bind::<Moment, _>(At(now))
        .bind::<Text, _>(actor.to_owned())
        .bind::<Text, _>(action.as_str())
        .bind::<Text, _>(acceptance.to_string())
        .bind::<Text, _>(detail.to_owned())
        .bind::<Id, _>(DbId(acceptance))
}

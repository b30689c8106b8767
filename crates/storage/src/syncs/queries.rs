//! The statements of a sync.

use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text as SqlText};
use module_monitor_domain::{
    Fingerprint, ItemHash, MachineName, ModulesHash, ProjectName, Reported, SiteId, SyncId, SyncOutcome, WebhookEvent,
};
use time::{Duration, OffsetDateTime};

use super::command::SyncCommand;
use super::ids::{NewModule, NewVersion};
use super::writes::{RowWrite, SiteWrite};
use crate::engine::batch::Batch;
use crate::engine::read::{count, json};
use crate::engine::sql_types::{At, DbId, Id, Moment};
use crate::engine::statement::{BoxedSql, Portable, Sql, Text, statement};
use crate::outbox;

/// What a report is known by that changes nothing: its fingerprint or, where nobody has read its modules, their hash.
#[derive(Clone, Copy)]
pub(super) struct KnownBy {
    pub(super) fingerprint: Option<Fingerprint>,
    pub(super) modules: Option<ModulesHash>,
}

/// The report of a site that changes nothing; no row where it does change something, or its idempotency key stands for
/// another sync. `whole`: the audit row, the event and the key too, where one statement can.
pub(super) fn touch_site<R: Reported>(
    command: &SyncCommand<R>,
    by: KnownBy,
    outcome: &SyncOutcome,
    whole: bool,
) -> BoxedSql {
    let head = command.report.head();
    let identity = &head.site_info.identity;
    let key = command.idempotency.as_ref();
    let touch = statement!(pair "touch_site")
        .bind::<BigInt, _>(command.site_id.0)
        .bind::<Nullable<Binary>, _>(by.fingerprint.map(|fingerprint| fingerprint.as_bytes().to_vec()))
        .bind::<Moment, _>(At(head.sync_timestamp))
        .bind::<Nullable<SqlText>, _>(identity.environment.clone())
        .bind::<Nullable<SqlText>, _>(identity.url.clone())
        .bind::<SqlText, _>(head.site_info.json.clone())
        .bind::<SqlText, _>(head.php_version.to_string())
        .bind::<Moment, _>(At(command.received_at))
        .bind::<SqlText, _>(WebhookEvent::SyncCompleted.as_str())
        .bind::<Nullable<SqlText>, _>(head.facts.clone())
        .bind::<Nullable<Binary>, _>(by.modules.map(|hash| hash.as_bytes().to_vec()))
        .bind::<SqlText, _>(head.drupal_version.to_string())
        .bind::<Nullable<SqlText>, _>(key.map(|key| key.key.clone()));
    if !whole {
        return touch.boxed();
    }
    touch
        .bind::<Id, _>(DbId::from(command.sync_id))
        .bind::<Nullable<SqlText>, _>(command.origin.key_id.clone())
        .bind::<Nullable<SqlText>, _>(command.origin.client_address.clone())
        .bind::<Nullable<BigInt>, _>(command.origin.body_bytes)
        .bind::<SqlText, _>(head.scope.as_str())
        .bind::<SqlText, _>(json(&outcome.warnings))
        .bind::<SqlText, _>(json(&outcome.rejected))
        .bind::<Moment, _>(At(outcome.next_sync_after))
        .bind::<BigInt, _>(outcome.processing_time_ms)
        .bind::<SqlText, _>(outbox::sync_completed(outcome))
        .bind::<Nullable<Binary>, _>(key.map(|key| key.body_hash.to_vec()))
        .boxed()
}

/// Inserts registry rows, in the order of names, and answers those that were not there.
pub(super) fn insert_modules<'a>(
    site: SiteId,
    now: OffsetDateTime,
    rows: &'a [NewModule<'a>],
) -> Sql<impl Portable + use<'a>> {
    statement!(pair "insert_modules").bind::<BigInt, _>(site.0).bind::<Moment, _>(At(now)).bind_rows(
        Batch::of(rows)
            .column("machine_name", |m| m.name.as_str())
            .column("type", |m| m.module_type)
            .column("name", |m| m.display_name)
            .column("description", |m| m.description)
            .column("project_link", |m| m.project_link),
    )
}

pub(super) fn find_modules<'a>(rows: &'a [NewModule<'a>]) -> Sql<impl Portable + use<'a>> {
    statement!(pair "find_modules").bind_list(rows.iter().map(|m| m.name.as_str()).collect::<Vec<_>>())
}

/// As [`insert_modules`].
pub(super) fn insert_versions(site: SiteId, now: OffsetDateTime, rows: &[NewVersion<'_>]) -> Sql<impl Portable> {
    statement!(pair "insert_versions").bind::<BigInt, _>(site.0).bind::<Moment, _>(At(now)).bind_rows(
        Batch::of(rows)
            .column("module_id", |v| v.module_id)
            .column("version", |v| v.version.as_str())
            .column("sort_key", |v| v.sort_key.as_str())
            .column("details", |v| v.details.as_deref())
            .column("dated_by", |v| v.dated_by),
    )
}

pub(super) fn find_versions(rows: &[NewVersion<'_>]) -> Sql<impl Portable> {
    statement!(pair "find_versions")
        .bind_rows(Batch::of(rows).column("module_id", |v| v.module_id).column("version", |v| v.version.as_str()))
}

pub(super) fn write_site_modules<'a>(command: &SyncCommand, rows: &'a [RowWrite<'a>]) -> Sql<impl Portable + use<'a>> {
    of_sync(statement!(pair "write_site_modules"), command).bind_rows(
        Batch::of(rows)
            .column("module_id", |r| r.module_id)
            .column("version_id", |r| r.version_id)
            .column("enabled", |r| r.state.enabled)
            .column("type", |r| r.state.module_type.as_str())
            .column("extension", |r| r.state.extension.as_str())
            .column("project", |r| r.state.project.as_ref().map(ProjectName::as_str))
            .column("datestamp", |r| r.state.datestamp)
            .column("schema_version", |r| r.state.schema_version)
            .column("security_coverage", |r| r.state.security_coverage)
            .column("own_details", |r| r.own_details.as_deref())
            .column("base_theme", |r| r.state.site_details.base_theme.as_ref().map(MachineName::as_str))
            .column("item_hash", |r| r.item.as_ref().map(ItemHash::as_bytes))
            .column("assessment_id", |r| r.assessment_id)
            .column("in_use", |r| r.in_use)
            .column("identification", |r| r.identification)
            .column("rejected", |r| r.rejected)
            .column("change", |r| r.change),
    )
}

/// The site, the time and the id of a sync.
fn of_sync(statement: Sql<Text>, command: &SyncCommand) -> Sql<impl Portable + use<>> {
    statement
        .bind::<BigInt, _>(command.site_id.0)
        .bind::<Moment, _>(At(command.received_at))
        .bind::<Id, _>(DbId::from(command.sync_id))
}

/// `places`: the modules, each with the place of its removal in the change set of the sync.
pub(super) fn remove_site_modules<'a>(
    command: &SyncCommand,
    last_full_sync_at: Option<At>,
    places: &'a [(i64, i32)],
) -> Sql<impl Portable + use<'a>> {
    of_sync(statement!(pair "remove_site_modules"), command)
        .bind::<Nullable<Moment>, _>(last_full_sync_at)
        .bind_rows(Batch::of(places).column("module_id", |p| p.0).column("change", |p| p.1))
}

/// Deletes rows of modules that the site has no longer.
pub(super) fn forget_removed(site: SiteId, modules: Vec<i64>) -> Sql<impl Portable> {
    statement!(pair "forget_removed").bind::<BigInt, _>(site.0).bind_list(modules)
}

pub(super) fn forget_details_of_removed(site: SiteId) -> Sql<impl Portable> {
    statement!("forget_details_of_removed").bind::<BigInt, _>(site.0)
}

/// What the site has brought into the registry within a day before `now`, in bytes.
pub(super) fn introduced_bytes(site: SiteId, now: OffsetDateTime) -> Sql<impl Portable> {
    statement!("introduced_bytes").bind::<BigInt, _>(site.0).bind::<Moment, _>(At(now - Duration::DAY))
}

pub(super) fn report_again(site: SiteId, now: OffsetDateTime, modules: Vec<i64>) -> Sql<impl Portable> {
    statement!(pair "report_again").bind::<BigInt, _>(site.0).bind::<Moment, _>(At(now)).bind_list(modules)
}

/// Marks rows that the last report could not be read into.
pub(super) fn mark_rejected(site: SiteId, modules: Vec<i64>) -> Sql<impl Portable> {
    statement!(pair "mark_rejected").bind::<BigInt, _>(site.0).bind_list(modules)
}

/// Has removed rows say that they are there again, whatever they are now.
pub(super) fn bring_back(site: SiteId, now: OffsetDateTime, modules: Vec<i64>) -> Sql<impl Portable> {
    statement!(pair "bring_back").bind::<BigInt, _>(site.0).bind::<Moment, _>(At(now)).bind_list(modules)
}

/// The reverse of [`bring_back`].
pub(super) fn take_back(site: SiteId, now: OffsetDateTime, modules: Vec<i64>) -> Sql<impl Portable> {
    statement!(pair "take_back").bind::<BigInt, _>(site.0).bind::<Moment, _>(At(now)).bind_list(modules)
}

/// Deletes rows that only said that something was there which could not be read.
pub(super) fn end_placeholders(site: SiteId, modules: Vec<i64>) -> Sql<impl Portable> {
    statement!(pair "end_placeholders").bind::<BigInt, _>(site.0).bind_list(modules)
}

pub(super) fn insert_change_set(command: &SyncCommand, changes: String) -> Sql<impl Portable + use<>> {
    of_sync(statement!("insert_change_set"), command).bind::<SqlText, _>(changes)
}

/// The newest sync of a site of which nothing is to be kept, so that what is newer holds no more than `keep` bytes.
pub(super) fn trim_point(site: SiteId, keep: i64) -> Sql<impl Portable> {
    statement!("trim_point").bind::<BigInt, _>(site.0).bind::<BigInt, _>(keep)
}

/// Notes what is left, before [`trim_change_sets`] and [`trim_syncs`] remove that sync and what is older.
pub(super) fn note_trimmed(site: SiteId, newest: DbId, kept: i64) -> Sql<impl Portable> {
    trimmed(statement!("note_trimmed"), site, newest).bind::<BigInt, _>(kept)
}

/// Counts what is kept of a site anew.
pub(super) fn recount_kept(site: SiteId) -> Sql<impl Portable> {
    statement!("recount_kept").bind::<BigInt, _>(site.0)
}

pub(super) fn trim_change_sets(site: SiteId, newest: DbId) -> Sql<impl Portable> {
    trimmed(statement!("trim_change_sets"), site, newest)
}

pub(super) fn trim_syncs(site: SiteId, newest: DbId) -> Sql<impl Portable> {
    trimmed(statement!("trim_syncs"), site, newest)
}

fn trimmed(statement: Sql<Text>, site: SiteId, newest: DbId) -> Sql<impl Portable + use<>> {
    statement.bind::<BigInt, _>(site.0).bind::<Id, _>(newest)
}

pub(super) fn update_site(command: &SyncCommand, site: SiteWrite<'_>) -> Sql<impl Portable + use<>> {
    let report = &command.report;
    statement!("update_site")
        .bind::<BigInt, _>(command.site_id.0)
        .bind::<SqlText, _>(report.site_info().json.clone())
        .bind::<Nullable<SqlText>, _>(site.identity.environment.clone())
        .bind::<Nullable<SqlText>, _>(site.identity.url.clone())
        .bind::<SqlText, _>(report.drupal_version().to_string())
        .bind::<SqlText, _>(report.php_version().to_string())
        .bind::<Moment, _>(At(report.sync_timestamp()))
        .bind::<Moment, _>(At(command.received_at))
        .bind::<Nullable<Moment>, _>(site.last_full_sync_at.map(At))
        .bind::<Nullable<Binary>, _>(site.fingerprint)
        .bind::<Bool, _>(site.mass_removal)
        .bind::<Bool, _>(site.conflict)
        .bind::<Nullable<BigInt>, _>(site.core_assessment_id)
        .bind::<Nullable<SqlText>, _>(report.facts().map(str::to_owned))
        .bind::<Bool, _>(site.partial)
        .bind::<Integer, _>(i32::try_from(site.unnamed_rejections).unwrap_or(i32::MAX))
        .bind::<Nullable<Integer>, _>(site.kept_modules.map(count))
        .bind::<BigInt, _>(site.kept_bytes)
        .bind::<Nullable<Binary>, _>(site.modules_hash.map(|hash| hash.as_bytes().to_vec()))
        .bind::<Nullable<Integer>, _>(site.processed.map(count))
        .bind::<Nullable<Moment>, _>(site.busy_until.map(At))
}

pub(super) fn insert_sync<R: Reported>(command: &SyncCommand<R>, outcome: &SyncOutcome) -> Sql<impl Portable + use<R>> {
    let (origin, head) = (&command.origin, command.report.head());
    statement!("insert_sync")
        .bind::<Id, _>(DbId::from(command.sync_id))
        .bind::<BigInt, _>(command.site_id.0)
        .bind::<Nullable<SqlText>, _>(origin.key_id.clone())
        .bind::<Nullable<SqlText>, _>(origin.client_address.clone())
        .bind::<Nullable<BigInt>, _>(origin.body_bytes)
        .bind::<SqlText, _>(head.scope.as_str())
        .bind::<Moment, _>(At(head.sync_timestamp))
        .bind::<Moment, _>(At(command.received_at))
        .bind::<Integer, _>(count(outcome.counts.processed))
        .bind::<Integer, _>(count(outcome.counts.new))
        .bind::<Integer, _>(count(outcome.counts.updated))
        .bind::<Integer, _>(count(outcome.counts.removed))
        .bind::<SqlText, _>(json(&outcome.warnings))
        .bind::<SqlText, _>(json(&outcome.rejected))
        .bind::<Moment, _>(At(outcome.next_sync_after))
        .bind::<BigInt, _>(outcome.processing_time_ms)
        .bind::<Integer, _>(outcome.security.updates_found)
        .bind::<Integer, _>(outcome.security.projects)
        .bind::<Integer, _>(outcome.security.unsupported)
        .bind::<Integer, _>(outcome.security.unknown)
        .bind::<SqlText, _>(json(&outcome.security.rest.to_list()))
        .bind::<Nullable<Moment>, _>(outcome.security.data_as_of.map(At))
}

pub(super) fn sync(id: SyncId) -> Sql<impl Portable> {
    statement!("sync").bind::<Id, _>(DbId::from(id))
}

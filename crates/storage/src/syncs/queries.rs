//! The statements of a sync.

use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
use module_monitor_domain::{Fingerprint, SiteId, SyncId, SyncOutcome, WebhookEvent};
use time::OffsetDateTime;

use super::command::SyncCommand;
use super::ids::{NewModule, NewVersion};
use super::writes::{EventWrite, RowWrite, SiteWrite};
use crate::engine::batch::Batch;
use crate::engine::read::{count, json};
use crate::engine::sql_types::{At, DbId, Id, Moment};
use crate::engine::statement::{BoxedSql, Portable, Sql, statement};
use crate::outbox;

/// The report of a site that changes nothing; no row where it does change something. `whole`: the audit row and the event
/// too, where one statement can.
pub(super) fn touch_site(
    command: &SyncCommand,
    fingerprint: Fingerprint,
    outcome: &SyncOutcome,
    whole: bool,
) -> BoxedSql {
    let report = &command.report;
    let identity = &report.site_info().identity;
    let touch = statement!(pair "touch_site")
        .bind::<BigInt, _>(command.site_id.0)
        .bind::<Binary, _>(fingerprint.as_bytes().to_vec())
        .bind::<Moment, _>(At(report.sync_timestamp()))
        .bind::<Nullable<Text>, _>(identity.environment.clone())
        .bind::<Nullable<Text>, _>(identity.url.clone())
        .bind::<Text, _>(report.site_info().json.clone())
        .bind::<Text, _>(report.php_version().to_string())
        .bind::<Moment, _>(At(command.received_at))
        .bind::<Text, _>(WebhookEvent::SyncCompleted.as_str())
        .bind::<Nullable<Text>, _>(report.facts().map(str::to_owned));
    if !whole {
        return touch.boxed();
    }
    touch
        .bind::<Id, _>(DbId::from(command.sync_id))
        .bind::<Nullable<Text>, _>(command.origin.key_id.clone())
        .bind::<Nullable<Text>, _>(command.origin.client_address.clone())
        .bind::<Nullable<BigInt>, _>(command.origin.body_bytes)
        .bind::<Text, _>(report.scope().as_str())
        .bind::<Integer, _>(count(outcome.counts.processed))
        .bind::<Text, _>(json(&outcome.warnings))
        .bind::<Text, _>(json(&outcome.rejected))
        .bind::<Moment, _>(At(outcome.next_sync_after))
        .bind::<BigInt, _>(outcome.processing_time_ms)
        .bind::<Text, _>(outbox::sync_completed(outcome))
        .boxed()
}

/// Inserts the registry rows that are missing, in the order of names, and answers those that are there.
pub(super) fn insert_modules<'a>(rows: &'a [NewModule<'a>], now: OffsetDateTime) -> Sql<impl Portable + use<'a>> {
    statement!(pair "insert_modules").bind::<Moment, _>(At(now)).bind_rows(
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
pub(super) fn insert_versions(rows: &[NewVersion]) -> Sql<impl Portable> {
    statement!(pair "insert_versions").bind_rows(
        Batch::of(rows)
            .column("module_id", |v| v.module_id)
            .column("version", |v| v.version.as_str())
            .column("sort_key", |v| v.sort_key.as_str())
            .column("details", |v| v.details.as_deref()),
    )
}

pub(super) fn find_versions(rows: &[NewVersion]) -> Sql<impl Portable> {
    statement!(pair "find_versions")
        .bind_rows(Batch::of(rows).column("module_id", |v| v.module_id).column("version", |v| v.version.as_str()))
}

pub(super) fn write_site_modules<'a>(
    site: SiteId,
    now: OffsetDateTime,
    rows: &'a [RowWrite<'a>],
) -> Sql<impl Portable + use<'a>> {
    statement!(pair "write_site_modules").bind::<BigInt, _>(site.0).bind::<Moment, _>(At(now)).bind_rows(
        Batch::of(rows)
            .column("module_id", |r| r.module_id)
            .column("version_id", |r| r.version_id)
            .column("enabled", |r| r.enabled)
            .column("type", |r| r.module_type)
            .column("extension", |r| r.extension)
            .column("project", |r| r.project)
            .column("datestamp", |r| r.datestamp)
            .column("schema_version", |r| r.schema_version)
            .column("security_coverage", |r| r.security_coverage)
            .column("own_details", |r| r.own_details.as_deref())
            .column("assessment_id", |r| r.assessment_id)
            .column("in_use", |r| r.in_use)
            .column("identification", |r| r.identification)
            .column("rejected", |r| r.rejected),
    )
}

pub(super) fn remove_site_modules(
    site: SiteId,
    now: OffsetDateTime,
    last_full_sync_at: Option<At>,
    modules: Vec<i64>,
) -> Sql<impl Portable> {
    statement!(pair "remove_site_modules")
        .bind::<BigInt, _>(site.0)
        .bind::<Moment, _>(At(now))
        .bind::<Nullable<Moment>, _>(last_full_sync_at)
        .bind_list(modules)
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

pub(super) fn insert_events<'a>(
    site: SiteId,
    sync: SyncId,
    now: OffsetDateTime,
    rows: &'a [EventWrite<'a>],
) -> Sql<impl Portable + use<'a>> {
    statement!(pair "insert_events")
        .bind::<BigInt, _>(site.0)
        .bind::<Id, _>(DbId::from(sync))
        .bind::<Moment, _>(At(now))
        .bind_rows(
            Batch::of(rows)
                .column("module_id", |e| e.module_id)
                .column("kind", |e| e.kind)
                .column("from_version", |e| e.from_version)
                .column("to_version", |e| e.to_version),
        )
}

pub(super) fn update_site(command: &SyncCommand, site: SiteWrite<'_>) -> Sql<impl Portable + use<>> {
    let report = &command.report;
    statement!("update_site")
        .bind::<BigInt, _>(command.site_id.0)
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
        .bind::<Nullable<Text>, _>(report.facts().map(str::to_owned))
        .bind::<Bool, _>(site.partial)
        .bind::<Integer, _>(i32::try_from(site.unnamed_rejections).unwrap_or(i32::MAX))
}

pub(super) fn insert_sync(command: &SyncCommand, outcome: &SyncOutcome) -> Sql<impl Portable + use<>> {
    let origin = &command.origin;
    statement!("insert_sync")
        .bind::<Id, _>(DbId::from(command.sync_id))
        .bind::<BigInt, _>(command.site_id.0)
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
        .bind::<Integer, _>(outcome.security.unsupported)
        .bind::<Integer, _>(outcome.security.unknown)
        .bind::<Text, _>(json(&outcome.security.rest.to_list()))
        .bind::<Nullable<Moment>, _>(outcome.security.data_as_of.map(At))
}

pub(super) fn sync(id: SyncId) -> Sql<impl Portable> {
    statement!("sync").bind::<Id, _>(DbId::from(id))
}

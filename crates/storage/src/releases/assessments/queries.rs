//! The statements about assessments, and about the projects that syncs introduce for them.

use diesel::sql_types::{BigInt, Text};
use module_monitor_domain::{Feed, ProjectName, SiteId};
use time::OffsetDateTime;

use super::key::{AssessmentWrite, Key};
use super::named::Introduction;
use crate::engine::batch::Batch;
use crate::engine::sql_types::{At, Moment};
use crate::engine::statement::{Portable, Sql, statement};
use crate::registry::queries::next_generation;
use crate::retention::statements::within;
use crate::retention::sweep::Sweep;

pub(super) fn find<'a>(feed: Feed, keys: &'a [&'a Key]) -> Sql<impl Portable + use<'a>> {
    statement!(pair "find_assessments").bind::<Text, _>(feed.as_str()).bind_rows(
        Batch::of(keys)
            .column("project", |key| key.project.as_str())
            .column("version", |key| key.version.as_str())
            .column("datestamp", |key| key.datestamp),
    )
}

/// Waits for every change that is being counted, and lets none be counted until the transaction has ended.
pub(super) fn hold_changes() -> Sql<impl Portable> {
    statement!(pg "hold_changes")
}

/// How many changes there have been.
pub(super) fn changes() -> Sql<impl Portable> {
    statement!("changes")
}

/// How many of some projects were changed after so many changes.
pub(super) fn changed_since(feed: Feed, seen: i64, names: Vec<&str>) -> Sql<impl Portable + use<'_>> {
    statement!(pg "changed_since").bind::<Text, _>(feed.as_str()).bind::<BigInt, _>(seen).bind_list(names)
}

/// Counts one more, when every sync that holds the changes has ended; from then on whoever wants to hold them waits.
pub(crate) fn count_change() -> Sql<impl Portable> {
    statement!(pair "count_change")
}

/// Says of a project that it was part of the change that has just been counted.
pub(super) fn mark_changed(project: i64) -> Sql<impl Portable> {
    statement!("mark_changed").bind::<BigInt, _>(project)
}

/// How many versions of each project a site has named first since `since`.
pub(crate) fn introduced(site: SiteId, since: OffsetDateTime) -> Sql<impl Portable> {
    statement!("introduced_versions").bind::<BigInt, _>(site.0).bind::<Moment, _>(At(since))
}

/// In the order of keys, as all that many syncs insert at once.
pub(crate) fn insert(feed: Feed, site: SiteId, now: OffsetDateTime, rows: &[AssessmentWrite]) -> Sql<impl Portable> {
    statement!(pair "insert_assessments")
        .bind::<Text, _>(feed.as_str())
        .bind::<BigInt, _>(site.0)
        .bind::<Moment, _>(At(now))
        .bind_rows(
            Batch::of(rows)
                .column("project", |row| row.project.as_str())
                .column("version", |row| row.version.as_str())
                .column("datestamp", |row| row.datestamp)
                .column("sort_key", |row| row.sort_key.as_deref())
                .column("status", |row| row.status)
                .column("needs_update", |row| row.needs_update)
                .column("class", |row| row.class)
                .column("reason", |row| row.reason)
                .column("covered", |row| row.covered)
                .column("security_updates", |row| row.security_updates.as_str())
                .column("recommended", |row| row.recommended.as_deref())
                .column("core_compatibility", |row| row.core_compatibility.as_deref()),
        )
}

pub(crate) fn of_feed(project: &ProjectName, feed: Feed) -> Sql<impl Portable + use<>> {
    statement!("assessments_of_feed").bind::<Text, _>(project.to_string()).bind::<Text, _>(feed.as_str())
}

pub(crate) fn insert_projects(
    feed: Feed,
    site: SiteId,
    now: OffsetDateTime,
    rows: &[Introduction],
) -> Sql<impl Portable> {
    statement!(pair "insert_projects")
        .bind::<Text, _>(feed.as_str())
        .bind::<BigInt, _>(site.0)
        .bind::<Moment, _>(At(now))
        .bind_rows(introductions(rows))
}

/// Has projects looked up sooner, on the account of `site`.
pub(crate) fn take_over_projects(feed: Feed, site: SiteId, rows: &[Introduction]) -> Sql<impl Portable> {
    statement!(pair "take_over_projects")
        .bind::<Text, _>(feed.as_str())
        .bind::<BigInt, _>(site.0)
        .bind_rows(introductions(rows))
}

fn introductions(rows: &[Introduction]) -> Batch<'_, Introduction> {
    Batch::of(rows).column("name", |row| row.name.as_str()).column("next_check_at", |row| row.next_check_at)
}

/// Projects that a site uses, and how far they have been asked about.
pub(super) fn known_projects(feed: Feed, site: SiteId, names: Vec<&str>) -> Sql<impl Portable + use<'_>> {
    statement!(pair "known_projects").bind::<Text, _>(feed.as_str()).bind::<BigInt, _>(site.0).bind_list(names)
}

/// The rows of projects, locked in the order of names by one who will write them.
pub(crate) fn lock_projects<'a>(feed: Feed, names: Vec<&'a str>) -> Sql<impl Portable + use<'a>> {
    statement!(pair "lock_projects").bind::<Text, _>(feed.as_str()).bind_list(names)
}

/// Those of some projects that drupal.org has ever answered about.
pub(super) fn asked_projects<'a>(feed: Feed, names: Vec<&'a str>) -> Sql<impl Portable + use<'a>> {
    statement!(pair "asked_projects").bind::<Text, _>(feed.as_str()).bind_list(names)
}

/// Introduces projects that assessments are of, and that are not there.
pub(crate) fn introduce_forgotten(now: OffsetDateTime) -> Sql<impl Portable> {
    statement!("introduce_forgotten").bind::<Moment, _>(At(now))
}

pub(crate) fn releases_of_projects(projects: Vec<i64>) -> Sql<impl Portable> {
    statement!(pair "releases_of_projects").bind_list(projects)
}

/// Those that no site uses, but for what still counts in the share of the site that introduced them.
pub(crate) const UNUSED: Sweep = Sweep {
    look: |span, cutoff| {
        within(statement!("unused_assessments"), span).bind::<Moment, _>(At(cutoff.introduced())).boxed()
    },
    lock: |ids| statement!(pg "lock_unused_assessments").bind_list(ids).boxed(),
    delete: |ids| vec![statement!(pair "delete_unused_assessments").bind_list(ids).boxed(), next_generation().boxed()],
};

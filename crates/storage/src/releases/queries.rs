//! The statements about release data.

use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
use module_monitor_domain::{Feed, ProjectLink, ProjectName, ReleaseHistory, SiteId};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::assessments::named::LOOKUPS_A_DAY;
use super::rows::UsageRow;
use super::writes::{ReleaseWrite, Revision};
use super::{Check, CheckOutcome, Fetched};
use crate::engine::batch::Batch;
use crate::engine::sql_types::{At, DbId, Id, Moment};
use crate::engine::statement::{Portable, Sql, statement};
use crate::page::{Page, limit};
use crate::registry::queries::next_generation;
use crate::retention::statements::within;
use crate::retention::sweep::Sweep;

/// A site's new projects are counted over this long.
const A_DAY: Duration = Duration::DAY;

pub(super) fn project_feeds(project: &ProjectName) -> Sql<impl Portable + use<>> {
    statement!("project_feeds").bind::<Text, _>(project.to_string())
}

pub(super) fn due_projects(now: OffsetDateTime, most: usize) -> Sql<impl Portable> {
    statement!("due_projects")
        .bind::<Moment, _>(At(now))
        .bind::<Moment, _>(At(now - A_DAY))
        .bind::<BigInt, _>(limit(most))
        .bind::<BigInt, _>(LOOKUPS_A_DAY)
}

pub(super) fn count_introduced(site: SiteId, now: OffsetDateTime) -> Sql<impl Portable> {
    statement!("count_introduced").bind::<BigInt, _>(site.0).bind::<Moment, _>(At(now - A_DAY))
}

pub(super) fn releases(project: &ProjectName, feed: Feed, page: &Page<i64>) -> Sql<impl Portable + use<>> {
    statement!("releases_of_feed")
        .bind::<Text, _>(project.to_string())
        .bind::<Text, _>(feed.as_str())
        .bind::<BigInt, _>(page.after.unwrap_or(-1))
        .bind::<BigInt, _>(page.rows())
}

pub(super) fn insert_project(history: &ReleaseHistory, fetched: &Fetched) -> Sql<impl Portable + use<>> {
    statement!("insert_project")
        .bind::<Text, _>(history.project.to_string())
        .bind::<Text, _>(history.feed.as_str())
        .bind::<Moment, _>(At(fetched.next_check_at))
        .bind::<Moment, _>(At(fetched.at))
}

pub(super) fn update_project(
    id: i64,
    history: &ReleaseHistory,
    content_hash: Vec<u8>,
    fetched: &Fetched,
) -> Sql<impl Portable + use<>> {
    let support = history.support.clone();
    statement!("update_project")
        .bind::<BigInt, _>(id)
        .bind::<Nullable<Text>, _>(history.title.clone())
        .bind::<Nullable<Text>, _>(history.project_type.clone())
        .bind::<Text, _>(history.status.as_str())
        .bind::<Nullable<Text>, _>(history.link.clone())
        .bind::<Nullable<Text>, _>(support.branches)
        .bind::<Nullable<Text>, _>(support.majors)
        .bind::<Nullable<Text>, _>(support.recommended_major)
        .bind::<Nullable<Text>, _>(support.default_major)
        .bind::<Integer, _>(i32::try_from(history.malformed).unwrap_or(i32::MAX))
        .bind::<Binary, _>(content_hash)
        .bind::<Moment, _>(At(fetched.at))
        .bind::<Moment, _>(At(fetched.next_check_at))
        .bind::<Nullable<Text>, _>(fetched.validators.etag.clone())
        .bind::<Nullable<Text>, _>(fetched.validators.last_modified.clone())
}

pub(super) fn note_check(check: &Check) -> Sql<impl Portable + use<>> {
    let (kind, error) = match &check.outcome {
        CheckOutcome::NotModified => ("not_modified", None),
        CheckOutcome::NoHistory => ("no_history", None),
        CheckOutcome::Failed(error) => ("failed", Some(error.clone())),
    };
    statement!("note_check")
        .bind::<Text, _>(check.project.to_string())
        .bind::<Text, _>(check.feed.as_str())
        .bind::<Moment, _>(At(check.at))
        .bind::<Moment, _>(At(check.next_check_at))
        .bind::<Text, _>(kind)
        .bind::<Nullable<Text>, _>(error)
}

/// Run it before [`update_release_data`], in the same transaction.
pub(super) fn lock_release_data() -> Sql<impl Portable> {
    statement!("lock_release_data")
}

pub(super) fn update_release_data() -> Sql<impl Portable> {
    statement!("update_release_data")
}

/// Whether any feed of that name was ever fetched.
pub(super) fn is_project(project: &ProjectName) -> Sql<impl Portable + use<>> {
    statement!("is_project").bind::<Text, _>(project.to_string())
}

pub(super) fn delete_releases(project_id: i64) -> Sql<impl Portable> {
    statement!("delete_releases").bind::<BigInt, _>(project_id)
}

/// Has the registry call the module that is named like the project as drupal.org does, unless an administrator has spoken.
pub(super) fn name_module(history: &ReleaseHistory) -> Sql<impl Portable + use<>> {
    let link = history.link.as_deref().filter(|link| ProjectLink::parse(link).is_ok());
    statement!("name_module")
        .bind::<Text, _>(history.project.to_string())
        .bind::<Nullable<Text>, _>(history.title.clone())
        .bind::<Nullable<Text>, _>(link.map(str::to_owned))
}

pub(super) fn date_versions(project_id: i64, project: &ProjectName) -> Sql<impl Portable + use<>> {
    statement!("date_versions").bind::<BigInt, _>(project_id).bind::<Text, _>(project.to_string())
}

pub(super) fn date_core_versions(project_id: i64) -> Sql<impl Portable> {
    statement!("date_core_versions").bind::<BigInt, _>(project_id)
}

pub(super) fn request_refresh(project: &ProjectName, now: OffsetDateTime) -> Sql<impl Portable + use<>> {
    statement!("request_refresh").bind::<Text, _>(project.to_string()).bind::<Moment, _>(At(now))
}

/// Has feeds asked for at once that are known to be out of date, unless that was done within six hours: what one site says
/// it has must not keep drupal.org busy.
pub(crate) fn ask_sooner(projects: Vec<i64>, now: OffsetDateTime) -> Sql<impl Portable> {
    statement!(pair "ask_sooner")
        .bind::<Moment, _>(At(now))
        .bind::<Moment, _>(At(now - Duration::hours(6)))
        .bind_list(projects)
}

/// How many sites use each project, where that is not what its row says.
pub(super) fn usage() -> Sql<impl Portable> {
    statement!("usage")
}

/// Writes how many sites use projects.
pub(super) fn write_usage(rows: &[UsageRow]) -> Sql<impl Portable> {
    statement!(pair "write_usage").bind_rows(Batch::of(rows).column("id", |r| r.id).column("sites", |r| r.sites))
}

pub(super) fn take_lease(
    name: &str,
    holder: Uuid,
    now: OffsetDateTime,
    until: OffsetDateTime,
) -> Sql<impl Portable + use<>> {
    statement!("take_lease")
        .bind::<Text, _>(name.to_owned())
        .bind::<Id, _>(DbId(holder))
        .bind::<Moment, _>(At(now))
        .bind::<Moment, _>(At(until))
}

pub(super) fn end_lease(name: &str, holder: Uuid) -> Sql<impl Portable + use<>> {
    statement!("end_lease").bind::<Text, _>(name.to_owned()).bind::<Id, _>(DbId(holder))
}

pub(super) fn release_figures() -> Sql<impl Portable> {
    statement!("release_figures")
}

pub(super) fn insert_releases<'a>(project_id: i64, rows: &'a [ReleaseWrite<'a>]) -> Sql<impl Portable + use<'a>> {
    statement!(pair "insert_releases").bind::<BigInt, _>(project_id).bind_rows(
        Batch::of(rows)
            .column("position", |r| r.position)
            .column("version", |r| r.version)
            .column("status", |r| r.status)
            .column("date", |r| r.date)
            .column("released_at", |r| r.released_at)
            .column("link", |r| r.link)
            .column("insecure", |r| r.insecure)
            .column("unsupported", |r| r.unsupported)
            .column("security_update", |r| r.security_update)
            .column("covered", |r| r.covered)
            .column("core_compatibility", |r| r.core_compatibility),
    )
}

pub(super) fn update_assessments(rows: &[Revision]) -> Sql<impl Portable> {
    statement!(pair "update_assessments").bind_rows(
        Batch::of(rows)
            .column("id", |r| r.id)
            .column("status", |r| r.status)
            .column("needs_update", |r| r.needs_update)
            .column("class", |r| r.class)
            .column("reason", |r| r.reason)
            .column("covered", |r| r.covered)
            .column("security_updates", |r| r.security_updates.as_str())
            .column("recommended", |r| r.recommended.as_deref())
            .column("core_compatibility", |r| r.core_compatibility.as_deref()),
    )
}

/// Projects that nobody uses. Their releases go with them, and the age of release data is that of the others.
pub(crate) const UNUSED_PROJECTS: Sweep = Sweep {
    look: |span, cutoff| {
        within(statement!("unused_projects"), span)
            .bind::<Moment, _>(At(cutoff.introduced()))
            .bind::<Moment, _>(At(cutoff.audit))
            .boxed()
    },
    lock: |ids| statement!(pg "lock_unused_projects").bind_list(ids).boxed(),
    delete: |ids| {
        vec![
            statement!(pair "delete_unused_releases").bind_list(ids.clone()).boxed(),
            statement!(pair "delete_unused_projects").bind_list(ids).boxed(),
            next_generation().boxed(),
            lock_release_data().boxed(),
            update_release_data().boxed(),
        ]
    },
};

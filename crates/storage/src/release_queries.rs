//! The statements about release data that are the same on both backends, with their parameters.

use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
use module_monitor_domain::{Feed, ProjectName, ReleaseHistory, SiteId};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::assess::LOOKUPS_A_DAY;
use crate::queries::limit;
use crate::sql_types::{At, DbId, Id, Moment};
use crate::statement::{Portable, Sql, sql};
use crate::{Check, CheckOutcome, Fetched, Page};

/// A site's new projects are counted over this long.
const A_DAY: Duration = Duration::DAY;

pub(crate) fn project_feeds(project: &ProjectName) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/project_feeds.sql")).bind::<Text, _>(project.to_string())
}

pub(crate) fn due_projects(now: OffsetDateTime, most: usize) -> Sql<impl Portable> {
    sql(include_str!("sql/due_projects.sql"))
        .bind::<Moment, _>(At(now))
        .bind::<Moment, _>(At(now - A_DAY))
        .bind::<BigInt, _>(limit(most))
        .bind::<BigInt, _>(LOOKUPS_A_DAY)
}

pub(crate) fn count_introduced(site: SiteId, now: OffsetDateTime) -> Sql<impl Portable> {
    sql(include_str!("sql/count_introduced.sql")).bind::<Id, _>(DbId::from(site)).bind::<Moment, _>(At(now - A_DAY))
}

pub(crate) fn releases(project: &ProjectName, feed: Feed, page: &Page<i64>) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/releases_of_feed.sql"))
        .bind::<Text, _>(project.to_string())
        .bind::<Text, _>(feed.as_str())
        .bind::<BigInt, _>(page.after.unwrap_or(-1))
        .bind::<BigInt, _>(limit(page.limit))
}

pub(crate) fn insert_project(history: &ReleaseHistory, fetched: &Fetched) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/insert_project.sql"))
        .bind::<Text, _>(history.project.to_string())
        .bind::<Text, _>(history.feed.as_str())
        .bind::<Moment, _>(At(fetched.next_check_at))
        .bind::<Moment, _>(At(fetched.at))
}

pub(crate) fn update_project(
    id: i64,
    history: &ReleaseHistory,
    content_hash: Vec<u8>,
    fetched: &Fetched,
) -> Sql<impl Portable + use<>> {
    let support = history.support.clone();
    sql(include_str!("sql/update_project.sql"))
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

pub(crate) fn note_check(check: &Check) -> Sql<impl Portable + use<>> {
    let (kind, error) = match &check.outcome {
        CheckOutcome::NotModified => ("not_modified", None),
        CheckOutcome::NoHistory => ("no_history", None),
        CheckOutcome::Failed(error) => ("failed", Some(error.clone())),
    };
    sql(include_str!("sql/note_check.sql"))
        .bind::<Text, _>(check.project.to_string())
        .bind::<Text, _>(check.feed.as_str())
        .bind::<Moment, _>(At(check.at))
        .bind::<Moment, _>(At(check.next_check_at))
        .bind::<Text, _>(kind)
        .bind::<Nullable<Text>, _>(error)
}

/// Run it before [`update_release_data`], in the same transaction.
pub(crate) fn lock_release_data() -> Sql<impl Portable> {
    sql(include_str!("sql/lock_release_data.sql"))
}

pub(crate) fn update_release_data() -> Sql<impl Portable> {
    sql(include_str!("sql/update_release_data.sql"))
}

pub(crate) fn delete_releases(project_id: i64) -> Sql<impl Portable> {
    sql(include_str!("sql/delete_releases.sql")).bind::<BigInt, _>(project_id)
}

pub(crate) fn assessments(project: &ProjectName, feed: Feed) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/assessments_of_feed.sql")).bind::<Text, _>(project.to_string()).bind::<Text, _>(feed.as_str())
}

pub(crate) fn date_versions(project_id: i64, project: &ProjectName) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/date_versions.sql")).bind::<BigInt, _>(project_id).bind::<Text, _>(project.to_string())
}

pub(crate) fn date_core_versions(project_id: i64) -> Sql<impl Portable> {
    sql(include_str!("sql/date_core_versions.sql")).bind::<BigInt, _>(project_id)
}

pub(crate) fn request_refresh(project: &ProjectName, now: OffsetDateTime) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/request_refresh.sql")).bind::<Text, _>(project.to_string()).bind::<Moment, _>(At(now))
}

pub(crate) fn assessment_to_recount() -> Sql<impl Portable> {
    sql(include_str!("sql/assessment_to_recount.sql"))
}

pub(crate) fn sites_to_recount(assessment: i64, after: Option<DbId>, most: usize) -> Sql<impl Portable> {
    sql(include_str!("sql/sites_to_recount.sql"))
        .bind::<BigInt, _>(assessment)
        .bind::<Id, _>(after.unwrap_or(DbId(Uuid::nil())))
        .bind::<BigInt, _>(limit(most))
}

/// The sites of an assessment have been recounted up to `to`, or all of them, for its `revision`.
pub(crate) fn recounted(assessment: i64, revision: i64, to: Option<SiteId>) -> Sql<impl Portable> {
    sql(include_str!("sql/recounted.sql"))
        .bind::<BigInt, _>(assessment)
        .bind::<BigInt, _>(revision)
        .bind::<Nullable<Id>, _>(to.map(DbId::from))
}

pub(crate) fn pending_recounts() -> Sql<impl Portable> {
    sql(include_str!("sql/pending_recounts.sql"))
}

pub(crate) fn take_lease(
    name: &str,
    holder: Uuid,
    now: OffsetDateTime,
    until: OffsetDateTime,
) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/take_lease.sql"))
        .bind::<Text, _>(name.to_owned())
        .bind::<Id, _>(DbId(holder))
        .bind::<Moment, _>(At(now))
        .bind::<Moment, _>(At(until))
}

pub(crate) fn end_lease(name: &str, holder: Uuid) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/end_turn.sql")).bind::<Text, _>(name.to_owned()).bind::<Id, _>(DbId(holder))
}

pub(crate) fn release_figures() -> Sql<impl Portable> {
    sql(include_str!("sql/release_figures.sql"))
}

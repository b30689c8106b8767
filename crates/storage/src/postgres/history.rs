//! Storing a release history and judging by it, on PostgreSQL.

use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use module_monitor_domain::{Feed, ProjectName, ReleaseHistory};

use super::bulk::{Written, column};
use crate::history::{ReleaseWrite, content_hash, release_writes, revisions};
use crate::rows::{AssessmentRow, ProjectRow, ReleaseRow, histories};
use crate::sql_types::Moment;
use crate::statement::sql;
use crate::{Fetched, StorageError, StoredHistory, release_queries};

/// Stores `history` and judges by it, within a transaction. Holds the project's row from the beginning.
pub(super) async fn store(
    connection: &mut AsyncPgConnection,
    history: &ReleaseHistory,
    fetched: &Fetched,
) -> Result<StoredHistory, StorageError> {
    release_queries::insert_project(history, fetched).execute(connection).await?;
    let project = lock(connection, &history.project, history.feed).await?;
    let project = project.ok_or_else(|| StorageError::corrupt("project: gone", &history.project))?;
    let releases = release_writes(history);
    let hash = content_hash(history, &releases);
    let changed = project.content_hash.as_ref() != Some(&hash);
    release_queries::update_project(project.id, history, hash, fetched).execute(connection).await?;
    let mut assessments = 0;
    if changed {
        release_queries::delete_releases(project.id).execute(connection).await?;
        insert_releases(connection, project.id, &releases).await?;
        assessments = revise(connection, &history.project, history.feed, Some(history)).await?;
        if history.project == ProjectName::drupal() {
            release_queries::date_core_versions(project.id).execute(connection).await?;
        } else {
            release_queries::date_versions(project.id, &history.project).execute(connection).await?;
        }
    }
    release_queries::lock_release_data().execute(connection).await?;
    release_queries::update_release_data().execute(connection).await?;
    Ok(StoredHistory { releases: releases.len(), changed, assessments })
}

/// Judges anew by what is stored of a project, within a transaction. Says how many assessments are others now.
pub(super) async fn judge_again(
    connection: &mut AsyncPgConnection,
    project: &ProjectName,
    feed: Feed,
) -> Result<usize, StorageError> {
    let Some(row) = lock(connection, project, feed).await? else {
        return Ok(0);
    };
    let releases: Vec<ReleaseRow> = sql(include_str!("sql/releases_of_projects.sql"))
        .bind::<Array<BigInt>, _>(vec![row.id])
        .get_results(connection)
        .await?;
    let history = histories(&[row], releases)?.remove(project);
    revise(connection, project, feed, history.as_ref()).await
}

async fn lock(
    connection: &mut AsyncPgConnection,
    project: &ProjectName,
    feed: Feed,
) -> Result<Option<ProjectRow>, StorageError> {
    let mut rows: Vec<ProjectRow> = sql(include_str!("sql/lock_projects.sql"))
        .bind::<Text, _>(feed.as_str())
        .bind::<Array<Text>, _>(vec![project.as_str()])
        .get_results(connection)
        .await?;
    Ok(rows.pop())
}

async fn revise(
    connection: &mut AsyncPgConnection,
    project: &ProjectName,
    feed: Feed,
    history: Option<&ReleaseHistory>,
) -> Result<usize, StorageError> {
    let rows: Vec<AssessmentRow> = release_queries::assessments(project, feed).get_results(connection).await?;
    let revisions = revisions(rows, project, feed, history);
    if revisions.is_empty() {
        return Ok(0);
    }
    sql(include_str!("sql/update_assessments.sql"))
        .bind::<Array<BigInt>, _>(column(&revisions, |r| r.id))
        .bind::<Array<Text>, _>(column(&revisions, |r| r.status))
        .bind::<Array<Bool>, _>(column(&revisions, |r| r.needs_update))
        .bind::<Array<Text>, _>(column(&revisions, |r| r.security_updates.as_str()))
        .bind::<Array<Nullable<Text>>, _>(column(&revisions, |r| r.recommended.as_deref()))
        .bind::<Array<Bool>, _>(column(&revisions, |r| r.revised))
        .execute(connection)
        .await?;
    Ok(revisions.len())
}

async fn insert_releases(
    connection: &mut AsyncPgConnection,
    project_id: i64,
    releases: &[ReleaseWrite<'_>],
) -> Written {
    sql(include_str!("sql/insert_releases.sql"))
        .bind::<BigInt, _>(project_id)
        .bind::<Array<Integer>, _>(column(releases, |r| r.position))
        .bind::<Array<Text>, _>(column(releases, |r| r.version))
        .bind::<Array<Text>, _>(column(releases, |r| r.status))
        .bind::<Array<Nullable<BigInt>>, _>(column(releases, |r| r.date))
        .bind::<Array<Nullable<Moment>>, _>(column(releases, |r| r.released_at))
        .bind::<Array<Text>, _>(column(releases, |r| r.link))
        .bind::<Array<Bool>, _>(column(releases, |r| r.insecure))
        .bind::<Array<Bool>, _>(column(releases, |r| r.unsupported))
        .bind::<Array<Bool>, _>(column(releases, |r| r.security_update))
        .bind::<Array<Nullable<Bool>>, _>(column(releases, |r| r.covered))
        .bind::<Array<Nullable<Text>>, _>(column(releases, |r| r.core_compatibility))
        .execute(connection)
        .await?;
    Ok(())
}

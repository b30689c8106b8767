//! Storing a release history and judging by it, on SQLite.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use module_monitor_domain::{Feed, ProjectName, ReleaseHistory};

use crate::history::{content_hash, release_writes, revisions};
use crate::rows::{AssessmentRow, ProjectRow, ReleaseRow, histories};
use crate::statement::sql;
use crate::sync_writes::json;
use crate::{Fetched, StorageError, StoredHistory, release_queries};

/// Stores `history` and judges by it, within a transaction.
pub(super) fn store(
    connection: &mut SqliteConnection,
    history: &ReleaseHistory,
    fetched: &Fetched,
) -> Result<StoredHistory, StorageError> {
    release_queries::insert_project(history, fetched).execute(connection)?;
    let project = read(connection, &history.project, history.feed)?;
    let project = project.ok_or_else(|| StorageError::corrupt("project: gone", &history.project))?;
    let releases = release_writes(history);
    let hash = content_hash(history, &releases);
    let changed = project.content_hash.as_ref() != Some(&hash);
    release_queries::update_project(project.id, history, hash, fetched).execute(connection)?;
    let mut assessments = 0;
    if changed {
        release_queries::delete_releases(project.id).execute(connection)?;
        sql(include_str!("sql/insert_releases.sql"))
            .bind::<BigInt, _>(project.id)
            .bind::<Text, _>(json(&releases))
            .execute(connection)?;
        assessments = revise(connection, &history.project, history.feed, Some(history))?;
        if history.project == ProjectName::drupal() {
            release_queries::date_core_versions(project.id).execute(connection)?;
        } else {
            release_queries::date_versions(project.id, &history.project).execute(connection)?;
        }
    }
    release_queries::update_release_data().execute(connection)?;
    Ok(StoredHistory { releases: releases.len(), changed, assessments })
}

/// Judges anew by what is stored of a project, within a transaction. Says how many assessments are others now.
pub(super) fn judge_again(
    connection: &mut SqliteConnection,
    project: &ProjectName,
    feed: Feed,
) -> Result<usize, StorageError> {
    let Some(row) = read(connection, project, feed)? else {
        return Ok(0);
    };
    let releases: Vec<ReleaseRow> =
        sql(include_str!("sql/releases_of_projects.sql")).bind::<Text, _>(json(&[row.id])).get_results(connection)?;
    let history = histories(&[row], releases)?.remove(project);
    revise(connection, project, feed, history.as_ref())
}

fn read(
    connection: &mut SqliteConnection,
    project: &ProjectName,
    feed: Feed,
) -> Result<Option<ProjectRow>, StorageError> {
    let row = sql(include_str!("sql/read_projects.sql"))
        .bind::<Text, _>(feed.as_str())
        .bind::<Text, _>(json(&[project.as_str()]))
        .get_result(connection);
    Ok(row.optional()?)
}

fn revise(
    connection: &mut SqliteConnection,
    project: &ProjectName,
    feed: Feed,
    history: Option<&ReleaseHistory>,
) -> Result<usize, StorageError> {
    let rows: Vec<AssessmentRow> = release_queries::assessments(project, feed).get_results(connection)?;
    let revisions = revisions(rows, project, feed, history);
    if !revisions.is_empty() {
        sql(include_str!("sql/update_assessments.sql")).bind::<Text, _>(json(&revisions)).execute(connection)?;
    }
    Ok(revisions.len())
}

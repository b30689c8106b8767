//! Finding and making the assessments of a sync on SQLite, within its transaction, which is the only one that writes.

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::bulk::Written;
use crate::assess::{Assessed, Key, Known, MovedRow, Wanted};
use crate::rows::{AssessmentKeyRow, CountRow, ProjectRow, ReleaseRow, histories};
use crate::sql_types::{At, DbId, Id, Moment};
use crate::statement::sql;
use crate::sync_writes::json;
use crate::{StorageError, SyncCommand, release_queries};

/// Finds the assessments of a sync and makes those that are missing.
pub(super) fn assess(
    connection: &mut SqliteConnection,
    command: &SyncCommand,
    wanted: Wanted,
) -> Result<Assessed, StorageError> {
    let mut known = find(connection, command, &wanted)?;
    introduce(connection, command, &wanted, &known)?;
    let missing = known.missing(&wanted);
    if !missing.is_empty() {
        make(connection, &wanted, &missing)?;
        known = find(connection, command, &wanted)?;
    }
    Assessed::of(wanted, known)
}

fn find(connection: &mut SqliteConnection, command: &SyncCommand, wanted: &Wanted) -> Result<Known, StorageError> {
    let key = |key: &Key| serde_json::json!({ "project": key.project.as_str(), "version": key.version, "datestamp": key.datestamp });
    let keys: serde_json::Value = wanted.keys().into_iter().map(key).collect();
    let rows: Vec<AssessmentKeyRow> = sql(include_str!("sql/find_assessments.sql"))
        .bind::<Text, _>(wanted.feed.as_str())
        .bind::<Id, _>(DbId::from(command.site_id))
        .bind::<Text, _>(keys.to_string())
        .get_results(connection)?;
    Known::of(rows)
}

/// Makes projects known, and gives those an earlier turn that another site has not had looked up yet.
fn introduce(connection: &mut SqliteConnection, command: &SyncCommand, wanted: &Wanted, known: &Known) -> Written {
    let now = command.received_at;
    if !known.introduces(now) {
        return Ok(());
    }
    let used: CountRow = release_queries::count_introduced(command.site_id, now).get_result(connection)?;
    let (new, sooner) = known.introductions(wanted, used.count, now);
    if !new.is_empty() {
        sql(include_str!("sql/insert_projects.sql"))
            .bind::<Text, _>(wanted.feed.as_str())
            .bind::<Id, _>(DbId::from(command.site_id))
            .bind::<Moment, _>(At(now))
            .bind::<Text, _>(json(&new))
            .execute(connection)?;
    }
    if !sooner.is_empty() {
        sql(include_str!("sql/take_over_projects.sql"))
            .bind::<Text, _>(wanted.feed.as_str())
            .bind::<Id, _>(DbId::from(command.site_id))
            .bind::<Text, _>(json(&sooner))
            .execute(connection)?;
    }
    Ok(())
}

/// Judges `missing` by what is stored of their projects.
fn make(connection: &mut SqliteConnection, wanted: &Wanted, missing: &[&Key]) -> Written {
    let names: Vec<&str> = missing.iter().map(|key| key.project.as_str()).collect();
    let projects: Vec<ProjectRow> = sql(include_str!("sql/read_projects.sql"))
        .bind::<Text, _>(wanted.feed.as_str())
        .bind::<Text, _>(json(&names))
        .get_results(connection)?;
    let fetched: Vec<i64> = projects.iter().filter(|project| project.is_fetched()).map(|project| project.id).collect();
    let releases: Vec<ReleaseRow> = if fetched.is_empty() {
        Vec::new()
    } else {
        sql(include_str!("sql/releases_of_projects.sql")).bind::<Text, _>(json(&fetched)).get_results(connection)?
    };
    let histories = histories(&projects, releases)?;
    let rows: Vec<_> = missing.iter().map(|key| key.judge(histories.get(&key.project), wanted.feed)).collect();
    sql(include_str!("sql/insert_assessments.sql"))
        .bind::<Text, _>(wanted.feed.as_str())
        .bind::<Text, _>(json(&rows))
        .execute(connection)?;
    Ok(())
}

/// Points rows at other assessments that stay as they are otherwise.
pub(super) fn move_rows(connection: &mut SqliteConnection, command: &SyncCommand, rows: &[MovedRow]) -> Written {
    sql(include_str!("sql/move_site_modules.sql"))
        .bind::<Id, _>(DbId::from(command.site_id))
        .bind::<Text, _>(json(rows))
        .execute(connection)?;
    Ok(())
}

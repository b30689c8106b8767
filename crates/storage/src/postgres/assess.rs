//! Finding and making the assessments of a sync on PostgreSQL, within its transaction.

use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::bulk::{Written, column};
use crate::assess::{Assessed, Introduction, Key, Known, MovedRow, Wanted};
use crate::rows::{AssessmentKeyRow, CountRow, ProjectRow, ReleaseRow, histories};
use crate::sql_types::{At, DbId, Id, Moment};
use crate::statement::sql;
use crate::{StorageError, SyncCommand, release_queries};

/// Finds the assessments of a sync, makes those that are missing, and holds a share of their projects' rows until the
/// sync is committed: an import that comes in between waits, and then finds what the sync has written.
pub(super) async fn assess(
    connection: &mut AsyncPgConnection,
    command: &SyncCommand,
    wanted: Wanted,
) -> Result<Assessed, StorageError> {
    let mut known = find(connection, command, &wanted).await?;
    let (new, sooner) = introductions(connection, command, &wanted, &known).await?;
    if !new.is_empty() {
        insert_projects(connection, command, &wanted, &new).await?;
    }
    let lock =
        if sooner.is_empty() { include_str!("sql/share_projects.sql") } else { include_str!("sql/lock_projects.sql") };
    let projects: Vec<ProjectRow> = sql(lock)
        .bind::<Text, _>(wanted.feed.as_str())
        .bind::<Array<Text>, _>(wanted.projects())
        .get_results(connection)
        .await?;
    if !sooner.is_empty() {
        take_over(connection, command, &wanted, &sooner).await?;
    }
    let missing = known.missing(&wanted);
    if !missing.is_empty() {
        make(connection, &wanted, &missing, projects).await?;
        known = find(connection, command, &wanted).await?;
    }
    Assessed::of(wanted, known)
}

async fn find(
    connection: &mut AsyncPgConnection,
    command: &SyncCommand,
    wanted: &Wanted,
) -> Result<Known, StorageError> {
    let keys = wanted.keys();
    let rows: Vec<AssessmentKeyRow> = sql(include_str!("sql/find_assessments.sql"))
        .bind::<Text, _>(wanted.feed.as_str())
        .bind::<Id, _>(DbId::from(command.site_id))
        .bind::<Array<Text>, _>(column(&keys, |key| key.project.as_str()))
        .bind::<Array<Text>, _>(column(&keys, |key| key.version.as_str()))
        .bind::<Array<BigInt>, _>(column(&keys, |key| key.datestamp))
        .get_results(connection)
        .await?;
    Known::of(rows)
}

async fn introductions(
    connection: &mut AsyncPgConnection,
    command: &SyncCommand,
    wanted: &Wanted,
    known: &Known,
) -> Result<(Vec<Introduction>, Vec<Introduction>), StorageError> {
    let now = command.received_at;
    if !known.introduces(now) {
        return Ok((Vec::new(), Vec::new()));
    }
    let used: CountRow = release_queries::count_introduced(command.site_id, now).get_result(connection).await?;
    Ok(known.introductions(wanted, used.count, now))
}

async fn insert_projects(
    connection: &mut AsyncPgConnection,
    command: &SyncCommand,
    wanted: &Wanted,
    new: &[Introduction],
) -> Written {
    sql(include_str!("sql/insert_projects.sql"))
        .bind::<Text, _>(wanted.feed.as_str())
        .bind::<Id, _>(DbId::from(command.site_id))
        .bind::<Moment, _>(At(command.received_at))
        .bind::<Array<Text>, _>(column(new, |project| project.name.as_str()))
        .bind::<Array<Moment>, _>(column(new, |project| project.next_check_at))
        .execute(connection)
        .await?;
    Ok(())
}

async fn take_over(
    connection: &mut AsyncPgConnection,
    command: &SyncCommand,
    wanted: &Wanted,
    sooner: &[Introduction],
) -> Written {
    sql(include_str!("sql/take_over_projects.sql"))
        .bind::<Text, _>(wanted.feed.as_str())
        .bind::<Id, _>(DbId::from(command.site_id))
        .bind::<Array<Text>, _>(column(sooner, |project| project.name.as_str()))
        .bind::<Array<Moment>, _>(column(sooner, |project| project.next_check_at))
        .execute(connection)
        .await?;
    Ok(())
}

/// Judges `missing` by what is stored of their projects, and inserts what another sync has not inserted meanwhile.
async fn make(
    connection: &mut AsyncPgConnection,
    wanted: &Wanted,
    missing: &[&Key],
    mut projects: Vec<ProjectRow>,
) -> Written {
    let names: std::collections::HashSet<_> = missing.iter().map(|key| &key.project).collect();
    projects.retain(|project| project.name().is_ok_and(|name| names.contains(&name)));
    let fetched: Vec<i64> = projects.iter().filter(|project| project.is_fetched()).map(|project| project.id).collect();
    let releases: Vec<ReleaseRow> = if fetched.is_empty() {
        Vec::new()
    } else {
        sql(include_str!("sql/releases_of_projects.sql"))
            .bind::<Array<BigInt>, _>(fetched)
            .get_results(connection)
            .await?
    };
    let histories = histories(&projects, releases)?;
    let rows: Vec<_> = missing.iter().map(|key| key.judge(histories.get(&key.project), wanted.feed)).collect();
    sql(include_str!("sql/insert_assessments.sql"))
        .bind::<Text, _>(wanted.feed.as_str())
        .bind::<Array<Text>, _>(column(&rows, |row| row.project.as_str()))
        .bind::<Array<Text>, _>(column(&rows, |row| row.version.as_str()))
        .bind::<Array<BigInt>, _>(column(&rows, |row| row.datestamp))
        .bind::<Array<Nullable<Text>>, _>(column(&rows, |row| row.sort_key.as_deref()))
        .bind::<Array<Text>, _>(column(&rows, |row| row.status))
        .bind::<Array<Bool>, _>(column(&rows, |row| row.needs_update))
        .bind::<Array<Text>, _>(column(&rows, |row| row.security_updates.as_str()))
        .bind::<Array<Nullable<Text>>, _>(column(&rows, |row| row.recommended.as_deref()))
        .execute(connection)
        .await?;
    Ok(())
}

/// Points rows at other assessments that stay as they are otherwise.
pub(super) async fn move_rows(
    connection: &mut AsyncPgConnection,
    command: &SyncCommand,
    rows: Vec<MovedRow>,
) -> Written {
    sql(include_str!("sql/move_site_modules.sql"))
        .bind::<Id, _>(DbId::from(command.site_id))
        .bind::<Array<BigInt>, _>(column(&rows, |row| row.module_id))
        .bind::<Array<BigInt>, _>(column(&rows, |row| row.assessment_id))
        .execute(connection)
        .await?;
    Ok(())
}

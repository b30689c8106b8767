//! Finding the assessments of a sync, and making those that are missing.

use std::collections::HashSet;

use module_monitor_domain::SiteId;
use time::OffsetDateTime;

use super::key::Key;
use super::queries;
use super::rows::AssessmentKeyRow;
use super::wanted::{Assessed, Introduction, Known, Wanted};
use crate::engine::error::StorageError;
use crate::engine::read::CountRow;
use crate::engine::transaction::Transaction;
use crate::releases;
use crate::releases::rows::{ProjectRow, ReleaseRow, histories};

/// Finds the assessments of a sync of `site` at `now`, and makes those that are missing. Holds the rows of their projects
/// locked for share until the sync is committed: an import that comes in between waits, and then finds what the sync has
/// written.
pub(crate) async fn assess<T: Transaction>(
    transaction: &mut T,
    site: SiteId,
    now: OffsetDateTime,
    wanted: Wanted,
) -> Result<Assessed, StorageError> {
    let mut known = find(transaction, site, &wanted).await?;
    let (new, sooner) = introductions(transaction, site, now, &wanted, &known).await?;
    if !new.is_empty() {
        transaction.execute(queries::insert_projects(wanted.feed, site, now, &new)).await?;
    }
    let projects = lock(transaction, &wanted, !sooner.is_empty()).await?;
    if !sooner.is_empty() {
        transaction.execute(queries::take_over_projects(wanted.feed, site, &sooner)).await?;
    }
    let missing = known.missing(&wanted);
    if !missing.is_empty() {
        make(transaction, &wanted, &missing, projects).await?;
        known = find(transaction, site, &wanted).await?;
    }
    Assessed::of(wanted, known)
}

async fn find<T: Transaction>(transaction: &mut T, site: SiteId, wanted: &Wanted) -> Result<Known, StorageError> {
    let rows = transaction.rows::<AssessmentKeyRow>(queries::find(wanted.feed, site, &wanted.keys())).await?;
    Known::of(rows)
}

async fn introductions<T: Transaction>(
    transaction: &mut T,
    site: SiteId,
    now: OffsetDateTime,
    wanted: &Wanted,
    known: &Known,
) -> Result<(Vec<Introduction>, Vec<Introduction>), StorageError> {
    if !known.introduces(now) {
        return Ok((Vec::new(), Vec::new()));
    }
    let used = transaction.first::<CountRow>(releases::queries::count_introduced(site, now)).await?;
    Ok(known.introductions(wanted, used.map_or(0, |row| row.count), now))
}

async fn lock<T: Transaction>(
    transaction: &mut T,
    wanted: &Wanted,
    to_write: bool,
) -> Result<Vec<ProjectRow>, StorageError> {
    if to_write {
        return transaction.rows(queries::lock_projects(wanted.feed, wanted.projects())).await;
    }
    transaction.rows(queries::share_projects(wanted.feed, wanted.projects())).await
}

/// Judges `missing` by what is stored of their projects, and inserts what another sync has not inserted meanwhile.
async fn make<T: Transaction>(
    transaction: &mut T,
    wanted: &Wanted,
    missing: &[&Key],
    mut projects: Vec<ProjectRow>,
) -> Result<(), StorageError> {
    let names: HashSet<_> = missing.iter().map(|key| &key.project).collect();
    projects.retain(|project| project.name().is_ok_and(|name| names.contains(&name)));
    let fetched: Vec<i64> = projects.iter().filter(|project| project.is_fetched()).map(|project| project.id).collect();
    let releases = match fetched.is_empty() {
        true => Vec::new(),
        false => transaction.rows::<ReleaseRow>(queries::releases_of_projects(fetched)).await?,
    };
    let histories = histories(&projects, releases)?;
    let absent: HashSet<_> = projects.iter().filter(|p| p.is_absent()).filter_map(|p| p.name().ok()).collect();
    let judge = |key: &&Key| key.judge(histories.get(&key.project), absent.contains(&key.project), wanted.feed);
    let rows: Vec<_> = missing.iter().map(judge).collect();
    transaction.execute(queries::insert(wanted.feed, &rows)).await.map(drop)
}

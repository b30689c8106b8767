//! Finding the assessments of a sync, and making those that are missing.

use std::collections::{HashMap, HashSet};

use module_monitor_domain::{SiteId, is_behind};
use time::{Duration, OffsetDateTime};

use super::key::Key;
use super::queries;
use super::rows::{AssessmentKeyRow, IntroducedRow};
use super::wanted::{Assessed, Introduction, Known, Wanted};
use crate::engine::error::StorageError;
use crate::engine::read::CountRow;
use crate::engine::transaction::Transaction;
use crate::releases;
use crate::releases::rows::{ProjectRow, ReleaseRow, histories};

/// Versions of one project that a site may be the first to name in a day, each with the datestamps of its dev releases.
const VERSIONS_OF_A_PROJECT: i64 = 20;
/// Versions in all that a site may be the first to name in a day: twice what its report may hold.
const VERSIONS_IN_ALL: i64 = 4_000;

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
    if projects.len() < wanted.projects().len() {
        // Nobody used it, and it has been removed since it was found here.
        return Err(StorageError::Contention("a project has been removed".into()));
    }
    if !sooner.is_empty() {
        transaction.execute(queries::take_over_projects(wanted.feed, site, &sooner)).await?;
    }
    let missing = known.missing(&wanted);
    let (mut behind, mut postponed) = (Vec::new(), 0);
    if !missing.is_empty() {
        let since = now - Duration::DAY;
        let introduced = transaction.rows::<IntroducedRow>(queries::introduced(site, since)).await?;
        let allowed = within_bounds(&wanted, &missing, introduced);
        postponed = missing.len() - allowed.len();
        behind = make(transaction, (site, now), &wanted, &allowed, projects).await?;
        known = find(transaction, site, &wanted).await?;
    }
    Assessed::of(&wanted, known, behind, postponed)
}

/// Those of the missing ones that the site may still add to what is judged for all: so many of a project in a day, and so
/// many in all. The version of its core always is.
fn within_bounds<'a>(wanted: &Wanted, missing: &[&'a Key], introduced: Vec<IntroducedRow>) -> Vec<&'a Key> {
    let mut in_all: i64 = introduced.iter().map(|row| row.count).sum();
    let mut of_project: HashMap<String, i64> = introduced.into_iter().map(|row| (row.project, row.count)).collect();
    let mut fits = |key: &&Key| {
        let count = of_project.entry(key.project.to_string()).or_default();
        let fits = wanted.is_core(key) || (*count < VERSIONS_OF_A_PROJECT && in_all < VERSIONS_IN_ALL);
        *count += 1;
        in_all += 1;
        fits
    };
    missing.iter().copied().filter(|key| fits(key)).collect()
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

/// Judges `missing` by what is stored of their projects, and inserts what another sync has not inserted meanwhile. The
/// projects of which the site has a release that came later than everything stored.
async fn make<T: Transaction>(
    transaction: &mut T,
    (site, now): (SiteId, OffsetDateTime),
    wanted: &Wanted,
    missing: &[&Key],
    mut projects: Vec<ProjectRow>,
) -> Result<Vec<i64>, StorageError> {
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
    transaction.execute(queries::insert(wanted.feed, site, now, &rows)).await?;
    let is_behind = |project: &&ProjectRow| {
        let Some(history) = project.name().ok().and_then(|name| histories.get(&name)) else { return false };
        missing.iter().any(|key| key.project == history.project && is_behind(history, &key.version))
    };
    Ok(projects.iter().filter(is_behind).map(|project| project.id).collect())
}

//! Finding the assessments of a sync, and making those that are missing.

use std::collections::{HashMap, HashSet};

use module_monitor_domain::{SiteId, is_behind};
use time::{Duration, OffsetDateTime};

use super::key::Key;
use super::queries;
use super::rows::{FoundRow, IntroducedRow};
use super::wanted::{Assessed, Known, Wanted};
use crate::engine::error::StorageError;
use crate::engine::transaction::Transaction;
use crate::releases::rows::{ProjectRow, ReleaseRow, histories};

/// Versions of one project that a site may be the first to name in a day, each with the datestamps of its dev releases.
const VERSIONS_OF_A_PROJECT: i64 = 20;
/// Versions in all that a site may be the first to name in a day: twice what its report may hold.
const VERSIONS_IN_ALL: i64 = 4_000;

/// Finds the assessments of a sync of `site` at `now`, those first that `known` has, and makes those that are missing by what
/// is stored of their projects. Locks nothing: whoever uses what comes of it ends with [`super::changed::agree`].
pub(crate) async fn assess<T: Transaction>(
    transaction: &mut T,
    site: SiteId,
    now: OffsetDateTime,
    wanted: Wanted,
    mut known: Known,
) -> Result<Assessed, StorageError> {
    find(transaction, &wanted, &mut known).await?;
    let missing = known.missing(&wanted);
    let (mut behind, mut postponed, mut judged) = (Vec::new(), 0, Vec::new());
    if !missing.is_empty() {
        let since = now - Duration::DAY;
        let introduced = transaction.rows::<IntroducedRow>(queries::introduced(site, since)).await?;
        let allowed = within_bounds(&wanted, &missing, introduced);
        postponed = missing.len() - allowed.len();
        behind = make(transaction, (site, now), &wanted, &allowed, &mut known).await?;
        judged = allowed.iter().map(|key| key.project.clone()).collect();
        judged.dedup();
        if known.missing(&wanted).len() > postponed {
            // Others have made them meanwhile.
            find(transaction, &wanted, &mut known).await?;
        }
    }
    Assessed::of(wanted, known, behind, postponed, judged)
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

async fn find<T: Transaction>(transaction: &mut T, wanted: &Wanted, known: &mut Known) -> Result<(), StorageError> {
    let unknown = known.missing(wanted);
    if unknown.is_empty() {
        return Ok(());
    }
    known.add(transaction.rows::<FoundRow>(queries::find(wanted.feed, &unknown)).await?)
}

/// Judges `missing` by what is stored of their projects, and inserts what another sync has not inserted meanwhile. The
/// projects of which the site has a release that came later than everything stored.
async fn make<T: Transaction>(
    transaction: &mut T,
    (site, now): (SiteId, OffsetDateTime),
    wanted: &Wanted,
    missing: &[&Key],
    known: &mut Known,
) -> Result<Vec<i64>, StorageError> {
    let mut names: Vec<&str> = missing.iter().map(|key| key.project.as_str()).collect();
    names.dedup();
    let projects = transaction.rows::<ProjectRow>(queries::asked_projects(wanted.feed, names)).await?;
    let fetched: Vec<i64> = projects.iter().filter(|project| project.is_fetched()).map(|project| project.id).collect();
    let releases = match fetched.is_empty() {
        true => Vec::new(),
        false => transaction.rows::<ReleaseRow>(queries::releases_of_projects(fetched)).await?,
    };
    let histories = histories(&projects, releases)?;
    let absent: HashSet<_> = projects.iter().filter(|p| p.is_absent()).filter_map(|p| p.name().ok()).collect();
    let judge = |key: &&Key| key.judge(histories.get(&key.project), absent.contains(&key.project), wanted.feed);
    let rows: Vec<_> = missing.iter().map(judge).collect();
    known.add(transaction.rows::<FoundRow>(queries::insert(wanted.feed, site, now, &rows)).await?)?;
    let is_behind = |project: &&ProjectRow| {
        let Some(history) = project.name().ok().and_then(|name| histories.get(&name)) else { return false };
        missing.iter().any(|key| key.project == history.project && is_behind(history, &key.version))
    };
    Ok(projects.iter().filter(is_behind).map(|project| project.id).collect())
}

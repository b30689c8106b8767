//! Taking in what drupal.org says of a project: storing it, and judging anew every installed version by it.
//! Holds the project's row from the beginning, so that two that take in the same project do it one after the other; syncs
//! are not kept waiting but for the moment in which the change is counted.

use std::sync::Arc;

use module_monitor_domain::{Feed, ProjectName, ReleaseHistory};
use time::OffsetDateTime;

use super::assessments::changed::note_change;
use super::assessments::queries as assessments;
use super::assessments::rows::AssessmentRow;
use super::queries;
use super::rows::{ProjectRow, ReleaseRow, histories};
use super::writes::{content_hash, release_writes, revisions};
use super::{Check, CheckOutcome, Fetched, StoredHistory};
use crate::engine::error::StorageError;
use crate::engine::read::CountRow;
use crate::engine::transaction::{Transaction, Unit};
use crate::{identities, recounts};

/// Replaces what is stored of a feed, and judges by it.
pub(super) struct StoreHistory {
    pub(super) history: Arc<ReleaseHistory>,
    pub(super) fetched: Fetched,
}

impl Unit for StoreHistory {
    type Output = StoredHistory;

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<StoredHistory, StorageError> {
        let (history, fetched) = (&*self.history, &self.fetched);
        let (project, feed) = (&history.project, history.feed);
        let is_new = becomes_a_project(transaction, project).await?;
        transaction.execute(queries::insert_project(history, fetched)).await?;
        let row = lock(transaction, project, feed).await?;
        // It was nobody's, and has been removed since it was looked for.
        let row = row.ok_or_else(|| StorageError::Contention("the project has been removed".into()))?;
        let releases = release_writes(history);
        let hash = content_hash(history, &releases);
        let changed = row.content_hash.as_ref() != Some(&hash);
        transaction.execute(queries::update_project(row.id, history, hash, fetched)).await?;
        let mut revised = Revised::default();
        if changed {
            transaction.execute(queries::delete_releases(row.id)).await?;
            transaction.execute(queries::insert_releases(row.id, &releases)).await?;
            revised = revise(transaction, (project, feed), Some(history), false).await?;
            let dated = match *project == ProjectName::drupal() {
                true => queries::date_core_versions(row.id).boxed(),
                false => queries::date_versions(row.id, project).boxed(),
            };
            transaction.execute(dated).await?;
            transaction.execute(queries::name_module(history)).await?;
            note_change(transaction, row.id).await?;
            revised.mark_sites(transaction, fetched.at).await?;
        }
        if is_new {
            transaction.execute(recounts::queries::request_identification(project.as_str(), fetched.at)).await?;
        }
        update_release_data(transaction).await?;
        Ok(StoredHistory { releases: releases.len(), changed, assessments: revised.assessments })
    }
}

/// Remembers a request that brought no history. What drupal.org does not know is judged by what is stored of it.
pub(super) struct NoteCheck(pub(super) Check);

impl Unit for NoteCheck {
    type Output = ();

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<(), StorageError> {
        let Self(check) = self;
        transaction.execute(queries::note_check(&check)).await?;
        if check.outcome == CheckOutcome::NoHistory {
            judge_again(transaction, &check).await?;
        }
        update_release_data(transaction).await
    }
}

/// Whether drupal.org is about to be known to have a project of that name. Then nobody asks whether it has, until the
/// transaction has ended.
async fn becomes_a_project<T: Transaction>(transaction: &mut T, project: &ProjectName) -> Result<bool, StorageError> {
    if is_project(transaction, project).await? {
        return Ok(false);
    }
    if T::LOCKS_ROWS {
        transaction.rows::<CountRow>(identities::queries::lock_names()).await?;
    }
    Ok(!is_project(transaction, project).await?)
}

async fn is_project<T: Transaction>(transaction: &mut T, project: &ProjectName) -> Result<bool, StorageError> {
    let row = transaction.first::<CountRow>(queries::is_project(project)).await?;
    Ok(row.is_some_and(|row| row.count > 0))
}

/// Judges by what is stored of a project that drupal.org does not know, or no longer.
async fn judge_again<T: Transaction>(transaction: &mut T, check: &Check) -> Result<(), StorageError> {
    let Check { project, feed, at, .. } = check;
    let Some(row) = lock(transaction, project, *feed).await? else { return Ok(()) };
    let id = row.id;
    let releases = transaction.rows::<ReleaseRow>(assessments::releases_of_projects(vec![row.id])).await?;
    let absent = row.is_absent();
    let history = histories(&[row], releases)?.remove(project);
    let revised = revise(transaction, (project, *feed), history.as_ref(), absent).await?;
    note_change(transaction, id).await?;
    revised.mark_sites(transaction, *at).await?;
    transaction.execute(recounts::queries::request_identification(project.as_str(), *at)).await.map(drop)
}

async fn lock<T: Transaction>(
    transaction: &mut T,
    project: &ProjectName,
    feed: Feed,
) -> Result<Option<ProjectRow>, StorageError> {
    transaction.first(assessments::lock_projects(feed, vec![project.as_str()])).await
}

/// Those who change the age of all release data compute it one after the other.
async fn update_release_data<T: Transaction>(transaction: &mut T) -> Result<(), StorageError> {
    if T::LOCKS_ROWS {
        transaction.execute(queries::lock_release_data()).await?;
    }
    transaction.execute(queries::update_release_data()).await.map(drop)
}

/// What has become of the assessments of a project.
#[derive(Default)]
struct Revised {
    /// How many are others now.
    assessments: usize,
    /// Those by which the figures of sites may be others.
    counted: Vec<i64>,
}

impl Revised {
    /// Has the sites counted again that use them.
    async fn mark_sites<T: Transaction>(&self, transaction: &mut T, now: OffsetDateTime) -> Result<(), StorageError> {
        if !self.counted.is_empty() {
            transaction.execute(recounts::queries::request(now, self.counted.clone())).await?;
        }
        Ok(())
    }
}

/// Judges every installed version of a project anew.
async fn revise<T: Transaction>(
    transaction: &mut T,
    (project, feed): (&ProjectName, Feed),
    history: Option<&ReleaseHistory>,
    absent: bool,
) -> Result<Revised, StorageError> {
    let rows = transaction.rows::<AssessmentRow>(assessments::of_feed(project, feed)).await?;
    let revisions = revisions(rows, project, feed, history, absent);
    if !revisions.is_empty() {
        transaction.execute(queries::update_assessments(&revisions)).await?;
    }
    let counted = revisions.iter().filter(|revision| revision.counted).map(|revision| revision.id).collect();
    Ok(Revised { assessments: revisions.len(), counted })
}

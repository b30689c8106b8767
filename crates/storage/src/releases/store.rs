//! The units of work of release data.

use std::sync::Arc;

use async_trait::async_trait;
use module_monitor_domain::{AdminAction, Feed, ProjectName, Release, ReleaseHistory};
use time::OffsetDateTime;
use uuid::Uuid;

use super::assessments;
use super::rows::{ProjectRow, ReleaseFiguresRow, ReleaseRow, UsageRow};
use super::take_in::{NoteCheck, StoreHistory};
use super::{Check, Fetched, ProjectFeed, ReleaseFigures, Releases, StoredHistory, queries};
use crate::admin_log;
use crate::engine::error::StorageError;
use crate::engine::read::{all, small_part};
use crate::engine::transaction::{Backend, Transaction, Unit};
use crate::page::{Page, Part};

/// Projects whose use is written in one transaction.
const USAGE_AT_ONCE: usize = 500;

#[async_trait]
impl<B: Backend> Releases for B {
    async fn store_history(
        &self,
        history: Arc<ReleaseHistory>,
        fetched: Fetched,
    ) -> Result<StoredHistory, StorageError> {
        self.transact(StoreHistory { history, fetched }).await
    }

    async fn note_check(&self, check: Check) -> Result<(), StorageError> {
        self.transact(NoteCheck(check)).await
    }

    async fn due_projects(&self, now: OffsetDateTime, limit: usize) -> Result<Vec<ProjectFeed>, StorageError> {
        all::<ProjectRow, _>(self, queries::due_projects(now, limit)).await
    }

    async fn project_feeds(&self, project: &ProjectName) -> Result<Vec<ProjectFeed>, StorageError> {
        all::<ProjectRow, _>(self, queries::project_feeds(project)).await
    }

    async fn find_history(&self, project: &ProjectName, feed: Feed) -> Result<Option<ReleaseHistory>, StorageError> {
        let rows = self.rows::<ProjectRow>(queries::project_feeds(project)).await?;
        let Some(row) = rows.into_iter().find(|row| row.is_fetched() && row.feed().is_ok_and(|is| is == feed)) else {
            return Ok(None);
        };
        let everything = Page { limit: usize::MAX, after: None };
        let releases = self.project_releases(project, feed, everything).await?;
        row.history(releases.into_iter().map(|(_, release)| release).collect())
    }

    async fn project_releases(
        &self,
        project: &ProjectName,
        feed: Feed,
        page: Page<i64>,
    ) -> Result<Part<(i64, Release)>, StorageError> {
        small_part::<ReleaseRow, _, _>(self, queries::releases(project, feed, &page), &page).await
    }

    async fn request_refresh(
        &self,
        project: &ProjectName,
        now: OffsetDateTime,
        actor: &str,
    ) -> Result<bool, StorageError> {
        if self.project_feeds(project).await?.is_empty() {
            return Ok(false);
        }
        let event = admin_log::queries::insert(now, actor, AdminAction::ProjectRefreshRequested, None, project, None);
        self.execute_all(vec![queries::request_refresh(project, now).boxed(), event.boxed()]).await?;
        Ok(true)
    }

    async fn introduce_forgotten(&self, now: OffsetDateTime) -> Result<usize, StorageError> {
        self.execute(assessments::queries::introduce_forgotten(now)).await
    }

    async fn count_usage(&self) -> Result<usize, StorageError> {
        let mut rows = self.rows::<UsageRow>(queries::usage()).await?;
        let changed = rows.len();
        while !rows.is_empty() {
            let batch = rows.split_off(rows.len().saturating_sub(USAGE_AT_ONCE));
            self.transact(WriteUsage(batch)).await?;
        }
        Ok(changed)
    }

    async fn try_lease(
        &self,
        name: &str,
        holder: Uuid,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<bool, StorageError> {
        Ok(self.execute(queries::take_lease(name, holder, now, until)).await? == 1)
    }

    async fn end_lease(&self, name: &str, holder: Uuid) -> Result<(), StorageError> {
        self.execute(queries::end_lease(name, holder)).await.map(drop)
    }

    async fn release_figures(&self) -> Result<ReleaseFigures, StorageError> {
        let row = self.rows::<ReleaseFiguresRow>(queries::release_figures()).await?.pop();
        Ok(row.map(ReleaseFigures::from).unwrap_or_default())
    }
}

/// Writes how many sites use some projects.
struct WriteUsage(Vec<UsageRow>);

impl Unit for WriteUsage {
    type Output = ();

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<(), StorageError> {
        transaction.execute(queries::write_usage(&self.0)).await.map(drop)
    }
}

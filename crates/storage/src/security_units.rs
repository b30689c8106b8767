//! The units of work around release data, findings and accepted risks, the same on both backends.

use std::sync::Arc;

use async_trait::async_trait;
use module_monitor_domain::{DrupalVersion, Feed, ProjectName, Release, ReleaseHistory, SiteId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::audit_queries::insert_admin_event;
use crate::backend::{Backend, all, first};
use crate::rows::{
    AcceptanceRow, CountRow, FiguresRow, FixedRow, InsecureModuleRow, ProjectModuleRow, ProjectRow, ReleaseFiguresRow,
    ReleaseRow, RevisedRow, SiteIdRow, project_sites, recount_page, security_updates,
};
use crate::statement::BoxedSql;
use crate::{
    Acceptance, Check, CheckOutcome, Fetched, FixedFinding, NewAcceptance, Page, ProjectFeed, ProjectSite, RecountPage,
    ReleaseFigures, Releases, Security, SecurityFilter, SecurityUpdate, StorageError, StoredHistory, release_queries,
    security_queries,
};

/// Acceptances that are ended in one go.
const DUE_AT_ONCE: usize = 100;

#[async_trait]
impl<B: Backend> Releases for B {
    async fn store_history(
        &self,
        history: Arc<ReleaseHistory>,
        fetched: Fetched,
    ) -> Result<StoredHistory, StorageError> {
        self.write_history(history, fetched).await
    }

    async fn note_check(&self, check: Check) -> Result<(), StorageError> {
        let statements = vec![
            release_queries::note_check(&check).boxed(),
            release_queries::lock_release_data().boxed(),
            release_queries::update_release_data().boxed(),
        ];
        self.execute_all(statements).await?;
        if check.outcome == CheckOutcome::NoHistory {
            self.judge_again(check.project, check.feed).await?;
        }
        Ok(())
    }

    async fn due_projects(&self, now: OffsetDateTime, limit: usize) -> Result<Vec<ProjectFeed>, StorageError> {
        all::<ProjectRow, _>(self, release_queries::due_projects(now, limit)).await
    }

    async fn project_feeds(&self, project: &ProjectName) -> Result<Vec<ProjectFeed>, StorageError> {
        all::<ProjectRow, _>(self, release_queries::project_feeds(project)).await
    }

    async fn find_history(&self, project: &ProjectName, feed: Feed) -> Result<Option<ReleaseHistory>, StorageError> {
        let rows = self.rows::<ProjectRow>(release_queries::project_feeds(project)).await?;
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
    ) -> Result<Vec<(i64, Release)>, StorageError> {
        all::<ReleaseRow, _>(self, release_queries::releases(project, feed, &page)).await
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
        let event = insert_admin_event(now, actor, "project.refresh_requested", None, project, None);
        self.execute_all(vec![release_queries::request_refresh(project, now).boxed(), event.boxed()]).await?;
        Ok(true)
    }

    async fn recount_step(&self, now: OffsetDateTime, limit: usize) -> Result<usize, StorageError> {
        loop {
            let Some(next) = self.rows::<RevisedRow>(release_queries::assessment_to_recount()).await?.pop() else {
                return Ok(0);
            };
            let query = release_queries::sites_to_recount(next.id, next.recounted_to, limit);
            let sites: Vec<SiteId> = self.rows::<SiteIdRow>(query).await?.into_iter().map(SiteId::from).collect();
            let to = sites.last().copied().filter(|_| sites.len() >= limit);
            let note = release_queries::recounted(next.id, next.revision, to);
            let recounted = sites.len();
            self.recount(now, sites, vec![note.boxed()]).await?;
            if recounted > 0 {
                return Ok(recounted);
            }
        }
    }

    async fn pending_recounts(&self) -> Result<u64, StorageError> {
        let row = self.rows::<CountRow>(release_queries::pending_recounts()).await?.pop();
        Ok(row.and_then(|row| u64::try_from(row.count).ok()).unwrap_or_default())
    }

    async fn try_lease(
        &self,
        name: &str,
        holder: Uuid,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<bool, StorageError> {
        Ok(self.execute(release_queries::take_lease(name, holder, now, until)).await? == 1)
    }

    async fn end_lease(&self, name: &str, holder: Uuid) -> Result<(), StorageError> {
        self.execute(release_queries::end_lease(name, holder)).await.map(drop)
    }

    async fn release_figures(&self) -> Result<ReleaseFigures, StorageError> {
        let row = self.rows::<ReleaseFiguresRow>(release_queries::release_figures()).await?.pop();
        Ok(row.map(ReleaseFigures::from).unwrap_or_default())
    }
}

#[async_trait]
impl<B: Backend> Security for B {
    async fn security_updates(
        &self,
        filter: SecurityFilter,
        page: Page<(SiteId, String)>,
    ) -> Result<Vec<SecurityUpdate>, StorageError> {
        security_updates(self.rows::<InsecureModuleRow>(security_queries::security_updates(filter, page)).await?)
    }

    async fn fixed_findings(&self, filter: SecurityFilter, page: Page<i64>) -> Result<Vec<FixedFinding>, StorageError> {
        all::<FixedRow, _>(self, security_queries::fixed_findings(filter, &page)).await
    }

    async fn project_sites(
        &self,
        project: &ProjectName,
        below: Option<&DrupalVersion>,
        page: Page<SiteId>,
    ) -> Result<Vec<ProjectSite>, StorageError> {
        project_sites(self.rows::<ProjectModuleRow>(security_queries::project_sites(project, below, &page)).await?)
    }

    async fn create_acceptance(&self, acceptance: NewAcceptance, actor: &str) -> Result<(), StorageError> {
        let (project, site, now) = (acceptance.project.clone(), acceptance.site_id, acceptance.created_at);
        let event = insert_admin_event(
            now,
            actor,
            "acceptance.created",
            site,
            acceptance.id,
            Some(&format!("{project}: {}", acceptance.reason)),
        );
        let insert = security_queries::insert_acceptance(acceptance, actor);
        change_acceptance(self, &project, site, now, vec![insert.boxed(), event.boxed()]).await.map(drop)
    }

    async fn list_acceptances(&self, ended: bool, page: Page<Uuid>) -> Result<Vec<Acceptance>, StorageError> {
        all::<AcceptanceRow, _>(self, security_queries::acceptances(ended, &page)).await
    }

    async fn withdraw_acceptance(&self, id: Uuid, now: OffsetDateTime, actor: &str) -> Result<bool, StorageError> {
        let found: Option<Acceptance> = first::<AcceptanceRow, _>(self, security_queries::acceptance(id)).await?;
        let Some(acceptance) = found.filter(|acceptance| acceptance.ended_at.is_none()) else {
            return Ok(false);
        };
        end(self, &acceptance, now, "withdrawn", actor).await
    }

    async fn end_due_acceptances(&self, now: OffsetDateTime) -> Result<usize, StorageError> {
        let mut ended = 0;
        loop {
            let query = security_queries::due_acceptances(now, DUE_AT_ONCE);
            let due: Vec<Acceptance> = all::<AcceptanceRow, _>(self, query).await?;
            for acceptance in &due {
                ended += usize::from(end(self, acceptance, now, "expired", "module-monitor").await?);
            }
            if due.len() < DUE_AT_ONCE {
                return Ok(ended);
            }
        }
    }

    async fn recount_check(&self, page: Page<SiteId>) -> Result<RecountPage, StorageError> {
        let rows = self.rows::<FiguresRow>(security_queries::check_figures(&page)).await?;
        Ok(recount_page(rows, page.limit))
    }

    async fn recount_all(&self, now: OffsetDateTime, page: Page<SiteId>) -> Result<RecountPage, StorageError> {
        let found = self.recount_check(page).await?;
        let sites: Vec<SiteId> = found.differences.iter().map(|difference| difference.site_id).collect();
        if !sites.is_empty() {
            self.recount(now, sites, Vec::new()).await?;
        }
        Ok(found)
    }
}

/// Ends an acceptance; `false` where somebody else was faster.
async fn end(
    backend: &impl Backend,
    acceptance: &Acceptance,
    now: OffsetDateTime,
    reason: &'static str,
    actor: &str,
) -> Result<bool, StorageError> {
    let (project, site) = (&acceptance.project, acceptance.site_id);
    let end = security_queries::end_acceptance(acceptance.id, now, reason);
    let action = if reason == "expired" { "acceptance.expired" } else { "acceptance.withdrawn" };
    let event = security_queries::insert_acceptance_ended_event(acceptance, now, actor, action);
    let rows = change_acceptance(backend, project, site, now, vec![end.boxed(), event.boxed()]).await?;
    Ok(rows.first() == Some(&1))
}

/// Runs `statements` and has the sites recounted that they are about: one site at once, under its lock; all sites later,
/// but what they wait for is written down with it, while no sync can begin to use the project.
async fn change_acceptance(
    backend: &impl Backend,
    project: &ProjectName,
    site: Option<SiteId>,
    now: OffsetDateTime,
    statements: Vec<BoxedSql>,
) -> Result<Vec<usize>, StorageError> {
    if let Some(site) = site {
        return backend.recount(now, vec![site], statements).await;
    }
    let mut all = vec![security_queries::lock_project(project).boxed()];
    all.extend(statements);
    all.push(security_queries::revise_project(project).boxed());
    let rows = backend.execute_all(all).await?;
    Ok(rows.into_iter().skip(1).collect())
}

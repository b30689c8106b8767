//! The units of work around findings and accepted risks.

use async_trait::async_trait;
use module_monitor_domain::{AdminAction, CoverageClass, ProjectName, SiteId, Tag};
use time::OffsetDateTime;
use uuid::Uuid;

use super::recount::{CountMarked, Recount};
use super::rows::{
    AcceptanceRow, FiguresRow, FixedRow, ProjectModuleRow, SecurityUpdateRow, SiteWithoutRow, TotalsRow, project_sites,
    recount_page,
};
use super::{
    Acceptance, FixedFinding, NewAcceptance, ProjectSite, ProjectSitesFilter, RecountPage, Security, SecurityFilter,
    SecurityTotals, SecurityUpdate, SiteWithout, TotalsFilter, queries,
};
use crate::bounds::BoundedSites;
use crate::engine::error::StorageError;
use crate::engine::read::{CountRow, all, one, part, small_part};
use crate::engine::statement::BoxedSql;
use crate::engine::transaction::Backend;
use crate::identities::identify::Identify;
use crate::page::{Page, Part};
use crate::releases::assessments;
use crate::releases::assessments::introduce::introduce;
use crate::sites::rows::SiteIdRow;
use crate::{admin_log, recounts};

/// Acceptances that are ended in one go.
const DUE_AT_ONCE: usize = 100;

#[async_trait]
impl<B: Backend> Security for B {
    async fn security_updates(
        &self,
        filter: SecurityFilter,
        page: Page<(SiteId, String)>,
    ) -> Result<Part<SecurityUpdate>, StorageError> {
        part::<SecurityUpdateRow, _, _>(self, queries::security_updates(filter, &page), &page).await
    }

    async fn fixed_findings(
        &self,
        filter: SecurityFilter,
        page: Page<i64>,
    ) -> Result<Part<FixedFinding>, StorageError> {
        small_part::<FixedRow, _, _>(self, queries::fixed_findings(filter, &page), &page).await
    }

    async fn project_sites(
        &self,
        filter: ProjectSitesFilter,
        page: Page<SiteId>,
    ) -> Result<BoundedSites<ProjectSite>, StorageError> {
        let rows = self.rows::<ProjectModuleRow>(queries::project_sites(&filter, &page)).await?;
        project_sites(&filter.bounds, rows, page.limit)
    }

    async fn sites_without_project(
        &self,
        project: &ProjectName,
        tag: Option<&Tag>,
        page: Page<SiteId>,
    ) -> Result<Part<SiteWithout>, StorageError> {
        let rows = self.rows::<SiteWithoutRow>(queries::sites_without_project(project, tag, &page)).await?;
        Ok(Part::of(rows, page.limit).map(SiteWithout::from))
    }

    async fn create_acceptance(&self, acceptance: NewAcceptance, actor: &str) -> Result<(), StorageError> {
        let (project, class) = (acceptance.project.clone(), acceptance.class);
        let (site, now) = (acceptance.site_id, acceptance.created_at);
        let detail = format!("{project}: {}", acceptance.reason);
        let event =
            admin_log::queries::insert(now, actor, AdminAction::AcceptanceCreated, site, acceptance.id, Some(&detail));
        let insert = queries::insert_acceptance(acceptance, actor);
        change_acceptance(self, (&project, class), site, now, vec![insert.boxed(), event.boxed()]).await.map(drop)
    }

    async fn list_acceptances(&self, ended: bool, page: Page<Uuid>) -> Result<Part<Acceptance>, StorageError> {
        small_part::<AcceptanceRow, _, _>(self, queries::acceptances(ended, &page), &page).await
    }

    async fn find_acceptance(&self, id: Uuid) -> Result<Option<Acceptance>, StorageError> {
        one::<AcceptanceRow, _>(self, queries::acceptance(id)).await
    }

    async fn withdraw_acceptance(&self, id: Uuid, now: OffsetDateTime, actor: &str) -> Result<bool, StorageError> {
        let Some(acceptance) = self.find_acceptance(id).await?.filter(|acceptance| acceptance.ended_at.is_none())
        else {
            return Ok(false);
        };
        end(self, &acceptance, now, "withdrawn", actor).await
    }

    async fn end_due_acceptances(&self, now: OffsetDateTime) -> Result<usize, StorageError> {
        let mut ended = 0;
        loop {
            let query = queries::due_acceptances(now, DUE_AT_ONCE);
            let due: Vec<Acceptance> = all::<AcceptanceRow, _>(self, query).await?;
            for acceptance in &due {
                ended += usize::from(end(self, acceptance, now, "expired", "module-monitor").await?);
            }
            if due.len() < DUE_AT_ONCE {
                return Ok(ended);
            }
        }
    }

    async fn count_step(&self, now: OffsetDateTime, limit: usize) -> Result<usize, StorageError> {
        self.transact(CountMarked { now, limit }).await
    }

    async fn identify_step(&self, now: OffsetDateTime) -> Result<bool, StorageError> {
        let Some(row) = self.first::<SiteIdRow>(recounts::queries::site_to_identify()).await? else { return Ok(false) };
        let site = SiteId::from(row);
        match self.transact(Identify { site, now, statements: Vec::new() }).await {
            Ok(done) => {
                if let Some(named) = done.and_then(|done| done.named) {
                    introduce(self, site, now, named).await;
                }
                Ok(true)
            }
            Err(error) => {
                // The others have their turn before it is tried again.
                self.execute(recounts::queries::postpone(site, now)).await?;
                Err(error)
            }
        }
    }

    async fn request_postponed(&self, now: OffsetDateTime) -> Result<usize, StorageError> {
        self.execute(recounts::queries::request_postponed(now)).await
    }

    async fn pending_recounts(&self) -> Result<u64, StorageError> {
        let row = self.first::<CountRow>(recounts::queries::pending()).await?;
        Ok(row.and_then(|row| u64::try_from(row.count).ok()).unwrap_or_default())
    }

    async fn recount_check(&self, page: Page<SiteId>) -> Result<RecountPage, StorageError> {
        let rows = self.rows::<FiguresRow>(queries::check_figures(&page)).await?;
        recount_page(rows, page.limit)
    }

    async fn security_totals(&self, filter: TotalsFilter) -> Result<SecurityTotals, StorageError> {
        Ok(one::<TotalsRow, _>(self, queries::security_totals(filter)).await?.unwrap_or_default())
    }

    async fn recount_all(&self, now: OffsetDateTime, page: Page<SiteId>) -> Result<RecountPage, StorageError> {
        let found = self.recount_check(page).await?;
        let sites: Vec<SiteId> = found.differences.iter().map(|difference| difference.site_id).collect();
        if !sites.is_empty() {
            self.transact(Recount { now, sites, statements: Vec::new() }).await?;
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
    let (of, site) = ((&acceptance.project, acceptance.class), acceptance.site_id);
    let end = queries::end_acceptance(acceptance.id, now, reason);
    let action = if reason == "expired" { AdminAction::AcceptanceExpired } else { AdminAction::AcceptanceWithdrawn };
    let detail = format!("{}: {}", acceptance.project, acceptance.reason);
    let event = admin_log::queries::acceptance_ended(now, actor, action, acceptance.id, &detail);
    let rows = change_acceptance(backend, of, site, now, vec![end.boxed(), event.boxed()]).await?;
    Ok(rows.first() == Some(&1))
}

/// Runs `statements` and has the sites recounted that they are about: one site at once, under its lock; all sites later,
/// but they are marked with it, as they are seen once the change is counted.
async fn change_acceptance(
    backend: &impl Backend,
    (project, class): (&ProjectName, CoverageClass),
    site: Option<SiteId>,
    now: OffsetDateTime,
    statements: Vec<BoxedSql>,
) -> Result<Vec<usize>, StorageError> {
    if let Some(site) = site {
        return backend.transact(Recount { now, sites: vec![site], statements }).await;
    }
    let mut all = statements;
    all.push(assessments::queries::count_change().boxed());
    all.push(recounts::queries::request_of_project(now, project, class).boxed());
    backend.execute_all(all).await
}

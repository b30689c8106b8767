//! The units of work of the registry.

use async_trait::async_trait;
use module_monitor_domain::{DrupalVersion, MachineName, Module, ModuleVersion, ProjectName, SiteId};
use time::OffsetDateTime;

use super::rows::{ModuleProjectRow, ModuleRow, ModuleSiteRow, SiteCountRow, VersionRow};
use super::{ModuleCorrection, ModuleFilter, ModuleSite, ModuleSitesFilter, Registry, queries};
use crate::admin_log;
use crate::bounds::{BoundedSites, BranchCounts};
use crate::engine::error::StorageError;
use crate::engine::read::{one, part, read_project, small_part};
use crate::engine::transaction::Backend;
use crate::page::{Page, Part};
use crate::syncs::resident::Resident;

#[async_trait]
impl<B: Backend<Resident = Resident>> Registry for B {
    async fn find_module(&self, name: &MachineName) -> Result<Option<Module>, StorageError> {
        one::<ModuleRow, _>(self, queries::module(name)).await
    }

    async fn list_modules(&self, filter: ModuleFilter, page: Page<MachineName>) -> Result<Part<Module>, StorageError> {
        part::<ModuleRow, _, _>(self, queries::modules(filter, &page), &page).await
    }

    async fn module_versions(
        &self,
        name: &MachineName,
        page: Page<DrupalVersion>,
    ) -> Result<Part<ModuleVersion>, StorageError> {
        part::<VersionRow, _, _>(self, queries::module_versions(name, &page), &page).await
    }

    async fn module_sites(
        &self,
        filter: ModuleSitesFilter,
        page: Page<SiteId>,
    ) -> Result<BoundedSites<ModuleSite>, StorageError> {
        let sites = small_part::<ModuleSiteRow, _, _>(self, queries::module_sites(&filter, &page), &page).await?;
        let counts = match filter.bounds.branch_start {
            Some(_) => self.first::<SiteCountRow>(queries::count_module_sites(&filter)).await?.map(BranchCounts::from),
            None => None,
        };
        Ok(BoundedSites { sites, counts })
    }

    async fn module_project(&self, name: &MachineName) -> Result<Option<ProjectName>, StorageError> {
        let row = self.first::<ModuleProjectRow>(queries::module_project(name)).await?;
        row.map(|row| read_project(&row.project)).transpose()
    }

    async fn correct_module(
        &self,
        name: &MachineName,
        correction: ModuleCorrection,
        now: OffsetDateTime,
        actor: &str,
        detail: &str,
    ) -> Result<bool, StorageError> {
        let statements = vec![
            queries::correct_module(name, correction, now).boxed(),
            admin_log::queries::module_corrected(now, actor, name, detail).boxed(),
        ];
        let rows = self.execute_all(statements).await?;
        self.resident().ids.forget_module(name);
        Ok(rows.first() == Some(&1))
    }
}

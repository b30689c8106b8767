//! What the units of work that are the same on both backends need of one, and those units of work.

use std::cmp::Reverse;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use diesel::deserialize::QueryableByName;
use diesel::pg::Pg;
use diesel::sqlite::Sqlite;
use module_monitor_domain::{
    DrupalVersion, Feed, MachineName, Module, ModuleEvent, ModuleVersion, ProjectName, ReleaseHistory, Site, SiteId,
    SiteModule,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::rows::{
    AdminEventRow, AuditRow, EventRow, GrantRow, JobRow, KeyRow, ModuleRow, ModuleSiteRow, RejectedRow, RevisionRow,
    SiteIdRow, SiteModuleRow, SiteRow, VersionRow,
};
use crate::site_queries::LEFTOVERS;
use crate::statement::{BoxedSql, Portable, Sql};
use crate::transaction::Unit;
use crate::{
    AdminEvent, ApiKey, AppliedSync, Audit, Cutoff, Fetched, Inventory, InventoryFilter, Job, KeyGrant, KeyUse, Keys,
    ModuleCorrection, ModuleFilter, ModuleSite, ModuleSitesFilter, NewKey, NewSite, Page, Registry, Rejections,
    SiteChange, SiteFilter, Sites, StorageError, StoredHistory, SyncRecord, audit_queries, jobs, queries,
    registry_queries, site_queries,
};

/// A row that either backend can read.
pub(crate) trait Row: QueryableByName<Pg> + QueryableByName<Sqlite> + Send + 'static {}
impl<R: QueryableByName<Pg> + QueryableByName<Sqlite> + Send + 'static> Row for R {}

/// Running statements, each a unit of work of its own.
pub(crate) trait Backend: Send + Sync {
    /// The rows of a query.
    fn rows<R: Row>(
        &self,
        query: Sql<impl Portable + 'static>,
    ) -> impl Future<Output = Result<Vec<R>, StorageError>> + Send;

    /// How many rows a statement wrote.
    fn execute(&self, query: Sql<impl Portable + 'static>) -> impl Future<Output = Result<usize, StorageError>> + Send;

    /// Runs all or none, and says how many rows each wrote.
    fn execute_all(&self, statements: Vec<BoxedSql>) -> impl Future<Output = Result<Vec<usize>, StorageError>> + Send;

    /// Runs a unit of work in a transaction of its own; on SQLite one that holds the write lock.
    fn transact<U: Unit>(&self, unit: U) -> impl Future<Output = Result<U::Output, StorageError>> + Send;

    /// Adds refused syncs to the audit log and to what their sites know of it, in one transaction.
    fn write_rejections(&self, rejections: Vec<Rejections>) -> impl Future<Output = Result<(), StorageError>> + Send;

    /// Moves the last use of keys forward, in one statement.
    fn write_key_uses(&self, uses: Vec<KeyUse>) -> impl Future<Output = Result<(), StorageError>> + Send;

    /// Stores a release history and judges by it, in one transaction.
    fn write_history(
        &self,
        history: Arc<ReleaseHistory>,
        fetched: Fetched,
    ) -> impl Future<Output = Result<StoredHistory, StorageError>> + Send;

    /// Judges the versions of a project by what is stored of it, in one transaction.
    fn judge_again(&self, project: ProjectName, feed: Feed)
    -> impl Future<Output = Result<usize, StorageError>> + Send;

    /// Takes the locks of `sites`, runs `statements`, recounts the sites, and says how many rows each statement wrote.
    fn recount(
        &self,
        now: OffsetDateTime,
        sites: Vec<SiteId>,
        statements: Vec<BoxedSql>,
    ) -> impl Future<Output = Result<Vec<usize>, StorageError>> + Send;
}

/// The rows of a query as what they mean.
pub(crate) async fn all<R: Row, T>(
    backend: &impl Backend,
    query: Sql<impl Portable + 'static>,
) -> Result<Vec<T>, StorageError>
where
    T: TryFrom<R, Error = StorageError>,
{
    let rows = backend.rows::<R>(query).await?;
    rows.into_iter().map(T::try_from).collect()
}

/// The row of a query that has one at the most.
pub(crate) async fn first<R: Row, T>(
    backend: &impl Backend,
    query: Sql<impl Portable + 'static>,
) -> Result<Option<T>, StorageError>
where
    T: TryFrom<R, Error = StorageError>,
{
    let row = backend.rows::<R>(query).await?.pop();
    row.map(T::try_from).transpose()
}

#[async_trait]
impl<B: Backend> Sites for B {
    async fn create_site(&self, site: NewSite, first_key: Option<NewKey>, actor: &str) -> Result<(), StorageError> {
        let event = audit_queries::insert_admin_event(
            site.created_at,
            actor,
            "site.created",
            Some(site.id),
            site.id,
            Some(&site.name),
        );
        let mut statements = site_queries::insert_site(site);
        statements.push(event.boxed());
        statements.extend(first_key.map(|key| issue(key, actor)).into_iter().flatten());
        self.execute_all(statements).await.map(drop)
    }

    async fn change_site(
        &self,
        id: SiteId,
        change: SiteChange,
        now: OffsetDateTime,
        actor: &str,
        detail: &str,
    ) -> Result<bool, StorageError> {
        let must_be_known = change.active.is_some() || change.rate_limit.is_some();
        let mut statements = site_queries::change_site(id, change);
        statements.extend(must_be_known.then(|| queries::bump_key_revision().boxed()));
        statements.push(audit_queries::insert_site_changed_event(now, actor, id, detail).boxed());
        self.execute_all(statements).await.map(|rows| rows.first() == Some(&1))
    }

    async fn remove_site(&self, id: SiteId, now: OffsetDateTime, actor: &str) -> Result<bool, StorageError> {
        let mut statements = site_queries::remove_site(id, now);
        statements.push(queries::bump_key_revision().boxed());
        statements.push(audit_queries::insert_site_removed_event(now, actor, id).boxed());
        self.execute_all(statements).await.map(|rows| rows.first() == Some(&1))
    }

    async fn delete_leftovers(&self, batch: usize) -> Result<Option<usize>, StorageError> {
        let Some(row) = self.rows::<SiteIdRow>(site_queries::site_with_leftovers()).await?.pop() else {
            return Ok(None);
        };
        let site = SiteId::from(row);
        let mut deleted = 0;
        for text in LEFTOVERS {
            deleted += self.execute(site_queries::delete_leftovers(text, site, batch)).await?;
        }
        if deleted == 0 {
            self.execute(site_queries::leftovers_done(site)).await?;
        }
        Ok(Some(deleted))
    }

    async fn find_site(&self, id: SiteId) -> Result<Option<Site>, StorageError> {
        first::<SiteRow, _>(self, site_queries::site(id)).await
    }

    async fn list_sites(&self, filter: SiteFilter, page: Page<SiteId>) -> Result<Vec<Site>, StorageError> {
        all::<SiteRow, _>(self, site_queries::sites(filter, &page)).await
    }
}

/// Stores a key, tells every node, and writes down who did it.
fn issue(key: NewKey, actor: &str) -> [BoxedSql; 3] {
    let event = audit_queries::insert_admin_event(
        key.created_at,
        actor,
        "key.issued",
        key.site_id,
        &key.id,
        key.name.as_deref(),
    );
    [event.boxed(), queries::insert_key(key).boxed(), queries::bump_key_revision().boxed()]
}

#[async_trait]
impl<B: Backend> Keys for B {
    async fn create_key(&self, key: NewKey, actor: &str) -> Result<(), StorageError> {
        self.execute_all(issue(key, actor).into()).await.map(drop)
    }

    async fn key_revision(&self) -> Result<i64, StorageError> {
        let row = self.rows::<RevisionRow>(queries::key_revision()).await?.pop();
        row.map(|row| row.revision).ok_or_else(|| StorageError::corrupt("key revision", "none"))
    }

    async fn key_grants(&self) -> Result<Vec<KeyGrant>, StorageError> {
        all::<GrantRow, _>(self, queries::key_grants()).await
    }

    async fn find_key(&self, id: &str) -> Result<Option<KeyGrant>, StorageError> {
        first::<GrantRow, _>(self, queries::key_grant(id)).await
    }

    async fn list_keys(&self, page: Page<String>) -> Result<Vec<ApiKey>, StorageError> {
        all::<KeyRow, _>(self, queries::keys(page)).await
    }

    async fn site_keys(&self, site: SiteId, page: Page<String>) -> Result<Vec<ApiKey>, StorageError> {
        all::<KeyRow, _>(self, site_queries::site_keys(site, page)).await
    }

    async fn revoke_key(&self, id: &str, now: OffsetDateTime, actor: &str) -> Result<bool, StorageError> {
        let statements = vec![
            queries::revoke_key(id, now).boxed(),
            queries::bump_key_revision().boxed(),
            audit_queries::insert_key_revoked_event(now, actor, id).boxed(),
        ];
        self.execute_all(statements).await.map(|rows| rows.first() == Some(&1))
    }

    async fn mark_keys_used(&self, uses: Vec<KeyUse>) -> Result<(), StorageError> {
        if uses.is_empty() { Ok(()) } else { self.write_key_uses(uses).await }
    }
}

#[async_trait]
impl<B: Backend> Audit for B {
    async fn record_rejections(&self, rejections: Vec<Rejections>) -> Result<(), StorageError> {
        if rejections.is_empty() { Ok(()) } else { self.write_rejections(rejections).await }
    }

    async fn site_syncs(&self, site: SiteId, page: Page<Uuid>) -> Result<Vec<SyncRecord>, StorageError> {
        // Before what was applied: a job that succeeds in between is found twice rather than not at all.
        let queued = all::<JobRow, Job>(self, jobs::site_jobs(site, &page)).await?;
        let applied = all::<AuditRow, AppliedSync>(self, audit_queries::syncs(site, &page)).await?;
        let rejected = all::<RejectedRow, Rejections>(self, audit_queries::rejected_syncs(site, &page)).await?;
        let mut records: Vec<_> = applied.into_iter().map(SyncRecord::Applied).collect();
        records.extend(queued.into_iter().map(SyncRecord::Queued));
        records.extend(rejected.into_iter().map(SyncRecord::Rejected));
        // Stable: of a job that is found twice the sync comes first, and stays.
        records.sort_by_key(|record| Reverse(record.id()));
        records.dedup_by_key(|record| record.id());
        records.truncate(page.limit);
        Ok(records)
    }

    async fn admin_events(&self, page: Page<i64>) -> Result<Vec<AdminEvent>, StorageError> {
        all::<AdminEventRow, _>(self, audit_queries::admin_events(&page)).await
    }

    async fn prune(&self, cutoff: Cutoff, batch: usize) -> Result<usize, StorageError> {
        let mut pruned = 0;
        pruned += self
            .execute(audit_queries::prune(
                include_str!("sql/prune_idempotency_keys.sql"),
                cutoff.idempotency_keys,
                batch,
            ))
            .await?;
        pruned += self
            .execute(audit_queries::prune(include_str!("sql/prune_rejected_syncs.sql"), cutoff.syncs, batch))
            .await?;
        pruned += self.execute(audit_queries::prune(include_str!("sql/prune_syncs.sql"), cutoff.syncs, batch)).await?;
        pruned += self.execute(jobs::prune_jobs(cutoff.syncs, batch)).await?;
        Ok(pruned)
    }
}

#[async_trait]
impl<B: Backend> Inventory for B {
    async fn site_modules(
        &self,
        site: SiteId,
        filter: InventoryFilter,
        page: Page<MachineName>,
    ) -> Result<Vec<SiteModule>, StorageError> {
        all::<SiteModuleRow, _>(self, queries::site_modules(site, filter, page)).await
    }

    async fn site_module(&self, site: SiteId, name: &MachineName) -> Result<Option<SiteModule>, StorageError> {
        first::<SiteModuleRow, _>(self, queries::site_module(site, name)).await
    }

    async fn module_history(
        &self,
        site: SiteId,
        name: &MachineName,
        page: Page<i64>,
    ) -> Result<Vec<ModuleEvent>, StorageError> {
        all::<EventRow, _>(self, queries::module_history(site, name, &page)).await
    }
}

#[async_trait]
impl<B: Backend> Registry for B {
    async fn find_module(&self, name: &MachineName) -> Result<Option<Module>, StorageError> {
        first::<ModuleRow, _>(self, registry_queries::module(name)).await
    }

    async fn list_modules(&self, filter: ModuleFilter, page: Page<MachineName>) -> Result<Vec<Module>, StorageError> {
        all::<ModuleRow, _>(self, registry_queries::modules(filter, page)).await
    }

    async fn module_versions(
        &self,
        name: &MachineName,
        page: Page<DrupalVersion>,
    ) -> Result<Vec<ModuleVersion>, StorageError> {
        all::<VersionRow, _>(self, registry_queries::module_versions(name, page)).await
    }

    async fn module_sites(
        &self,
        filter: ModuleSitesFilter,
        page: Page<SiteId>,
    ) -> Result<Vec<ModuleSite>, StorageError> {
        all::<ModuleSiteRow, _>(self, registry_queries::module_sites(filter, &page)).await
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
            registry_queries::correct_module(name, correction, now).boxed(),
            audit_queries::insert_module_corrected_event(now, actor, name, detail).boxed(),
        ];
        self.execute_all(statements).await.map(|rows| rows.first() == Some(&1))
    }
}

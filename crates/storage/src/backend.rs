//! What the units of work that are the same on both backends need of one, and those units of work.

use std::future::Future;

use async_trait::async_trait;
use diesel::deserialize::QueryableByName;
use diesel::pg::Pg;
use diesel::sqlite::Sqlite;
use module_monitor_domain::{MachineName, Module, ModuleEvent, Site, SiteId, SiteModule};
use time::OffsetDateTime;

use crate::rows::{EventRow, KeyRow, ModuleRow, SiteModuleRow, SiteRow};
use crate::statement::{Portable, Sql};
use crate::{ApiKey, Inventory, InventoryFilter, Keys, NewKey, NewSite, Page, Registry, Sites, StorageError, queries};

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

    /// Runs both or neither.
    fn execute_both(
        &self,
        first: Sql<impl Portable + 'static>,
        second: Sql<impl Portable + 'static>,
    ) -> impl Future<Output = Result<(), StorageError>> + Send;
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
    async fn create_site(&self, site: NewSite, first_key: Option<NewKey>) -> Result<(), StorageError> {
        match first_key {
            Some(key) => self.execute_both(queries::insert_site(site), queries::insert_key(key)).await,
            None => self.execute(queries::insert_site(site)).await.map(drop),
        }
    }

    async fn find_site(&self, id: SiteId) -> Result<Option<Site>, StorageError> {
        first::<SiteRow, _>(self, queries::site(id)).await
    }

    async fn list_sites(&self, page: Page<SiteId>) -> Result<Vec<Site>, StorageError> {
        all::<SiteRow, _>(self, queries::sites(&page)).await
    }
}

#[async_trait]
impl<B: Backend> Keys for B {
    async fn create_key(&self, key: NewKey) -> Result<(), StorageError> {
        self.execute(queries::insert_key(key)).await.map(drop)
    }

    async fn find_key(&self, id: &str) -> Result<Option<ApiKey>, StorageError> {
        first::<KeyRow, _>(self, queries::key(id)).await
    }

    async fn list_keys(&self, page: Page<String>) -> Result<Vec<ApiKey>, StorageError> {
        all::<KeyRow, _>(self, queries::keys(page)).await
    }

    async fn revoke_key(&self, id: &str, now: OffsetDateTime) -> Result<bool, StorageError> {
        self.execute(queries::revoke_key(id, now)).await.map(|rows| rows == 1)
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
        first::<ModuleRow, _>(self, queries::module(name)).await
    }
}

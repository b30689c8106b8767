//! The units of work of sites.

use async_trait::async_trait;
use module_monitor_domain::{AdminAction, Site, SiteId, WebhookEvent};
use time::OffsetDateTime;

use super::queries::LEFTOVERS;
use super::rows::{SiteEventRow, SiteIdRow, SiteRow};
use super::{NewSite, SiteChange, SiteEvent, SiteFilter, Sites, queries};
use crate::engine::error::StorageError;
use crate::engine::read::{one, part};
use crate::engine::transaction::{Backend, Transaction, Unit};
use crate::keys::NewKey;
use crate::page::{Page, Part};
use crate::syncs::queue;
use crate::{admin_log, keys, outbox, security};

#[async_trait]
impl<B: Backend> Sites for B {
    async fn create_site(&self, site: NewSite, first_key: Option<NewKey>, actor: &str) -> Result<Site, StorageError> {
        self.transact(CreateSite { site, first_key, actor: actor.to_owned() }).await
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
        let mut statements = queries::change_site(id, change);
        statements.extend(must_be_known.then(|| keys::queries::bump_key_revision().boxed()));
        statements.push(admin_log::queries::site_changed(now, actor, id, detail).boxed());
        self.execute_all(statements).await.map(|rows| rows.first() == Some(&1))
    }

    async fn remove_site(&self, id: SiteId, now: OffsetDateTime, actor: &str) -> Result<bool, StorageError> {
        let statements = vec![
            queries::remove_site(id, now).boxed(),
            keys::queries::revoke_site_keys(id, now).boxed(),
            queries::delete_site_tags(id).boxed(),
            security::queries::end_site_acceptances(id, now).boxed(),
            queue::queries::cancel_site_jobs(id, now).boxed(),
            keys::queries::bump_key_revision().boxed(),
            admin_log::queries::site_removed(now, actor, id).boxed(),
        ];
        self.execute_all(statements).await.map(|rows| rows.first() == Some(&1))
    }

    async fn delete_leftovers(&self, batch: usize) -> Result<Option<usize>, StorageError> {
        let Some(row) = self.rows::<SiteIdRow>(queries::site_with_leftovers()).await?.pop() else {
            return Ok(None);
        };
        let site = SiteId::from(row);
        let mut deleted = 0;
        for text in LEFTOVERS {
            deleted += self.execute(queries::delete_leftovers(text, site, batch)).await?;
        }
        if deleted == 0 {
            self.execute(queries::leftovers_done(site)).await?;
        }
        Ok(Some(deleted))
    }

    async fn find_site(&self, id: SiteId) -> Result<Option<Site>, StorageError> {
        one::<SiteRow, _>(self, queries::site(id)).await
    }

    async fn list_sites(&self, filter: SiteFilter, page: Page<SiteId>) -> Result<Part<Site>, StorageError> {
        part::<SiteRow, _, _>(self, queries::sites(filter, &page), &page).await
    }

    async fn site_events(&self, site: SiteId, page: Page<i64>) -> Result<Part<SiteEvent>, StorageError> {
        part::<SiteEventRow, _, _>(self, queries::events(site, &page), &page).await
    }

    async fn note_silent(&self, now: OffsetDateTime, limit: usize) -> Result<usize, StorageError> {
        self.transact(NoteSilent { now, limit }).await
    }
}

/// Registers a site with its settings and its first key.
struct CreateSite {
    site: NewSite,
    first_key: Option<NewKey>,
    actor: String,
}

impl Unit for CreateSite {
    type Output = Site;

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<Site, StorageError> {
        let Self { site: NewSite { name, created_at, settings }, first_key, actor } = self;
        let row = transaction.first::<SiteIdRow>(queries::insert_site(&name, created_at)).await?;
        let id = row.map(SiteId::from).ok_or_else(|| StorageError::corrupt("id of a new site", "none"))?;
        if settings != SiteChange::default() {
            transaction.execute_all(queries::change_site(id, settings)).await?;
        }
        let (action, name) = (AdminAction::SiteCreated, name.to_string());
        transaction.execute(admin_log::queries::insert(created_at, &actor, action, Some(id), id, Some(&name))).await?;
        if let Some(key) = first_key {
            let key = NewKey { site_id: Some(id), ..key };
            transaction.execute_all(keys::issue::issue(key, &actor).into()).await?;
        }
        let stored = transaction.first::<SiteRow>(queries::site(id)).await?;
        stored.ok_or_else(|| StorageError::corrupt("new site", "none"))?.try_into()
    }
}

/// Marks sites that have become silent, and tells whoever wants to know.
struct NoteSilent {
    now: OffsetDateTime,
    limit: usize,
}

impl Unit for NoteSilent {
    type Output = usize;

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<usize, StorageError> {
        let silent = transaction.rows::<SiteIdRow>(queries::note_silent(self.now, self.limit)).await?;
        let noted = silent.len();
        for site in silent.into_iter().map(SiteId::from) {
            let event = outbox::record(WebhookEvent::SiteSilent, site, self.now, outbox::nothing_more());
            transaction.execute(event).await?;
        }
        Ok(noted)
    }
}

//! The units of work of keys.

use async_trait::async_trait;
use module_monitor_domain::SiteId;
use time::OffsetDateTime;

use super::issue::issue;
use super::rows::{GrantRow, KeyRow, RevisionRow};
use super::{ApiKey, KeyGrant, KeyUse, Keys, NewKey, queries};
use crate::admin_log;
use crate::engine::error::StorageError;
use crate::engine::read::{all, one, small_part};
use crate::engine::transaction::{Backend, Transaction, Unit};
use crate::page::{Page, Part};

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
        one::<GrantRow, _>(self, queries::key_grant(id)).await
    }

    async fn list_keys(&self, page: Page<String>) -> Result<Part<ApiKey>, StorageError> {
        small_part::<KeyRow, _, _>(self, queries::keys(&page), &page).await
    }

    async fn site_keys(&self, site: SiteId, page: Page<String>) -> Result<Part<ApiKey>, StorageError> {
        small_part::<KeyRow, _, _>(self, queries::site_keys(site, &page), &page).await
    }

    async fn revoke_key(&self, id: &str, now: OffsetDateTime, actor: &str) -> Result<bool, StorageError> {
        let statements = vec![
            queries::revoke_key(id, now).boxed(),
            queries::bump_key_revision().boxed(),
            admin_log::queries::key_revoked(now, actor, id).boxed(),
        ];
        self.execute_all(statements).await.map(|rows| rows.first() == Some(&1))
    }

    async fn mark_keys_used(&self, uses: Vec<KeyUse>) -> Result<(), StorageError> {
        if uses.is_empty() {
            return Ok(());
        }
        let mut uses = uses;
        uses.sort_by(|a, b| a.id.cmp(&b.id));
        self.transact(MarkUsed(uses)).await
    }
}

/// Moves the last use of keys forward, in the order of their ids.
struct MarkUsed(Vec<KeyUse>);

impl Unit for MarkUsed {
    type Output = ();

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<(), StorageError> {
        transaction.execute(queries::mark_keys_used(&self.0)).await.map(drop)
    }
}

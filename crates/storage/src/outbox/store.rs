//! The units of work of webhooks and what waits for them.

use async_trait::async_trait;
use module_monitor_domain::AdminAction;
use time::OffsetDateTime;

use super::rows::{EventRow, WebhookIdRow, WebhookRow};
use super::{NewWebhook, Outbox, OutboxEvent, Webhook, queries};
use crate::admin_log;
use crate::engine::error::StorageError;
use crate::engine::read::{part, small_part};
use crate::engine::transaction::{Backend, Transaction, Unit};
use crate::page::{Page, Part};

#[async_trait]
impl<B: Backend> Outbox for B {
    async fn create_webhook(&self, webhook: NewWebhook, actor: &str) -> Result<Webhook, StorageError> {
        self.transact(CreateWebhook { webhook, actor: actor.to_owned() }).await
    }

    async fn list_webhooks(&self, page: Page<i64>) -> Result<Part<Webhook>, StorageError> {
        small_part::<WebhookRow, _, _>(self, queries::webhooks(&page), &page).await
    }

    async fn remove_webhook(&self, id: i64, now: OffsetDateTime, actor: &str) -> Result<bool, StorageError> {
        self.transact(RemoveWebhook { id, now, actor: actor.to_owned() }).await
    }

    async fn waiting_events(&self, page: Page<i64>) -> Result<Part<OutboxEvent>, StorageError> {
        part::<EventRow, _, _>(self, queries::events(&page), &page).await
    }
}

struct CreateWebhook {
    webhook: NewWebhook,
    actor: String,
}

impl Unit for CreateWebhook {
    type Output = Webhook;

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<Webhook, StorageError> {
        let Self { webhook, actor } = self;
        let row = transaction.first::<WebhookIdRow>(queries::insert_webhook(&webhook, &actor)).await?;
        let id = row.ok_or_else(|| StorageError::corrupt("id of a new webhook", "none"))?.id;
        for kind in &webhook.kinds {
            transaction.execute(queries::insert_webhook_kind(id, *kind)).await?;
        }
        let NewWebhook { url, kinds, tag, created_at } = webhook;
        let (action, url) = (AdminAction::WebhookCreated, String::from(url));
        transaction.execute(admin_log::queries::insert(created_at, &actor, action, None, id, Some(&url))).await?;
        Ok(Webhook { id, url, kinds, tag: tag.map(String::from), created_at, created_by: actor })
    }
}

struct RemoveWebhook {
    id: i64,
    now: OffsetDateTime,
    actor: String,
}

impl Unit for RemoveWebhook {
    type Output = bool;

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<bool, StorageError> {
        let Self { id, now, actor } = self;
        if transaction.execute(queries::delete_webhook(id)).await? == 0 {
            return Ok(false);
        }
        transaction.execute(queries::delete_unwanted_events()).await?;
        let event = admin_log::queries::insert(now, &actor, AdminAction::WebhookRemoved, None, id, None);
        transaction.execute(event).await?;
        Ok(true)
    }
}

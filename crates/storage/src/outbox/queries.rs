//! The statements about webhooks and what waits for them.

use diesel::sql_types::{BigInt, Nullable, Text};
use module_monitor_domain::WebhookEvent;

use super::NewWebhook;
use crate::engine::sql_types::{At, Moment};
use crate::engine::statement::{Portable, Sql, statement};
use crate::page::Page;

/// Answers its id.
pub(super) fn insert_webhook(webhook: &NewWebhook, actor: &str) -> Sql<impl Portable + use<>> {
    statement!("insert_webhook")
        .bind::<Text, _>(webhook.url.to_string())
        .bind::<Nullable<Text>, _>(webhook.tag.as_ref().map(|tag| tag.to_string()))
        .bind::<Moment, _>(At(webhook.created_at))
        .bind::<Text, _>(actor.to_owned())
}

pub(super) fn insert_webhook_kind(webhook: i64, kind: WebhookEvent) -> Sql<impl Portable> {
    statement!("insert_webhook_kind").bind::<BigInt, _>(webhook).bind::<Text, _>(kind.as_str())
}

pub(super) fn webhooks(page: &Page<i64>) -> Sql<impl Portable + use<>> {
    statement!("webhooks_after").bind::<BigInt, _>(page.after.unwrap_or(0)).bind::<BigInt, _>(page.rows())
}

/// Its kinds go with it.
pub(super) fn delete_webhook(id: i64) -> Sql<impl Portable> {
    statement!("delete_webhook").bind::<BigInt, _>(id)
}

pub(super) fn delete_unwanted_events() -> Sql<impl Portable> {
    statement!("delete_unwanted_events")
}

pub(super) fn events(page: &Page<i64>) -> Sql<impl Portable + use<>> {
    statement!("events_after").cut().bind::<BigInt, _>(page.after.unwrap_or(0)).bind::<BigInt, _>(page.rows())
}

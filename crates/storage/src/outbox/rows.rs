//! Rows of webhooks and what waits for them.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use module_monitor_domain::{SiteId, WebhookEvent};

use super::{OutboxEvent, Webhook};
use crate::engine::error::StorageError;
use crate::engine::read::{read, read_json};
use crate::engine::sql_types::{At, Moment};

fn read_kind(name: &str) -> Result<WebhookEvent, StorageError> {
    read("kind of event", name, WebhookEvent::from_name(name))
}

/// The id of a webhook.
#[derive(QueryableByName)]
pub(super) struct WebhookIdRow {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
}

#[derive(QueryableByName)]
pub(super) struct WebhookRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    url: String,
    #[diesel(sql_type = Nullable<Text>)]
    tag: Option<String>,
    #[diesel(sql_type = Moment)]
    created_at: At,
    #[diesel(sql_type = Text)]
    created_by: String,
    /// Separated by spaces, which no kind has.
    #[diesel(sql_type = Nullable<Text>)]
    kinds: Option<String>,
}

impl TryFrom<WebhookRow> for Webhook {
    type Error = StorageError;

    fn try_from(row: WebhookRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.id,
            kinds: row.kinds.iter().flat_map(|kinds| kinds.split(' ')).map(read_kind).collect::<Result<_, _>>()?,
            url: row.url,
            tag: row.tag,
            created_at: row.created_at.0,
            created_by: row.created_by,
        })
    }
}

#[derive(QueryableByName)]
pub(super) struct EventRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    site_id: Option<i64>,
    #[diesel(sql_type = Moment)]
    at: At,
    #[diesel(sql_type = Text)]
    data: String,
}

impl TryFrom<EventRow> for OutboxEvent {
    type Error = StorageError;

    fn try_from(row: EventRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.id,
            kind: read_kind(&row.kind)?,
            site_id: row.site_id.map(SiteId),
            at: row.at.0,
            data: read_json("data of an event", &row.data)?,
        })
    }
}

//! What happened to a site as a whole.

use module_monitor_storage::SiteEvent;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::words;

/// An entry of a site's events.
#[derive(Serialize, ToSchema)]
#[schema(as = SiteEvent)]
pub(crate) struct SiteEventEntry {
    #[schema(schema_with = words::site_event)]
    pub(crate) event: &'static str,
    /// More of it: of `identity_changed`, `from` and `to`; of `mass_removal`, how many modules it `removed_modules`.
    #[schema(value_type = Object)]
    pub(crate) detail: Value,
    /// The sync that it came with.
    #[schema(schema_with = words::sync_id)]
    pub(crate) sync_id: String,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) at: OffsetDateTime,
}

impl From<SiteEvent> for SiteEventEntry {
    fn from(event: SiteEvent) -> Self {
        Self { event: event.kind.as_str(), detail: event.detail, sync_id: event.sync_id.to_string(), at: event.at }
    }
}

//! Webhooks: who wants to be told of what.

use std::collections::BTreeSet;

use module_monitor_domain::{SiteUrl, Tag, WebhookEvent};
use module_monitor_ingestion::FieldError;
use module_monitor_storage::{NewWebhook, Webhook};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::fields::Faults;
use super::words;

/// A registered webhook, on the wire.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(crate) struct WebhookView {
    pub(crate) id: i64,
    pub(crate) url: String,
    #[schema(schema_with = words::webhook_events)]
    pub(crate) events: Vec<&'static str>,
    /// Only what happens on sites with this tag; `null`: on all.
    pub(crate) tag: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
    pub(crate) created_by: String,
}

impl From<Webhook> for WebhookView {
    fn from(webhook: Webhook) -> Self {
        Self {
            id: webhook.id,
            url: webhook.url,
            events: webhook.kinds.into_iter().map(WebhookEvent::as_str).collect(),
            tag: webhook.tag,
            created_at: webhook.created_at,
            created_by: webhook.created_by,
        }
    }
}

/// The webhook to register.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWebhook)]
pub(crate) struct WantedWebhook {
    /// Where to tell.
    #[schema(
        max_length = 2048,
        pattern = r"^https?://[^/\s\u0000-\u001f\u007f-\u009f][^\s\u0000-\u001f\u007f-\u009f]*$"
    )]
    pub(crate) url: String,
    /// What to tell, at least one.
    #[schema(schema_with = words::webhook_events)]
    pub(crate) events: Vec<String>,
    /// Only what happens on sites with this tag. Left out or `null`: on all.
    #[schema(schema_with = words::tag_or_null, required = false)]
    pub(crate) tag: Option<String>,
}

impl WantedWebhook {
    /// The webhook, or everything that is wrong with it.
    pub(crate) fn checked(&self, now: OffsetDateTime) -> Result<NewWebhook, Vec<FieldError>> {
        let mut faults = Faults::default();
        let url = faults.check("/url", SiteUrl::parse(&self.url));
        let mut kinds = BTreeSet::new();
        for (n, event) in self.events.iter().enumerate() {
            let expected = || format!("it must be one of {}", WebhookEvent::NAMES.join(", "));
            kinds.extend(faults.check(&format!("/events/{n}"), WebhookEvent::from_name(event).ok_or_else(expected)));
        }
        if self.events.is_empty() {
            faults.check("/events", Err::<(), _>("it must name at least one event"));
        }
        let tag = self.tag.as_deref().and_then(|tag| faults.check("/tag", Tag::parse(tag)));
        faults.finish()?;
        // `finish` has told where there is none.
        url.map(|url| NewWebhook { url, kinds, tag, created_at: now }).ok_or_else(Vec::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-25 12:00 UTC);

    fn check(body: serde_json::Value) -> Result<NewWebhook, Vec<String>> {
        let wanted = serde_json::from_value::<WantedWebhook>(body).unwrap();
        wanted.checked(NOW).map_err(|errors| errors.into_iter().map(|error| error.pointer).collect())
    }

    #[test]
    fn a_good_one_is_taken_once_for_each_event() {
        let events = json!(["sync.failed", "site.silent", "sync.failed"]);
        let taken = check(json!({"url": "https://hooks.example/x", "events": events, "tag": "tier-1"})).unwrap();
        assert_eq!(taken.kinds, BTreeSet::from([WebhookEvent::SyncFailed, WebhookEvent::SiteSilent]));
        assert_eq!(taken.tag.map(|tag| tag.to_string()).as_deref(), Some("tier-1"));
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let bad = check(json!({"url": "hooks.example", "events": ["sync.failed", "syncs"], "tag": "Tier 1"}));
        assert_eq!(bad.unwrap_err(), ["/url", "/events/1", "/tag"]);
        assert_eq!(check(json!({"url": "https://x.example", "events": []})).unwrap_err(), ["/events"]);
    }
}

//! Recording an event.

use diesel::sql_types::{BigInt, Text};
use module_monitor_domain::{SiteId, SyncId, SyncOutcome, SyncPlan, WebhookEvent};
use serde_json::json;
use time::OffsetDateTime;

use crate::engine::sql_types::{At, Moment};
use crate::engine::statement::{Portable, Sql, statement};

/// Keeps an event of a site for whoever wants to be told of it; where nobody does, it writes nothing. Run it in the
/// transaction of what it tells. `data` is JSON.
pub(crate) fn record(
    kind: WebhookEvent,
    site: SiteId,
    at: OffsetDateTime,
    data: String,
) -> Sql<impl Portable + 'static> {
    statement!("record")
        .bind::<Text, _>(kind.as_str())
        .bind::<BigInt, _>(site.0)
        .bind::<Moment, _>(At(at))
        .bind::<Text, _>(data)
}

/// There is nothing to say but the kind, the site and the time.
pub(crate) fn nothing_more() -> String {
    "{}".to_owned()
}

pub(crate) fn sync_completed(outcome: &SyncOutcome) -> String {
    let counts = outcome.counts;
    json!({
        "sync_id": outcome.sync_id.to_string(),
        "processed_count": counts.processed,
        "new_modules": counts.new,
        "updated_modules": counts.updated,
        "removed_modules": counts.removed,
    })
    .to_string()
}

/// A job that has ended without being applied, and the code that says why.
pub(crate) fn job_ended(sync: SyncId, reason: &str) -> String {
    json!({ "sync_id": sync.to_string(), "reason": reason }).to_string()
}

pub(crate) fn mass_removal(plan: &SyncPlan) -> String {
    json!({ "removed_modules": plan.counts.removed }).to_string()
}

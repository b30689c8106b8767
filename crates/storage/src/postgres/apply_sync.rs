//! Applying one sync on PostgreSQL.

use std::sync::Arc;

use diesel::OptionalExtension;
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use module_monitor_domain::{
    Decision, Fingerprint, Refusal, SecurityCounts, SyncOutcome, SyncPlan, decide, plan, plan_unchanged,
};

use super::bulk;
use crate::id_cache::IdCache;
use crate::jobs::{find_earlier, pass};
use crate::rows::{CountRow, CurrentRow, SecurityRow, SiteStateRow};
use crate::sql_types::{At, DbId, Id, Moment};
use crate::statement::sql;
use crate::sync_writes::{
    Ids, SiteWrite, count, event_writes, identity_event, json, outcome, row_writes, unchanged_outcome,
};
use crate::{StorageError, SyncCommand, SyncResult, audit_queries, queries};

/// Applies `command`. An unchanged report is one statement and one round trip; everything else is one transaction that
/// begins with the lock on the site's row.
pub(super) async fn apply(
    connection: &mut AsyncPgConnection,
    command: Arc<SyncCommand>,
    cache: Arc<IdCache>,
) -> Result<SyncResult, StorageError> {
    if command.is_direct()
        && command.idempotency.is_none()
        && let Some(fingerprint) = command.report.fingerprint()
        && let Some(outcome) = touch(connection, &command, fingerprint).await?
    {
        return Ok(SyncResult::Applied(outcome));
    }
    let (result, ids) = connection
        .transaction(async |connection| apply_locked(connection, &command, &cache).await)
        .await
        .inspect_err(|error| cache.forget_if_wrong(error))?;
    cache.remember(ids.found);
    Ok(result)
}

/// The whole sync of a report that changes nothing; `None` when it does change something.
async fn touch(
    connection: &mut AsyncPgConnection,
    command: &SyncCommand,
    fingerprint: Fingerprint,
) -> Result<Option<SyncOutcome>, StorageError> {
    let report = &command.report;
    let identity = &report.site_info().identity;
    let mut outcome = unchanged_outcome(command, SecurityCounts::default());
    let touched: Option<SecurityRow> = sql(include_str!("sql/touch_site.sql"))
        .bind::<Id, _>(DbId::from(command.site_id))
        .bind::<Binary, _>(fingerprint.as_bytes())
        .bind::<Moment, _>(At(report.sync_timestamp()))
        .bind::<Nullable<Text>, _>(identity.environment.as_deref())
        .bind::<Nullable<Text>, _>(identity.url.as_deref())
        .bind::<Text, _>(report.site_info().json.as_str())
        .bind::<Text, _>(report.php_version().as_str())
        .bind::<Moment, _>(At(command.received_at))
        .bind::<Id, _>(DbId::from(command.sync_id))
        .bind::<Nullable<Text>, _>(command.origin.key_id.as_deref())
        .bind::<Nullable<Text>, _>(command.origin.client_address.as_deref())
        .bind::<Nullable<BigInt>, _>(command.origin.body_bytes)
        .bind::<Text, _>(report.scope().as_str())
        .bind::<Integer, _>(count(outcome.counts.processed))
        .bind::<Text, _>(json(&outcome.warnings))
        .bind::<Text, _>(json(&outcome.rejected))
        .bind::<Moment, _>(At(outcome.next_sync_after))
        .bind::<BigInt, _>(outcome.processing_time_ms)
        .get_result(connection)
        .await
        .optional()?;
    Ok(touched.map(|security| {
        outcome.security = security.into();
        outcome
    }))
}

async fn apply_locked(
    connection: &mut AsyncPgConnection,
    command: &SyncCommand,
    cache: &IdCache,
) -> Result<(SyncResult, Ids), StorageError> {
    let report = &command.report;
    let site: Option<SiteStateRow> = sql(include_str!("sql/lock_site.sql"))
        .bind::<Id, _>(DbId::from(command.site_id))
        .get_result(connection)
        .await
        .optional()?;
    let Some(site) = site else {
        return Ok((SyncResult::Refused(Refusal::UnknownSite), Ids::default()));
    };
    if let Some(earlier) = find_earlier(connection, command).await? {
        return Ok((earlier.into(), Ids::default()));
    }
    let state = site.state();
    let decision = decide(&state, report);
    if let Some(result) = pass(connection, command, site.pending_jobs, &decision).await? {
        return Ok((result, Ids::default()));
    }
    let (plan, ids) = match decision {
        Decision::Refuse(refusal) => return Ok((SyncResult::Refused(refusal), Ids::default())),
        Decision::Unchanged => (plan_unchanged(&state, report), Ids::default()),
        Decision::Compare => {
            let rows: Vec<CurrentRow> = queries::current_modules(command.site_id).get_results(connection).await?;
            let (mut ids, current) = Ids::of_rows(rows)?;
            bulk::resolve_modules(connection, command, &mut ids, cache).await?;
            let plan = plan(&state, &current, report, |name| ids.registry_type(name));
            bulk::resolve_versions(connection, &plan, report, &mut ids, cache).await?;
            write_inventory(connection, command, &plan, &site, &ids).await?;
            (plan, ids)
        }
    };
    let outcome = finish(connection, command, &plan, &site).await?;
    Ok((SyncResult::Applied(outcome), ids))
}

async fn write_inventory(
    connection: &mut AsyncPgConnection,
    command: &SyncCommand,
    plan: &SyncPlan,
    before: &SiteStateRow,
    ids: &Ids,
) -> Result<(), StorageError> {
    let changes = &plan.changes;
    if !changes.changed.is_empty() {
        bulk::write_site_modules(connection, command, row_writes(plan, ids)?).await?;
    }
    if !changes.removed.is_empty() {
        let removed = ids.module_ids(changes.removed.iter().map(|row| &row.machine_name))?;
        bulk::remove_site_modules(connection, command, removed, before.last_full_sync_at).await?;
    }
    if !plan.reported_again.is_empty() {
        bulk::report_again(connection, command, ids.module_ids(&plan.reported_again)?).await?;
    }
    let events = event_writes(plan, ids)?;
    if !events.is_empty() {
        bulk::insert_events(connection, command, events).await?;
    }
    Ok(())
}

/// Recounts the site, writes its row, and the audit row last.
async fn finish(
    connection: &mut AsyncPgConnection,
    command: &SyncCommand,
    plan: &SyncPlan,
    before: &SiteStateRow,
) -> Result<SyncOutcome, StorageError> {
    let mut security = SecurityCounts::from(before.security);
    if !plan.changes.is_empty() {
        let unknown: CountRow = queries::count_unknown(command.site_id).get_result(connection).await?;
        security.unknown = unknown.count()?;
    }
    let site = SiteWrite::of(plan, before, command.received_at, security.unknown);
    queries::update_site(command, site).execute(connection).await?;
    if let Some((kind, detail)) = identity_event(plan) {
        queries::insert_site_event(command, kind, detail).execute(connection).await?;
    }
    let outcome = outcome(command, plan, security);
    queries::insert_sync(command, &outcome).execute(connection).await?;
    if let Some(key) = &command.idempotency {
        audit_queries::write_idempotency_key(command, key).execute(connection).await?;
    }
    Ok(outcome)
}

//! Applying one sync on PostgreSQL.

use std::sync::Arc;

use diesel::OptionalExtension;
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use module_monitor_domain::{
    Decision, Fingerprint, Refusal, SecurityCounts, SyncOutcome, SyncPlan, decide, plan, plan_unchanged,
};

use super::recount::recount;
use super::{assess, bulk};
use crate::assess::{Assessed, Wanted};
use crate::id_cache::IdCache;
use crate::jobs::{find_earlier, pass};
use crate::rows::{CurrentRow, SecurityRow, SiteStateRow};
use crate::sql_types::{At, DbId, Id, Moment};
use crate::statement::sql;
use crate::sync_writes::{
    Ids, SiteWrite, count, event_writes, identity_event, json, outcome, row_writes, unchanged_outcome,
};
use crate::{StorageError, SyncCommand, SyncResult, audit_queries, queries, security_queries};

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
    let mut assessed = Assessed::default();
    let (plan, ids) = match decision {
        Decision::Refuse(refusal) => return Ok((SyncResult::Refused(refusal), Ids::default())),
        Decision::Unchanged => (plan_unchanged(&state, report), Ids::default()),
        Decision::Compare => {
            let rows: Vec<CurrentRow> = queries::current_modules(command.site_id).get_results(connection).await?;
            let (mut ids, current) = Ids::of_rows(rows)?;
            bulk::resolve_modules(connection, command, &mut ids, cache).await?;
            let plan = plan(&state, &current, report, |name| ids.registry_type(name));
            // Before the versions: the lock of a project comes before what an import of it writes.
            if let Some(wanted) = Wanted::of(&site, &current, &plan, report) {
                assessed = assess::assess(connection, command, wanted).await?;
            }
            bulk::resolve_versions(connection, &plan, report, &mut ids, cache).await?;
            write_inventory(connection, command, &plan, &site, &ids, &assessed).await?;
            (plan, ids)
        }
    };
    let outcome = finish(connection, command, &plan, &site, assessed.core).await?;
    Ok((SyncResult::Applied(outcome), ids))
}

async fn write_inventory(
    connection: &mut AsyncPgConnection,
    command: &SyncCommand,
    plan: &SyncPlan,
    before: &SiteStateRow,
    ids: &Ids,
    assessed: &Assessed,
) -> Result<(), StorageError> {
    let changes = &plan.changes;
    if !changes.changed.is_empty() {
        bulk::write_site_modules(connection, command, row_writes(plan, ids, assessed)?).await?;
    }
    if !changes.removed.is_empty() {
        let removed = ids.module_ids(changes.removed.iter().map(|row| &row.machine_name))?;
        bulk::remove_site_modules(connection, command, removed, before.last_full_sync_at).await?;
    }
    if !plan.reported_again.is_empty() {
        bulk::report_again(connection, command, ids.module_ids(&plan.reported_again)?).await?;
    }
    let moved = assessed.moved(ids)?;
    if !moved.is_empty() {
        assess::move_rows(connection, command, moved).await?;
    }
    let events = event_writes(plan, ids)?;
    if !events.is_empty() {
        bulk::insert_events(connection, command, events).await?;
    }
    Ok(())
}

/// Writes the site's row, recounts the site where its modules or their assessments changed, and writes the audit row last.
async fn finish(
    connection: &mut AsyncPgConnection,
    command: &SyncCommand,
    plan: &SyncPlan,
    before: &SiteStateRow,
    core_assessment_id: Option<i64>,
) -> Result<SyncOutcome, StorageError> {
    let site = SiteWrite::of(plan, before, command.received_at, core_assessment_id);
    queries::update_site(command, site).execute(connection).await?;
    let mut security = before.security;
    // Whatever changes a module also looks up the assessment of the core.
    if core_assessment_id.is_some() {
        recount(connection, command.received_at, &[command.site_id]).await?;
        security = security_queries::security_of_site(command.site_id).get_result(connection).await?;
    }
    if let Some((kind, detail)) = identity_event(plan) {
        queries::insert_site_event(command, kind, detail).execute(connection).await?;
    }
    let outcome = outcome(command, plan, security.into());
    queries::insert_sync(command, &outcome).execute(connection).await?;
    if let Some(key) = &command.idempotency {
        audit_queries::write_idempotency_key(command, key).execute(connection).await?;
    }
    Ok(outcome)
}

//! Applying one sync on SQLite, inside the transaction that holds the write lock.

use diesel::prelude::*;
use diesel::sql_types::{Binary, Nullable, Text};
use module_monitor_domain::{Decision, Fingerprint, Refusal, SyncOutcome, SyncPlan, decide, plan, plan_unchanged};

use super::recount::recount;
use super::{assess, bulk};
use crate::assess::{Assessed, Wanted};
use crate::id_cache::{FoundIds, IdCache};
use crate::jobs::{find_earlier, pass};
use crate::rows::{CurrentRow, SecurityRow, SiteStateRow};
use crate::sql_types::{At, DbId, Id, Moment};
use crate::statement::sql;
use crate::sync_writes::{Ids, SiteWrite, event_writes, identity_event, outcome, row_writes, unchanged_outcome};
use crate::transaction::at_once;
use crate::{StorageError, SyncCommand, SyncResult, audit_queries, queries, security_queries};

/// Applies `command`. An unchanged report writes the site's row and the audit row and reads nothing else.
pub(super) fn apply(
    connection: &mut SqliteConnection,
    command: &SyncCommand,
    cache: &IdCache,
) -> Result<(SyncResult, FoundIds), StorageError> {
    if command.is_direct()
        && command.idempotency.is_none()
        && let Some(fingerprint) = command.report.fingerprint()
        && let Some(outcome) = touch(connection, command, fingerprint)?
    {
        return Ok((SyncResult::Applied(outcome), FoundIds::default()));
    }
    let site: Option<SiteStateRow> = sql(include_str!("sql/read_site.sql"))
        .bind::<Id, _>(DbId::from(command.site_id))
        .get_result(connection)
        .optional()?;
    let Some(site) = site else {
        return Ok((SyncResult::Refused(Refusal::UnknownSite), FoundIds::default()));
    };
    if let Some(earlier) = at_once(find_earlier(connection, command))? {
        return Ok((earlier.into(), FoundIds::default()));
    }
    let state = site.state();
    let decision = decide(&state, &command.report);
    if let Some(result) = at_once(pass(connection, command, site.pending_jobs, &decision))? {
        return Ok((result, FoundIds::default()));
    }
    let mut assessed = Assessed::default();
    let (plan, ids) = match decision {
        Decision::Refuse(refusal) => return Ok((SyncResult::Refused(refusal), FoundIds::default())),
        Decision::Unchanged => (plan_unchanged(&state, &command.report), Ids::default()),
        Decision::Compare => {
            let rows: Vec<CurrentRow> = queries::current_modules(command.site_id).get_results(connection)?;
            let (mut ids, current) = Ids::of_rows(rows)?;
            bulk::resolve_modules(connection, command, &mut ids, cache)?;
            let plan = plan(&state, &current, &command.report, |name| ids.registry_type(name));
            // Before the versions: the lock of a project comes before what an import of it writes.
            if let Some(wanted) = Wanted::of(&site, &current, &plan, &command.report) {
                assessed = assess::assess(connection, command, wanted)?;
            }
            bulk::resolve_versions(connection, &plan, &command.report, &mut ids, cache)?;
            write_inventory(connection, command, &plan, &site, &ids, &assessed)?;
            (plan, ids)
        }
    };
    let outcome = finish(connection, command, &plan, &site, assessed.core)?;
    Ok((SyncResult::Applied(outcome), ids.found))
}

/// The whole sync of a report that changes nothing; `None` when it does change something.
fn touch(
    connection: &mut SqliteConnection,
    command: &SyncCommand,
    fingerprint: Fingerprint,
) -> Result<Option<SyncOutcome>, StorageError> {
    let report = &command.report;
    let identity = &report.site_info().identity;
    let touched: Option<SecurityRow> = sql(include_str!("sql/touch_site.sql"))
        .bind::<Id, _>(DbId::from(command.site_id))
        .bind::<Binary, _>(fingerprint.as_bytes())
        .bind::<Moment, _>(At(report.sync_timestamp()))
        .bind::<Nullable<Text>, _>(identity.environment.as_deref())
        .bind::<Nullable<Text>, _>(identity.url.as_deref())
        .bind::<Text, _>(report.site_info().json.as_str())
        .bind::<Text, _>(report.php_version().as_str())
        .bind::<Moment, _>(At(command.received_at))
        .get_result(connection)
        .optional()?;
    let Some(security) = touched else {
        return Ok(None);
    };
    let outcome = unchanged_outcome(command, security.into());
    queries::insert_sync(command, &outcome).execute(connection)?;
    Ok(Some(outcome))
}

fn write_inventory(
    connection: &mut SqliteConnection,
    command: &SyncCommand,
    plan: &SyncPlan,
    before: &SiteStateRow,
    ids: &Ids,
    assessed: &Assessed,
) -> Result<(), StorageError> {
    let changes = &plan.changes;
    if !changes.changed.is_empty() {
        bulk::write_site_modules(connection, command, &row_writes(plan, ids, assessed)?)?;
    }
    if !changes.removed.is_empty() {
        let removed = ids.module_ids(changes.removed.iter().map(|row| &row.machine_name))?;
        bulk::remove_site_modules(connection, command, &removed, before.last_full_sync_at)?;
    }
    if !plan.reported_again.is_empty() {
        bulk::report_again(connection, command, &ids.module_ids(&plan.reported_again)?)?;
    }
    let moved = assessed.moved(ids)?;
    if !moved.is_empty() {
        assess::move_rows(connection, command, &moved)?;
    }
    let events = event_writes(plan, ids)?;
    if !events.is_empty() {
        bulk::insert_events(connection, command, &events)?;
    }
    Ok(())
}

/// Writes the site's row, recounts the site where its modules or their assessments changed, and writes the audit row last.
fn finish(
    connection: &mut SqliteConnection,
    command: &SyncCommand,
    plan: &SyncPlan,
    before: &SiteStateRow,
    core_assessment_id: Option<i64>,
) -> Result<SyncOutcome, StorageError> {
    let site = SiteWrite::of(plan, before, command.received_at, core_assessment_id);
    queries::update_site(command, site).execute(connection)?;
    let mut security = before.security;
    // Whatever changes a module also looks up the assessment of the core.
    if core_assessment_id.is_some() {
        recount(connection, command.received_at, &[command.site_id])?;
        security = security_queries::security_of_site(command.site_id).get_result(connection)?;
    }
    if let Some((kind, detail)) = identity_event(plan) {
        queries::insert_site_event(command, kind, detail).execute(connection)?;
    }
    let outcome = outcome(command, plan, security.into());
    queries::insert_sync(command, &outcome).execute(connection)?;
    if let Some(key) = &command.idempotency {
        audit_queries::write_idempotency_key(command, key).execute(connection)?;
    }
    Ok(outcome)
}

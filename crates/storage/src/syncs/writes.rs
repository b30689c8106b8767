//! From a plan to the rows that a sync writes.

use module_monitor_domain::{
    DrupalVersion, EventKind, Identification, MachineName, RejectedMark, SecurityCounts, SiteIdentity, SiteModuleState,
    SyncCounts, SyncOutcome, SyncPlan,
};
use time::OffsetDateTime;

use super::command::SyncCommand;
use super::ids::Ids;
use crate::engine::error::StorageError;
use crate::inventory::details::own_details;
use crate::inventory::standing::{Standing, by_name};
use crate::releases::assessments::wanted::Assessed;
use crate::sites::rows::SiteStateRow;

/// A row of the site to insert or overwrite.
pub(super) struct RowWrite<'a> {
    pub(super) module_id: i64,
    pub(super) version_id: Option<i64>,
    pub(super) enabled: bool,
    pub(super) module_type: &'static str,
    pub(super) extension: &'static str,
    pub(super) project: Option<&'a str>,
    pub(super) datestamp: Option<i64>,
    pub(super) schema_version: Option<i32>,
    pub(super) security_coverage: bool,
    pub(super) own_details: Option<String>,
    pub(super) assessment_id: Option<i64>,
    pub(super) in_use: bool,
    pub(super) identification: Option<&'static str>,
    pub(super) rejected: Option<&'static str>,
}

/// An event to append.
pub(super) struct EventWrite<'a> {
    pub(super) module_id: i64,
    pub(super) kind: &'static str,
    pub(super) from_version: Option<&'a str>,
    pub(super) to_version: Option<&'a str>,
}

/// The rows to insert or overwrite, in the order of their ids.
pub(super) fn row_writes<'a>(
    plan: &'a SyncPlan,
    ids: &Ids,
    standings: &[Standing<'_>],
    assessed: &Assessed,
) -> Result<Vec<RowWrite<'a>>, StorageError> {
    let standings = by_name(standings);
    let write = |name: &MachineName, state: &'a SiteModuleState, rejected: Option<RejectedMark>| {
        let module_id = ids.module_id(name)?;
        let version_id = state.version.as_ref().map(|v| ids.version_id(module_id, v.as_str())).transpose()?;
        let standing = standings.get(name).ok_or_else(|| StorageError::corrupt("inventory: no standing of", name))?;
        Ok(RowWrite {
            module_id,
            version_id,
            enabled: state.enabled,
            module_type: state.module_type.as_str(),
            extension: state.extension.as_str(),
            project: state.project.as_ref().map(|p| p.as_str()),
            datestamp: state.datestamp,
            schema_version: state.schema_version,
            security_coverage: state.security_coverage,
            own_details: own_details(state),
            assessment_id: assessed.id_of(standing),
            in_use: standing.in_use,
            identification: standing.identification.map(Identification::as_str),
            rejected: rejected.map(RejectedMark::as_str),
        })
    };
    let changed = plan.changes.changed.iter().map(|change| write(&change.machine_name, &change.after, None));
    let new = plan.marks.new.iter().map(|new| write(&new.machine_name, &new.state, Some(RejectedMark::New)));
    let mut rows = changed.chain(new).collect::<Result<Vec<_>, StorageError>>()?;
    rows.sort_unstable_by_key(|row| row.module_id);
    Ok(rows)
}

/// What happened, module by module, with the versions that belong to it.
pub(super) fn event_writes<'a>(plan: &'a SyncPlan, ids: &Ids) -> Result<Vec<EventWrite<'a>>, StorageError> {
    let mut events = Vec::new();
    for change in &plan.changes.changed {
        let module_id = ids.module_id(&change.machine_name)?;
        let before = change.before.as_ref().and_then(|state| state.version.as_ref()).map(DrupalVersion::as_str);
        let after = change.after.version.as_ref().map(DrupalVersion::as_str);
        for kind in &change.events {
            let (from_version, to_version) = match kind {
                EventKind::VersionChanged => (before, after),
                EventKind::Installed | EventKind::Restored => (None, after),
                EventKind::Removed | EventKind::Enabled | EventKind::Disabled => (None, None),
            };
            events.push(EventWrite { module_id, kind: kind.as_str(), from_version, to_version });
        }
    }
    for row in &plan.changes.removed {
        events.push(EventWrite {
            module_id: ids.module_id(&row.machine_name)?,
            kind: EventKind::Removed.as_str(),
            from_version: row.state.version.as_ref().map(DrupalVersion::as_str),
            to_version: None,
        });
    }
    Ok(events)
}

/// The site's row after a sync.
pub(super) struct SiteWrite<'a> {
    pub(super) identity: &'a SiteIdentity,
    pub(super) fingerprint: Option<Vec<u8>>,
    pub(super) last_full_sync_at: Option<OffsetDateTime>,
    pub(super) mass_removal: bool,
    pub(super) conflict: bool,
    /// `None`: it stays.
    pub(super) core_assessment_id: Option<i64>,
    pub(super) partial: bool,
    pub(super) unnamed_rejections: u32,
}

impl<'a> SiteWrite<'a> {
    /// What `plan` leaves of a site that was `before`.
    pub(super) fn of(
        plan: &'a SyncPlan,
        before: &SiteStateRow,
        at: OffsetDateTime,
        core_assessment_id: Option<i64>,
    ) -> Self {
        Self {
            identity: &plan.identity,
            fingerprint: plan.fingerprint.map(|f| f.as_bytes().to_vec()),
            last_full_sync_at: if plan.complete { Some(at) } else { before.last_full_sync_at.map(|at| at.0) },
            mass_removal: plan.mass_removal,
            conflict: before.conflict || plan.identity_changed_from.is_some(),
            core_assessment_id,
            partial: plan.marks.is_partial(),
            unnamed_rejections: plan.marks.unnamed,
        }
    }
}

/// The detail of the event that a change of identity leaves.
pub(super) fn identity_event(plan: &SyncPlan) -> Option<String> {
    let from = plan.identity_changed_from.as_ref()?;
    let as_json = |i: &SiteIdentity| serde_json::json!({ "environment": i.environment, "url": i.url });
    Some(serde_json::json!({ "from": as_json(from), "to": as_json(&plan.identity) }).to_string())
}

/// What the sync did. Takes the time: call it right before the audit row is written.
pub(super) fn outcome(command: &SyncCommand, plan: &SyncPlan, security: SecurityCounts) -> SyncOutcome {
    SyncOutcome { counts: plan.counts, warnings: plan.warnings.clone(), ..unchanged_outcome(command, security) }
}

/// What a sync did that left everything as it was.
pub(super) fn unchanged_outcome(command: &SyncCommand, security: SecurityCounts) -> SyncOutcome {
    SyncOutcome {
        sync_id: command.sync_id,
        site_id: command.site_id,
        counts: SyncCounts { processed: command.report.modules().len(), ..SyncCounts::default() },
        security,
        warnings: Vec::new(),
        rejected: command.report.rejected().to_vec(),
        next_sync_after: command.next_sync_after,
        processing_time_ms: i64::try_from(command.received.elapsed().as_millis()).unwrap_or(i64::MAX),
    }
}

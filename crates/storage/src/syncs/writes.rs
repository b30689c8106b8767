//! From a plan to the rows that a sync writes.

use module_monitor_domain::{
    Identification, ItemHash, MachineName, ModulesHash, RejectedMark, Reported, SecurityCounts, SiteIdentity,
    SiteModuleState, SyncCounts, SyncOutcome, SyncPlan,
};
use time::OffsetDateTime;

use super::command::SyncCommand;
use super::ids::Ids;
use crate::engine::error::StorageError;
use crate::engine::read::json;
use crate::inventory::change_set::ChangeSet;
use crate::inventory::standing::{Standing, by_name};
use crate::releases::assessments::wanted::Assessed;
use crate::site_bounds::SiteBounds;
use crate::sites::rows::SiteStateRow;

/// A row of the site to insert or overwrite.
pub(super) struct RowWrite<'a> {
    pub(super) module_id: i64,
    pub(super) version_id: Option<i64>,
    pub(super) state: &'a SiteModuleState,
    /// `None` where nothing of it could be read.
    pub(super) item: Option<ItemHash>,
    /// As [`SiteBounds::make_room`] allows.
    pub(super) own_details: Option<String>,
    pub(super) assessment_id: Option<i64>,
    pub(super) in_use: bool,
    pub(super) identification: Option<&'static str>,
    pub(super) rejected: Option<&'static str>,
    /// Its place in the change set of the sync; `None` where nothing happened to the module.
    pub(super) change: Option<i32>,
}

impl RowWrite<'_> {
    /// What of it counts towards the bound of the site's details.
    pub(super) fn details_bytes(&self) -> usize {
        self.own_details.as_ref().map_or(0, String::len)
    }
}

/// The rows to insert or overwrite, in the order of their ids.
pub(super) fn row_writes<'a>(
    plan: &'a SyncPlan,
    ids: &Ids,
    standings: &[Standing<'_>],
    assessed: &Assessed,
    changes: Option<&ChangeSet>,
) -> Result<Vec<RowWrite<'a>>, StorageError> {
    let standings = by_name(standings);
    let write = |name: &MachineName, item: Option<ItemHash>, state: &'a SiteModuleState| {
        let module_id = ids.module_id(name)?;
        let version_id = state.version.as_ref().map(|v| ids.version_id(module_id, v.as_str())).transpose()?;
        let standing = standings.get(name).ok_or_else(|| StorageError::corrupt("inventory: no standing of", name))?;
        Ok(RowWrite {
            module_id,
            version_id,
            state,
            item,
            own_details: None,
            assessment_id: assessed.id_of(standing),
            in_use: standing.in_use,
            identification: standing.identification.map(Identification::as_str),
            rejected: item.is_none().then_some(RejectedMark::New.as_str()),
            change: changes.and_then(|changes| changes.last.get(&module_id).copied()),
        })
    };
    let changed = plan.changes.changed.iter();
    let changed = changed.map(|change| write(&change.machine_name, Some(change.item), &change.after));
    let new = plan.marks.new.iter().map(|new| write(&new.machine_name, None, &new.state));
    let mut rows = changed.chain(new).collect::<Result<Vec<_>, StorageError>>()?;
    rows.sort_unstable_by_key(|row| row.module_id);
    Ok(rows)
}

/// The site's row after a sync.
pub(super) struct SiteWrite<'a> {
    pub(super) identity: &'a SiteIdentity,
    pub(super) fingerprint: Option<Vec<u8>>,
    /// `None`: it stays while the fingerprint does.
    pub(super) modules_hash: Option<ModulesHash>,
    /// Modules of the state that a fingerprint of this report stands for; `None`: it has none.
    pub(super) processed: Option<usize>,
    pub(super) last_full_sync_at: Option<OffsetDateTime>,
    pub(super) mass_removal: bool,
    pub(super) conflict: bool,
    /// `None`: it stays.
    pub(super) core_assessment_id: Option<i64>,
    pub(super) partial: bool,
    pub(super) unnamed_rejections: u32,
    /// Rows in `site_modules`; `None`: as many as before.
    pub(super) kept_modules: Option<usize>,
    /// Bytes of the site's history and of what its syncs were answered.
    pub(super) kept_bytes: i64,
    /// `None`: it stays.
    pub(super) busy_until: Option<OffsetDateTime>,
}

impl<'a> SiteWrite<'a> {
    /// What `plan` leaves of a site that was `before`.
    pub(super) fn of(
        plan: &'a SyncPlan,
        before: &SiteStateRow,
        command: &SyncCommand,
        written: &Written,
        bounds: &SiteBounds,
    ) -> Self {
        let at = command.received_at;
        let rows = plan.changes.changed.len() + plan.changes.removed.len();
        let added = written.kept_bytes + json(&plan.warnings).len() + json(command.report.rejected()).len();
        Self {
            identity: &plan.identity,
            fingerprint: plan.fingerprint.map(|f| f.as_bytes().to_vec()),
            modules_hash: command.report.modules_hash(),
            processed: command.report.is_exact().then_some(plan.counts.processed),
            last_full_sync_at: if plan.complete { Some(at) } else { before.last_full_sync_at.map(|at| at.0) },
            mass_removal: plan.mass_removal,
            conflict: before.conflict || plan.identity_changed_from.is_some(),
            core_assessment_id: written.assessed.core,
            partial: plan.marks.is_partial(),
            unnamed_rejections: plan.marks.unnamed,
            kept_modules: written.modules,
            kept_bytes: before.kept_bytes.saturating_add(i64::try_from(added).unwrap_or(i64::MAX)),
            busy_until: bounds.busy_until(before, command.applied_at(), rows),
        }
    }
}

/// What a sync has written of the site's inventory.
#[derive(Default)]
pub(super) struct Written {
    /// The assessments of what it wrote.
    pub(super) assessed: Assessed,
    /// Rows that the site has now; `None`: as many as before.
    pub(super) modules: Option<usize>,
    /// What it adds to the site's history, in bytes.
    pub(super) kept_bytes: usize,
}

/// The detail of the event that a change of identity leaves.
pub(super) fn identity_event(plan: &SyncPlan) -> Option<String> {
    let from = plan.identity_changed_from.as_ref()?;
    let as_json = |i: &SiteIdentity| serde_json::json!({ "environment": i.environment, "url": i.url });
    Some(serde_json::json!({ "from": as_json(from), "to": as_json(&plan.identity) }).to_string())
}

/// What the sync did. Takes the time: call it right before the audit row is written.
pub(super) fn outcome(command: &SyncCommand, plan: &SyncPlan, security: SecurityCounts) -> SyncOutcome {
    SyncOutcome {
        counts: plan.counts,
        security,
        warnings: plan.warnings.clone(),
        rejected: command.report.rejected().to_vec(),
        ..unchanged_outcome(command)
    }
}

/// What a sync did that left everything as it was, but for the figures of the site.
pub(super) fn unchanged_outcome<R: Reported>(command: &SyncCommand<R>) -> SyncOutcome {
    SyncOutcome {
        sync_id: command.sync_id,
        site_id: command.site_id,
        counts: SyncCounts::default(),
        security: SecurityCounts::default(),
        warnings: Vec::new(),
        rejected: Vec::new(),
        next_sync_after: command.next_sync_after,
        processing_time_ms: i64::try_from(command.received.elapsed().as_millis()).unwrap_or(i64::MAX),
    }
}

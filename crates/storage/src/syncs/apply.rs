//! Applying one sync.

use std::sync::Arc;

use module_monitor_domain::{
    CurrentModule, Decision, Feed, Refusal, SecurityCounts, SiteEventKind, SyncOutcome, SyncPlan, WebhookEvent, decide,
    plan, plan_unchanged,
};

use super::command::SyncCommand;
use super::id_cache::{FoundIds, IdCache};
use super::ids::Ids;
use super::queue::turns::pass;
use super::result::SyncResult;
use super::rows::TouchedRow;
use super::writes::{SiteWrite, event_writes, identity_event, outcome, row_writes, unchanged_outcome};
use super::{idempotency, queries};
use crate::engine::error::StorageError;
use crate::engine::transaction::{Transaction, Unit};
use crate::identities::identify::{known_names, write_standings};
use crate::inventory::rows::CurrentRow;
use crate::inventory::standing;
use crate::releases::assessments::assess;
use crate::releases::assessments::wanted::{Assessed, Wanted};
use crate::security::recount;
use crate::sites::rows::{SecurityRow, SiteStateRow};
use crate::{inventory, outbox, security, sites};

/// Applies a report, or says why not. An unchanged report is one statement on PostgreSQL, and writes the site's row and
/// the audit row on both; everything else begins with the lock on the site's row.
pub(super) struct Apply {
    pub(super) command: Arc<SyncCommand>,
    pub(super) cache: Arc<IdCache>,
}

impl Unit for Apply {
    /// With the ids that were found, for the cache to remember after the commit.
    type Output = (SyncResult, FoundIds);

    async fn shortcut<T: Transaction>(&self, transaction: &mut T) -> Result<Option<Self::Output>, StorageError> {
        let outcome = touch(transaction, &self.command).await?;
        Ok(outcome.map(|outcome| (SyncResult::Applied(outcome), FoundIds::default())))
    }

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<Self::Output, StorageError> {
        let (command, report) = (&*self.command, &self.command.report);
        let site = transaction.first::<SiteStateRow>(sites::queries::lock_site(command.site_id)).await?;
        let Some(site) = site else {
            return Ok((SyncResult::Refused(Refusal::UnknownSite), FoundIds::default()));
        };
        if let Some(earlier) = idempotency::find_earlier(transaction, command).await? {
            return Ok((earlier.into(), FoundIds::default()));
        }
        let state = site.state();
        let decision = decide(&state, report);
        if let Some(result) = pass(transaction, command, site.pending_jobs, &decision).await? {
            return Ok((result, FoundIds::default()));
        }
        let mut assessed = Assessed::default();
        let (plan, ids) = match decision {
            Decision::Refuse(refusal) => return Ok((SyncResult::Refused(refusal), FoundIds::default())),
            Decision::Unchanged => (plan_unchanged(&state, report), Ids::default()),
            Decision::Compare => {
                let rows = transaction.rows::<CurrentRow>(inventory::queries::current_modules(command.site_id)).await?;
                let (mut ids, current) = Ids::of_rows(rows)?;
                resolve_modules(transaction, command, &mut ids, &self.cache).await?;
                let mut plan = plan(&state, &current, report, |name| ids.registry_type(name));
                assessed = write_inventory(transaction, command, &plan, &site, &current, &mut ids, &self.cache).await?;
                plan.warnings.extend(postponed(assessed.postponed));
                (plan, ids)
            }
        };
        let outcome = finish(transaction, command, &plan, &site, assessed.core).await?;
        let found = FoundIds { behind: assessed.behind, ..ids.found };
        Ok((SyncResult::Applied(outcome), found))
    }
}

/// What a site is told that has named too many versions.
fn postponed(versions: usize) -> Option<String> {
    (versions > 0).then(|| {
        format!(
            "{versions} versions are judged later, because this site has named more new versions in a day than are taken \
             from one site; until then they count as not_fetched"
        )
    })
}

/// The whole sync of a report that changes nothing; `None` when it does change something.
async fn touch<T: Transaction>(
    transaction: &mut T,
    command: &SyncCommand,
) -> Result<Option<SyncOutcome>, StorageError> {
    let Some(fingerprint) = command.report.fingerprint() else { return Ok(None) };
    if !command.is_direct() || command.idempotency.is_some() {
        return Ok(None);
    }
    let mut outcome = unchanged_outcome(command, SecurityCounts::default());
    let touch = queries::touch_site(command, fingerprint, &outcome, T::WRITES_SEVERAL);
    let Some(touched) = transaction.first::<TouchedRow>(touch).await? else { return Ok(None) };
    outcome.security = touched.security.try_into()?;
    if !T::WRITES_SEVERAL {
        transaction.execute(queries::insert_sync(command, &outcome)).await?;
        if touched.wanted {
            let (site, data) = (command.site_id, outbox::sync_completed(&outcome));
            let event = outbox::record(WebhookEvent::SyncCompleted, site, command.received_at, data);
            transaction.execute(event).await?;
        }
    }
    Ok(Some(outcome))
}

/// Finds or inserts the registry rows of the reported modules that the site does not have yet.
async fn resolve_modules<T: Transaction>(
    transaction: &mut T,
    command: &SyncCommand,
    ids: &mut Ids,
    cache: &IdCache,
) -> Result<(), StorageError> {
    let unknown = ids.unknown_modules(&command.report, cache);
    if unknown.is_empty() {
        return Ok(());
    }
    ids.add_modules(transaction.rows(queries::insert_modules(&unknown, command.received_at)).await?)?;
    if !ids.know_modules(&unknown) {
        ids.add_modules(transaction.rows(queries::find_modules(&unknown)).await?)?;
    }
    Ok(())
}

/// Finds or inserts the registry rows of the versions that the plan writes.
async fn resolve_versions<T: Transaction>(
    transaction: &mut T,
    plan: &SyncPlan,
    command: &SyncCommand,
    ids: &mut Ids,
    cache: &IdCache,
) -> Result<(), StorageError> {
    let unknown = ids.unknown_versions(plan, &command.report, cache)?;
    if unknown.is_empty() {
        return Ok(());
    }
    ids.add_versions(transaction.rows(queries::insert_versions(&unknown)).await?);
    if !ids.know_versions(&unknown) {
        ids.add_versions(transaction.rows(queries::find_versions(&unknown)).await?);
    }
    Ok(())
}

/// Writes the rows that `plan` changes, and how everything stands afterwards. Locks projects before it touches versions,
/// which is the order of an import.
async fn write_inventory<T: Transaction>(
    transaction: &mut T,
    command: &SyncCommand,
    plan: &SyncPlan,
    before: &SiteStateRow,
    current: &[CurrentModule],
    ids: &mut Ids,
    cache: &IdCache,
) -> Result<Assessed, StorageError> {
    let (site, now, core) = (command.site_id, command.received_at, command.report.drupal_version());
    let mut assessed = Assessed::default();
    let old_core = before.drupal_version();
    let same_core = old_core.as_ref() == Some(core) && before.core_assessment_id.is_some();
    if !plan.changes.is_empty() || plan.marks.changed || !same_core {
        let extensions = standing::after(current, plan);
        let names = known_names(transaction, site, Feed::of(core), &extensions).await?;
        // A site that moves to another feed, or has no assessments yet, takes all of its modules along.
        let anew = before.core_assessment_id.is_none() || standing::changes_feed(old_core.as_ref(), core);
        let standings = standing::standings(&extensions, core, &names, anew);
        assessed = assess(transaction, site, now, Wanted::of(core, &standings)).await?;
        resolve_versions(transaction, plan, command, ids, cache).await?;
        let rows = row_writes(plan, ids, &standings, &assessed)?;
        if !rows.is_empty() {
            transaction.execute(queries::write_site_modules(site, now, &rows)).await?;
        }
        write_standings(transaction, site, &standings, &assessed, |name| ids.module_id(name)).await?;
    }
    write_marks(transaction, command, plan, before, ids).await?;
    let events = event_writes(plan, ids)?;
    if !events.is_empty() {
        transaction.execute(queries::insert_events(site, command.sync_id, now, &events)).await?;
    }
    Ok(assessed)
}

/// Writes what is gone, what was reported and stays as it is, and what could not be read.
async fn write_marks<T: Transaction>(
    transaction: &mut T,
    command: &SyncCommand,
    plan: &SyncPlan,
    before: &SiteStateRow,
    ids: &Ids,
) -> Result<(), StorageError> {
    let (site, now) = (command.site_id, command.received_at);
    if !plan.changes.removed.is_empty() {
        let removed = ids.module_ids(plan.changes.removed.iter().map(|row| &row.machine_name))?;
        transaction.execute(queries::remove_site_modules(site, now, before.last_full_sync_at, removed)).await?;
    }
    if !plan.reported_again.is_empty() {
        transaction.execute(queries::report_again(site, now, ids.module_ids(&plan.reported_again)?)).await?;
    }
    if !plan.marks.back.is_empty() {
        transaction.execute(queries::bring_back(site, now, ids.module_ids(&plan.marks.back)?)).await?;
    }
    if !plan.marks.kept.is_empty() {
        transaction.execute(queries::mark_rejected(site, ids.module_ids(&plan.marks.kept)?)).await?;
    }
    if !plan.marks.ended.is_empty() {
        let ended = ids.module_ids(&plan.marks.ended)?;
        transaction.execute(queries::take_back(site, now, ended.clone())).await?;
        transaction.execute(queries::end_placeholders(site, ended)).await?;
    }
    Ok(())
}

/// Writes the site's row, recounts the site where its modules or their assessments changed, writes the audit row, and
/// tells whoever wants to know.
async fn finish<T: Transaction>(
    transaction: &mut T,
    command: &SyncCommand,
    plan: &SyncPlan,
    before: &SiteStateRow,
    core_assessment_id: Option<i64>,
) -> Result<SyncOutcome, StorageError> {
    let (site, now) = (command.site_id, command.received_at);
    let write = SiteWrite::of(plan, before, now, core_assessment_id);
    transaction.execute(queries::update_site(command, write)).await?;
    let mut figures = before.security.clone();
    // Whatever changes a module also looks up the assessment of the core.
    if core_assessment_id.is_some() {
        recount::recount(transaction, now, &[site]).await?;
        let row = transaction.first::<SecurityRow>(security::queries::security_of_site(site)).await?;
        figures = row.ok_or_else(|| StorageError::corrupt("site: gone", site))?;
    }
    let mut told = Vec::new();
    if let Some(detail) = identity_event(plan) {
        let event = sites::queries::insert_site_event(
            command.site_id,
            SiteEventKind::IdentityChanged,
            &detail,
            command.sync_id,
            now,
        );
        transaction.execute(event).await?;
        told.push((WebhookEvent::SiteIdentityChanged, detail));
    }
    if plan.complete && plan.mass_removal {
        let detail = outbox::mass_removal(plan);
        let event = sites::queries::insert_site_event(
            command.site_id,
            SiteEventKind::MassRemoval,
            &detail,
            command.sync_id,
            now,
        );
        transaction.execute(event).await?;
        told.push((WebhookEvent::SiteMassRemoval, detail));
    }
    if before.silence_told {
        told.push((WebhookEvent::SiteReportingAgain, outbox::nothing_more()));
    }
    let outcome = outcome(command, plan, figures.try_into()?);
    transaction.execute(queries::insert_sync(command, &outcome)).await?;
    told.push((WebhookEvent::SyncCompleted, outbox::sync_completed(&outcome)));
    for (kind, data) in told {
        transaction.execute(outbox::record(kind, site, now, data)).await?;
    }
    if let Some(key) = &command.idempotency {
        transaction.execute(idempotency::write_idempotency_key(command, key)).await?;
    }
    Ok(outcome)
}

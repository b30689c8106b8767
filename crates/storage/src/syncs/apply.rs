//! Applying one sync.

use std::sync::Arc;

use module_monitor_domain::{
    CurrentModule, Decision, Refusal, Reported, SiteEventKind, SyncOutcome, SyncPlan, WebhookEvent, bounded_warnings,
    decide, plan, plan_unchanged,
};

use super::changing::Changing;
use super::command::{GlancedReport, SyncCommand};
use super::id_cache::FoundIds;
use super::ids::Ids;
use super::queries::KnownBy;
use super::queue::turns::pass;
use super::resident::Resident;
use super::rest::has_to_rest;
use super::result::SyncResult;
use super::rows::TouchedRow;
use super::writes::{SiteWrite, Written, identity_event, outcome, unchanged_outcome};
use super::{idempotency, queries};
use crate::engine::error::StorageError;
use crate::engine::transaction::{Transaction, Unit};
use crate::inventory::current::Current;
use crate::registry::rows::GenerationRow;
use crate::releases::assessments::changed::agree;
use crate::security::recount;
use crate::site_bounds::SiteBounds;
use crate::sites::rows::{SecurityRow, SiteStateRow};
use crate::{outbox, registry, security, sites};

/// Applies a report, or says why not. An unchanged report is one statement on PostgreSQL, and writes the site's row and
/// the audit row on both; everything else begins with the lock on the site's row.
pub(super) struct Apply {
    pub(super) command: Arc<SyncCommand>,
    pub(super) resident: Arc<Resident>,
}

impl Unit for Apply {
    /// With the ids that were found, for the cache to remember after the commit.
    type Output = (SyncResult, FoundIds);

    fn is_small(&self) -> bool {
        self.command.is_direct() && self.command.report.fingerprint().is_some()
    }

    async fn shortcut<T: Transaction>(&self, transaction: &mut T) -> Result<Option<Self::Output>, StorageError> {
        let (command, report) = (&*self.command, &self.command.report);
        let (fingerprint, modules) = (report.fingerprint(), report.modules_hash());
        if fingerprint.is_none() || !command.is_direct() {
            return Ok(None);
        }
        let outcome = touch(transaction, command, KnownBy { fingerprint, modules }).await?;
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
        let waits = site.pending_jobs > 0 || has_to_rest(&site, command.received_at);
        if let Some(result) = pass(transaction, command, waits, &decision).await? {
            return Ok((result, FoundIds::default()));
        }
        let (plan, written, ids) = match decision {
            Decision::Refuse(refusal) => return Ok((SyncResult::Refused(refusal), FoundIds::default())),
            Decision::Unchanged => (plan_unchanged(&state, report), Written::default(), Ids::default()),
            Decision::Compare => {
                // What another core makes of an extension is not to be seen from its row alone.
                let anew = !site.has_core(report.drupal_version());
                let whole = |row: &CurrentModule| (anew && !row.removed) || !row.stays(report);
                let current = Current::read(transaction, command.site_id, whole).await?;
                if let Some(refusal) = self.resident.bounds.refusal(&current, report) {
                    return Ok((SyncResult::Refused(refusal), FoundIds::default()));
                }
                let mut ids = Ids::of_rows(&current);
                ids.found.generation = trust(transaction, &self.resident).await?;
                let sync = Changing { command, resident: &self.resident, before: &site };
                sync.resolve_modules(transaction, &mut ids).await?;
                let mut plan = plan(&state, &current.modules, report, |name| ids.registry_type(name));
                let written = sync.write_inventory(transaction, &mut plan, &current, &mut ids).await?;
                plan.warnings = bounded_warnings(plan.warnings);
                (plan, written, ids)
            }
        };
        let outcome = finish(transaction, command, &plan, &site, &written, &self.resident.bounds).await?;
        if written.assessed.core.is_some() {
            agree(transaction, command.site_id, command.received_at, site.changes, &written.assessed).await?;
        }
        Ok((SyncResult::Applied(outcome), ids.found(written.assessed)))
    }
}

/// Forgets remembered ids that may be out of date, and says what the rest is of.
async fn trust<T: Transaction>(transaction: &mut T, resident: &Resident) -> Result<i64, StorageError> {
    let reach = resident.ids.reach();
    let now = transaction.first::<GenerationRow>(registry::queries::generation()).await?;
    let now = now.ok_or_else(|| StorageError::corrupt("registry: gone", "its generation"))?;
    resident.ids.trust(now, reach);
    Ok(now.generation)
}

/// Applies a report whose modules nobody has read, where its site's row knows them; else it does nothing.
pub(super) struct ApplyGlanced(pub(super) Arc<SyncCommand<GlancedReport>>);

impl Unit for ApplyGlanced {
    type Output = Option<SyncOutcome>;

    fn is_small(&self) -> bool {
        true
    }

    async fn shortcut<T: Transaction>(&self, transaction: &mut T) -> Result<Option<Self::Output>, StorageError> {
        let by = KnownBy { fingerprint: None, modules: Some(self.0.report.modules) };
        touch(transaction, &self.0, by).await.map(Some)
    }

    /// There is nothing behind the shortcut.
    async fn run<T: Transaction>(self, _transaction: &mut T) -> Result<Self::Output, StorageError> {
        Ok(None)
    }
}

/// The whole sync of a report that changes nothing; `None` when it does change something, or has an idempotency key that
/// stands for a sync already.
async fn touch<T: Transaction, R: Reported>(
    transaction: &mut T,
    command: &SyncCommand<R>,
    by: KnownBy,
) -> Result<Option<SyncOutcome>, StorageError> {
    let mut outcome = unchanged_outcome(command);
    let touch = queries::touch_site(command, by, &outcome, T::WRITES_SEVERAL);
    let touched = match transaction.first::<TouchedRow>(touch).await {
        // Another sync has taken the key since this statement began; it is found under the lock.
        Err(StorageError::Duplicate(_)) if command.idempotency.is_some() => None,
        touched => touched?,
    };
    let Some(touched) = touched else { return Ok(None) };
    outcome.counts = touched.counts()?;
    outcome.security = touched.security.try_into()?;
    if !T::WRITES_SEVERAL {
        transaction.execute(queries::insert_sync(command, &outcome)).await?;
        if touched.wanted {
            let (site, data) = (command.site_id, outbox::sync_completed(&outcome));
            let event = outbox::record(WebhookEvent::SyncCompleted, site, command.received_at, data);
            transaction.execute(event).await?;
        }
        if let Some(key) = &command.idempotency {
            transaction.execute(idempotency::write_idempotency_key(command, key)).await?;
        }
    }
    Ok(Some(outcome))
}

/// Writes the site's row, recounts the site where its modules or their assessments changed, writes the audit row, and
/// tells whoever wants to know.
async fn finish<T: Transaction>(
    transaction: &mut T,
    command: &SyncCommand,
    plan: &SyncPlan,
    before: &SiteStateRow,
    written: &Written,
    bounds: &SiteBounds,
) -> Result<SyncOutcome, StorageError> {
    let (site, now) = (command.site_id, command.received_at);
    let write = SiteWrite::of(plan, before, command, written, bounds);
    let kept_bytes = write.kept_bytes;
    transaction.execute(queries::update_site(command, write)).await?;
    let mut figures = before.security.clone();
    // Whatever changes a module also looks up the assessment of the core.
    if written.assessed.core.is_some() {
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
    bounds.trim(transaction, site, kept_bytes).await?;
    told.push((WebhookEvent::SyncCompleted, outbox::sync_completed(&outcome)));
    for (kind, data) in told {
        transaction.execute(outbox::record(kind, site, now, data)).await?;
    }
    if let Some(key) = &command.idempotency {
        transaction.execute(idempotency::write_idempotency_key(command, key)).await?;
    }
    Ok(outcome)
}

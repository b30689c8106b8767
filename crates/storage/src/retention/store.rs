//! Which statements remove what.

use async_trait::async_trait;

use super::sweep::sweep;
use super::trim::trim;
use super::{Cutoff, KeptRows, Pruned, Retention};
use crate::engine::error::StorageError;
use crate::engine::transaction::Backend;
use crate::releases::assessments;
use crate::syncs::{log, queue};
use crate::{admin_log, inventory, registry, releases, security, sites};

#[async_trait]
impl<B: Backend> Retention for B {
    async fn prune(&self, kind: KeptRows, cutoff: Cutoff, after: i64, batch: usize) -> Result<Pruned, StorageError> {
        let Cutoff { audit, history, of_a_site, .. } = cutoff;
        let old = match kind {
            KeptRows::IdempotencyKeys => log::queries::prune_idempotency_keys(cutoff.idempotency_keys, batch),
            KeptRows::RefusedSyncs => log::queries::prune_rejected_syncs(audit, batch),
            KeptRows::Syncs => log::queries::prune_syncs(audit, batch),
            KeptRows::Jobs => queue::queries::prune_jobs(audit, batch),
            KeptRows::AdminEvents => admin_log::queries::prune_admin_events(audit, batch),
            KeptRows::SiteEvents => sites::queries::prune_events(history, batch),
            KeptRows::ClosedFindings => security::queries::prune_findings(history, batch),
            KeptRows::EndedAcceptances => security::queries::prune_acceptances(history, batch),
            KeptRows::RemovedModules => inventory::queries::prune_removed_modules(history, batch),
            KeptRows::ChangeSets => {
                let rows = self.execute_all(inventory::queries::prune_change_sets(history, batch)).await?;
                let removed = rows.last().copied().unwrap_or_default();
                return Ok(Pruned { removed, next: (removed > 0).then_some(0) });
            }
            KeptRows::Assessments => return sweep(self, &assessments::queries::UNUSED, cutoff, after, batch).await,
            KeptRows::Projects => return sweep(self, &releases::queries::UNUSED_PROJECTS, cutoff, after, batch).await,
            KeptRows::Versions => return sweep(self, &registry::queries::UNUSED_VERSIONS, cutoff, after, batch).await,
            KeptRows::Modules => return sweep(self, &registry::queries::UNUSED_MODULES, cutoff, after, batch).await,
        };
        match self.execute(old).await? {
            0 => {}
            removed => return Ok(Pruned { removed, next: Some(0) }),
        }
        let removed = match kind {
            KeptRows::RefusedSyncs => trim(self, &log::queries::TRIM, of_a_site.refused_syncs, batch).await?,
            KeptRows::SiteEvents => trim(self, &sites::queries::TRIM_EVENTS, of_a_site.events, batch).await?,
            KeptRows::ClosedFindings => {
                trim(self, &security::queries::TRIM_FINDINGS, of_a_site.closed_findings, batch).await?
            }
            _ => 0,
        };
        Ok(Pruned { removed, next: None })
    }
}

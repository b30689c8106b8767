//! Counting the figures of sites from their rows, and opening and closing their findings.

use module_monitor_domain::SiteId;
use time::OffsetDateTime;

use super::queries;
use crate::engine::error::StorageError;
use crate::engine::statement::BoxedSql;
use crate::engine::transaction::{Transaction, Unit};
use crate::sites::rows::SiteIdRow;
use crate::{recounts, sites};

/// Locks sites, runs statements, recounts the sites, and says how many rows each statement wrote.
pub(super) struct Recount {
    pub(super) now: OffsetDateTime,
    /// In the order of their ids, in which everybody locks them.
    pub(super) sites: Vec<SiteId>,
    pub(super) statements: Vec<BoxedSql>,
}

impl Unit for Recount {
    type Output = Vec<usize>;

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<Vec<usize>, StorageError> {
        // A statement of its own, because a statement sees what was committed before it began: here, every sync that had
        // the lock before.
        if T::LOCKS_ROWS {
            transaction.rows::<SiteIdRow>(sites::queries::lock_sites(&self.sites)).await?;
        }
        let rows = transaction.execute_all(self.statements).await?;
        recount(transaction, self.now, &self.sites).await?;
        Ok(rows)
    }
}

/// Takes sites that are marked, at most `limit`, locks them and recounts them. Says how many they were.
pub(super) struct CountMarked {
    pub(super) now: OffsetDateTime,
    pub(super) limit: usize,
}

impl Unit for CountMarked {
    type Output = usize;

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<usize, StorageError> {
        let taken = transaction.rows::<SiteIdRow>(recounts::queries::take(self.limit)).await?;
        let mut sites: Vec<SiteId> = taken.into_iter().map(SiteId::from).collect();
        sites.sort_unstable();
        if !sites.is_empty() {
            transaction.execute(recounts::queries::delete(&sites)).await?;
            recount(transaction, self.now, &sites).await?;
        }
        Ok(sites.len())
    }
}

/// Recounts sites whose locks are held, and tells whoever wants to know what has become insecure or been fixed.
pub(crate) async fn recount<T: Transaction>(
    transaction: &mut T,
    now: OffsetDateTime,
    sites: &[SiteId],
) -> Result<(), StorageError> {
    if T::WRITES_SEVERAL {
        return transaction.execute(queries::recount_sites(now, sites)).await.map(drop);
    }
    transaction.execute(queries::count_figures(sites)).await?;
    transaction.execute(queries::tell_findings(now, sites)).await?;
    transaction.execute(queries::close_findings(now, sites)).await?;
    transaction.execute(queries::open_findings(now, sites)).await.map(drop)
}

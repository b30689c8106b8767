//! Agreeing with those who change what extensions are judged by, without a lock on what is read.
//!
//! Such a change (a release history, a risk accepted for all sites) is written first; then its transaction takes a lock that
//! no sync holds but at its very end, counts itself in `release_data.changes`, and marks the sites that are to be counted
//! again, as they are seen from there. A sync takes that lock shared when all of its work is done, and looks whether there
//! has been a change since it began. So either the change sees what the sync has written, or the sync sees that there was a
//! change: then it has its site counted again and, where it has judged by what has changed, is done again. Both hold the
//! lock for as long as a commit takes.

use module_monitor_domain::SiteId;
use time::OffsetDateTime;

use super::named::Named;
use super::queries;
use super::wanted::Assessed;
use crate::engine::error::StorageError;
use crate::engine::read::CountRow;
use crate::engine::transaction::Transaction;
use crate::recounts;

/// Ends a transaction that has counted `site` and used `assessed`; when it began, `seen` was the number of changes. Nothing
/// may follow it that waits for locks which others take before they change something.
pub(crate) async fn agree<T: Transaction>(
    transaction: &mut T,
    site: SiteId,
    now: OffsetDateTime,
    seen: i64,
    assessed: &Assessed,
) -> Result<(), StorageError> {
    if !T::LOCKS_ROWS {
        return Ok(());
    }
    transaction.execute(queries::hold_changes()).await?;
    let changes = transaction.first::<CountRow>(queries::changes()).await?;
    if changes.is_some_and(|changes| changes.count == seen) {
        return Ok(());
    }
    if let (Some(Named { feed, .. }), false) = (&assessed.named, assessed.judged.is_empty()) {
        let names = assessed.judged.iter().map(|project| project.as_str()).collect();
        let changed = transaction.first::<CountRow>(queries::changed_since(*feed, seen, names)).await?;
        if changed.is_some_and(|changed| changed.count > 0) {
            return Err(StorageError::Contention("a project has changed that versions were judged by".into()));
        }
    }
    transaction.execute(recounts::queries::request_site(site, now)).await.map(drop)
}

/// Counts a change of a project that has been written; what follows sees every sync that does not see it.
pub(crate) async fn note_change<T: Transaction>(transaction: &mut T, project: i64) -> Result<(), StorageError> {
    transaction.execute(queries::count_change()).await?;
    transaction.execute(queries::mark_changed(project)).await.map(drop)
}

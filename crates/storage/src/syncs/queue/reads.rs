//! What the units of work of the queue read under the site's lock.

use module_monitor_domain::{SiteId, SyncId};
use time::OffsetDateTime;

use super::rows::{AheadRow, HeadRow, JobRow};
use super::{Job, queries};
use crate::engine::error::StorageError;
use crate::engine::transaction::Transaction;
use crate::sites;
use crate::sites::rows::SiteStateRow;

pub(super) async fn lock_site<T: Transaction>(
    transaction: &mut T,
    site: SiteId,
) -> Result<Option<SiteStateRow>, StorageError> {
    transaction.first(sites::queries::lock_site(site)).await
}

pub(crate) async fn find_job<T: Transaction>(transaction: &mut T, id: SyncId) -> Result<Option<Job>, StorageError> {
    transaction.rows::<JobRow>(queries::job(id)).await?.pop().map(Job::try_from).transpose()
}

/// The job whose turn it is, where it is due.
pub(super) async fn head<T: Transaction>(
    transaction: &mut T,
    site: SiteId,
    now: OffsetDateTime,
) -> Result<Option<HeadRow>, StorageError> {
    Ok(transaction.rows::<HeadRow>(queries::queue_head(site, now)).await?.pop())
}

/// The time stamp of a running report that no later one may be older than.
pub(super) async fn running<T: Transaction>(
    transaction: &mut T,
    site: SiteId,
) -> Result<Option<OffsetDateTime>, StorageError> {
    let row = transaction.rows::<AheadRow>(queries::queue_ahead(site)).await?.pop();
    Ok(row.and_then(|row| row.running()))
}

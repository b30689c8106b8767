//! Writing down what was refused.

use super::queries::minute_of;
use super::{Rejections, queries};
use crate::engine::error::StorageError;
use crate::engine::transaction::{Transaction, Unit};
use crate::sites;
use crate::sites::rows::SiteIdRow;

/// Adds refused syncs to the log and to what their sites know of it.
pub(super) struct WriteRejections(Vec<Rejections>);

impl WriteRejections {
    /// In the order of the unique key, so that nodes which write at once wait for each other in one order.
    pub(super) fn of(mut rejections: Vec<Rejections>) -> Self {
        rejections.sort_by_cached_key(|r| (r.site_id, r.key_id.clone(), r.reason.clone(), minute_of(r.first_at)));
        Self(rejections)
    }
}

impl Unit for WriteRejections {
    type Output = ();

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<(), StorageError> {
        let Self(rejections) = self;
        // What counts against a site must be seen against its last applied report.
        if T::LOCKS_ROWS {
            let sites: Vec<_> = rejections.iter().map(|r| r.site_id).collect();
            transaction.rows::<SiteIdRow>(sites::queries::lock_sites(&sites)).await?;
        }
        transaction.execute(queries::add_refusals(&rejections)).await?;
        transaction.execute(queries::tell_refusals(&rejections)).await?;
        transaction.execute(queries::write_rejected_syncs(&rejections)).await.map(drop)
    }
}

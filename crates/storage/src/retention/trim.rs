//! Removing what a single site has too much of.

use module_monitor_domain::SiteId;

use crate::engine::error::StorageError;
use crate::engine::statement::BoxedSql;
use crate::engine::transaction::Backend;
use crate::sites::rows::SiteIdRow;

/// The statements that bound what a site has of a kind.
pub(crate) struct Trim {
    /// The sites that may have more than so many.
    pub(crate) sites: fn(usize) -> BoxedSql,
    /// Deletes the oldest of what a site has beyond so many, as many of it as the last number says.
    pub(crate) delete: fn(SiteId, usize, usize) -> BoxedSql,
}

/// Removes the oldest of what sites have beyond `most` rows each, and says how many rows that were.
pub(super) async fn trim(
    backend: &impl Backend,
    trim: &'static Trim,
    most: usize,
    batch: usize,
) -> Result<usize, StorageError> {
    let mut removed = 0;
    for site in backend.rows::<SiteIdRow>((trim.sites)(most)).await?.into_iter().map(SiteId::from) {
        loop {
            match backend.execute((trim.delete)(site, most, batch)).await? {
                0 => break,
                rows => removed += rows,
            }
        }
    }
    Ok(removed)
}

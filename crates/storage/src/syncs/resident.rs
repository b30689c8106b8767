//! What syncs keep in the process.

use super::id_cache::IdCache;
use crate::site_bounds::SiteBounds;

/// What syncs keep in the process, beside the database.
pub(crate) struct Resident {
    pub(crate) ids: IdCache,
    pub(super) bounds: SiteBounds,
}

impl Resident {
    pub(crate) fn new(bounds: SiteBounds) -> Self {
        Self { ids: IdCache::new(), bounds }
    }
}

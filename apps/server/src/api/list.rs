//! Lists that come in parts.

use module_monitor_storage::BranchCounts;
use serde::Serialize;
use utoipa::ToSchema;

/// A part of a list, as it is answered.
#[derive(Debug, Serialize)]
pub(crate) struct List<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next_cursor: Option<String>,
}

/// How many sites of the whole list are on the branch of the upper bound, and on older ones.
#[derive(Serialize, ToSchema)]
#[schema(as = BranchCounts)]
pub(crate) struct BranchCountsView {
    pub(crate) same: u64,
    pub(crate) older: u64,
}

impl From<BranchCounts> for BranchCountsView {
    fn from(counts: BranchCounts) -> Self {
        Self { same: counts.same, older: counts.older }
    }
}

//! Which versions a list of sites asks for.

use module_monitor_domain::{BranchSide, VersionRange};

use crate::page::Part;

/// Bounds of the versions in a list of sites.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Only these.
    pub versions: VersionRange,
    /// The sort key at which the branch of the upper bound begins; `None` where there is no upper bound.
    pub branch_start: Option<String>,
    /// Only those of that branch.
    pub same_branch: bool,
}

/// How many sites of a list are on which side of a branch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BranchCounts {
    /// On the branch of the bound.
    pub same: u64,
    /// On an older one.
    pub older: u64,
}

/// A part of a list of sites.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundedSites<T> {
    /// The sites.
    pub sites: Part<T>,
    /// Of the whole list, with what [`Bounds::same_branch`] leaves out; `None` where there is no upper bound.
    pub counts: Option<BranchCounts>,
}

impl Bounds {
    /// `found`, where an upper bound asks for it.
    pub(crate) fn counts(&self, found: impl FnOnce() -> BranchCounts) -> Option<BranchCounts> {
        self.branch_start.is_some().then(found)
    }
}

impl BranchCounts {
    /// From what the database has counted: those of the same branch, and all.
    pub(crate) fn of(same: i64, all: i64) -> Self {
        let count = |n: i64| u64::try_from(n).unwrap_or_default();
        Self { same: count(same), older: count(all - same) }
    }
}

/// The side, as a query has found it.
pub(crate) fn side(same: Option<bool>) -> Option<BranchSide> {
    same.map(|same| if same { BranchSide::Same } else { BranchSide::Older })
}

//! Parts of lists.

/// A part of a list that is ordered by something unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<C> {
    /// How many items at most.
    pub limit: usize,
    /// Start behind this item.
    pub after: Option<C>,
}

impl<C> Page<C> {
    /// The same part, its position written in another way.
    pub fn map<D>(self, position: impl FnOnce(C) -> D) -> Page<D> {
        Page { limit: self.limit, after: self.after.map(position) }
    }
}

/// A number of rows, as the databases take it.
pub(crate) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

//! Parts of lists. A part is bounded twice: in items by who asks, and in bytes by [`PAGE_BYTES`].

use std::ops::Deref;

/// About so many bytes of text a part has where its items may be large: it ends with the item that reaches them. So no
/// part is empty, and none is larger than this and one item.
pub const PAGE_BYTES: i64 = 1024 * 1024;

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

    /// How many rows to ask for: one more than wanted, which tells whether anything follows.
    pub(crate) fn rows(&self) -> i64 {
        limit(self.limit.saturating_add(1))
    }
}

/// What was found of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<T> {
    /// The items; none only where nothing follows.
    pub items: Vec<T>,
    /// Whether the list goes on behind them.
    pub more: bool,
}

impl<T> Part<T> {
    /// The first `limit` of what was found; what is beyond tells that the list goes on.
    pub(crate) fn of(mut items: Vec<T>, limit: usize) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        Self { items, more }
    }

    /// The same part, its items written in another way.
    pub(crate) fn map<U>(self, item: impl FnMut(T) -> U) -> Part<U> {
        Part { items: self.items.into_iter().map(item).collect(), more: self.more }
    }
}

impl<T> Deref for Part<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> IntoIterator for Part<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

/// A number of rows, as the databases take it.
pub(crate) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

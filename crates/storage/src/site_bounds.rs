//! What one site may accumulate.

/// What a site may accumulate. What is gone and oldest makes room; what the site has now is always taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SiteBounds {
    /// Modules that it has or had. At least 4,000, so that there is room for what it has and what it had before.
    pub modules: usize,
    /// Bytes of descriptions, dependencies and the like that are kept on the rows of its modules, and that it may bring into
    /// the registry in a day.
    pub details_bytes: usize,
    /// Bytes of the history of its modules and of what its syncs were answered.
    pub history_bytes: usize,
    /// Rows of its modules that it may change within a minute; what is beyond waits in the queue.
    pub changes_a_minute: usize,
}

impl Default for SiteBounds {
    fn default() -> Self {
        Self { modules: 5_000, details_bytes: 4 << 20, history_bytes: 16 << 20, changes_a_minute: 5_000 }
    }
}

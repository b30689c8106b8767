//! What becomes of a request that is counted.

use std::time::Duration;

/// Whether a sync may go on, and what is left for the next ones of its site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Admission {
    pub(crate) allowed: bool,
    /// How many syncs the site may send in any `window`.
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    /// How long until one more is possible than now.
    pub(crate) reset: Duration,
    pub(crate) window: Duration,
}

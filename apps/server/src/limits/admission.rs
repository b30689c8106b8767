//! What becomes of a request that is counted.

use std::time::Duration;

/// Names a request in the log of its site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket(pub(super) u64);

/// Whether a sync or a read may go on, and what is left for the next ones of its site or key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Admission {
    pub(crate) allowed: bool,
    /// How many there may be in any `window`.
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    /// How long until one more is possible than now.
    pub(crate) reset: Duration,
    pub(crate) window: Duration,
    /// Its place, to be given back where the request is not served after all.
    pub(super) ticket: Ticket,
}

#[cfg(test)]
impl Admission {
    /// One of so many, with so many left.
    pub(crate) fn sample(limit: u32, remaining: u32) -> Self {
        let (reset, window) = (Duration::from_millis(1_199_001), Duration::from_secs(3600));
        Self { allowed: remaining > 0, limit, remaining, reset, window, ticket: Ticket(1) }
    }
}

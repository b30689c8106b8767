//! The only place that asks for the time.

use std::time::Instant;

use time::OffsetDateTime;

/// Where the time comes from; tests bring their own.
pub trait Clock: Send + Sync {
    /// The time of day in UTC, cut to microseconds, which is what both databases keep.
    fn now(&self) -> OffsetDateTime;

    /// The monotonic clock, for durations.
    fn instant(&self) -> Instant;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the injected clock")]
    fn now(&self) -> OffsetDateTime {
        let now = OffsetDateTime::now_utc();
        now.replace_nanosecond(now.nanosecond() / 1_000 * 1_000).unwrap_or(now)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the injected clock")]
    fn instant(&self) -> Instant {
        Instant::now()
    }
}

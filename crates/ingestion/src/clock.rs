//! The only place that asks for the time.

use std::time::Instant;

use time::OffsetDateTime;
use uuid::{NoContext, Timestamp, Uuid};

/// Where the time comes from; tests bring their own.
pub trait Clock: Send + Sync {
    /// The time of day in UTC, cut to microseconds, which is what both databases keep.
    fn now(&self) -> OffsetDateTime;

    /// The monotonic clock, for durations.
    fn instant(&self) -> Instant;
}

/// A UUID version 7 made at `at`, so that newer ids are greater.
pub fn uuid_at(at: OffsetDateTime) -> Uuid {
    let seconds = u64::try_from(at.unix_timestamp()).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, at.nanosecond()))
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

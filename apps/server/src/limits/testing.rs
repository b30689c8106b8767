//! A clock for tests.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use module_monitor_ingestion::Clock;
use time::OffsetDateTime;

/// Moves only when it is told to.
pub(crate) struct ManualClock {
    start: Instant,
    passed: Mutex<Duration>,
}

impl ManualClock {
    #[expect(clippy::disallowed_methods, reason = "an instant cannot be made up; this one only anchors the others")]
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), passed: Mutex::default() }
    }

    pub(crate) fn advance(&self, by: Duration) {
        *self.passed.lock().unwrap() += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + *self.passed.lock().unwrap()
    }

    fn instant(&self) -> Instant {
        self.start + *self.passed.lock().unwrap()
    }
}

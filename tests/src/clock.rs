//! Time that tests move.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use module_monitor_ingestion::{Clock, SystemClock};
use time::{OffsetDateTime, Time, Weekday};

/// A clock that moves only when it is told to.
pub struct MovingClock {
    start: (OffsetDateTime, Instant),
    passed: Mutex<Duration>,
}

impl MovingClock {
    /// A clock that stands at the present.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { start: (SystemClock.now(), SystemClock.instant()), passed: Mutex::default() })
    }

    /// A clock that stands at the beginning of the next Thursday (UTC): six days and more before anything happens that
    /// happens on Wednesdays.
    pub fn on_thursday() -> Arc<Self> {
        let midnight = SystemClock.now().replace_time(Time::MIDNIGHT);
        let thursday = midnight.date().next_occurrence(Weekday::Thursday);
        Arc::new(Self { start: (midnight.replace_date(thursday), SystemClock.instant()), passed: Mutex::default() })
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        *self.passed.lock().expect("the clock") += by;
    }
}

impl Clock for MovingClock {
    fn now(&self) -> OffsetDateTime {
        self.start.0 + *self.passed.lock().expect("the clock")
    }

    fn instant(&self) -> Instant {
        self.start.1 + *self.passed.lock().expect("the clock")
    }
}

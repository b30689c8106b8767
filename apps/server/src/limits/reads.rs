//! The limit of reads per key, by this node's own count.

use std::sync::Arc;
use std::time::Duration;

use module_monitor_ingestion::Clock;

use super::admission::Admission;
use super::rolling::RollingLog;

const WINDOW: Duration = Duration::from_secs(60);
/// How many times as much an admin key may read, because it asks for all sites.
const ADMINS: u32 = 10;

/// Limits what each key reads in any minute.
pub(crate) struct ReadLimiter {
    limit: u32,
    log: RollingLog<String>,
}

impl ReadLimiter {
    /// Lets each key read `limit` times in any minute, and each admin key ten times as often.
    pub(crate) fn new(clock: Arc<dyn Clock>, limit: u32) -> Self {
        Self { limit, log: RollingLog::new(clock, WINDOW) }
    }

    /// Counts one more read with the key of that public id, unless it has used up its limit.
    pub(crate) fn admit(&self, key_id: &str, is_admin: bool) -> Admission {
        let limit = if is_admin { self.limit.saturating_mul(ADMINS) } else { self.limit };
        self.log.try_admit(key_id.to_owned(), limit)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::ManualClock;
    use super::*;

    #[test]
    fn each_key_has_a_limit_of_its_own_and_admins_ten_times_that() {
        let clock = Arc::new(ManualClock::new());
        let reads = ReadLimiter::new(clock.clone(), 2);
        let admitted = |key, is_admin| (0..50).filter(|_| reads.admit(key, is_admin).allowed).count();
        assert_eq!((admitted("a", false), admitted("b", false), admitted("c", true)), (2, 2, 20));
        let refused = reads.admit("a", false);
        assert_eq!((refused.limit, refused.remaining, refused.reset), (2, 0, WINDOW));
        clock.advance(WINDOW);
        assert_eq!(admitted("a", false), 2);
    }
}

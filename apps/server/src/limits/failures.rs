//! How often each client address has failed to authenticate.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use module_monitor_ingestion::Clock;

use super::client::client_of;

/// Failures of an address that are answered as what they are, in a minute that begins with the first of them.
const LIMIT: u32 = 30;
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses remembered at most, at about 50 bytes each.
const ADDRESSES: usize = 100_000;
/// How long a full table is left as it is, since looking through it takes a while.
const SWEEP_PAUSE: Duration = Duration::from_secs(1);

/// Counts failed authentications in bounded memory. It is asked only about requests that have failed, so that nobody
/// is kept from using a valid key, whoever else shares the address.
pub(crate) struct FailedAuthentications {
    clock: Arc<dyn Clock>,
    capacity: usize,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    failures: HashMap<IpAddr, Failures>,
    swept: Option<Instant>,
}

struct Failures {
    since: Instant,
    count: u32,
}

impl FailedAuthentications {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, capacity: ADDRESSES, table: Mutex::default() }
    }

    /// Notes one more failure. `Err` where the address has had too many, with the time until it may fail again; so has
    /// every address that is new while more addresses fail than can be remembered.
    pub(crate) fn note(&self, address: IpAddr) -> Result<(), Duration> {
        let address = client_of(address);
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.instant();
        if !table.failures.contains_key(&address) && !table.make_room(self.capacity, now) {
            return Err(SWEEP_PAUSE);
        }
        let failures = table.failures.entry(address).or_insert(Failures { since: now, count: 0 });
        if failures.is_over(now) {
            *failures = Failures { since: now, count: 0 };
        }
        if failures.count >= LIMIT {
            return Err((failures.since + WINDOW).duration_since(now));
        }
        failures.count += 1;
        Ok(())
    }
}

impl Table {
    /// Whether there is room for one more address, perhaps after forgetting some whose minute is over.
    fn make_room(&mut self, capacity: usize, now: Instant) -> bool {
        let rests = self.swept.is_some_and(|swept| now.duration_since(swept) < SWEEP_PAUSE);
        if self.failures.len() >= capacity && !rests {
            self.swept = Some(now);
            self.failures.retain(|_, failures| !failures.is_over(now));
        }
        self.failures.len() < capacity
    }
}

impl Failures {
    fn is_over(&self, now: Instant) -> bool {
        now.duration_since(self.since) >= WINDOW
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::ManualClock;
    use super::*;

    fn table() -> (FailedAuthentications, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new());
        (FailedAuthentications::new(clock.clone()), clock)
    }

    fn address(n: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(n).into()
    }

    #[test]
    fn thirty_failures_are_answered_and_then_none_until_the_minute_is_over() {
        let (table, clock) = table();
        for _ in 0..30 {
            assert_eq!(table.note(address(1)), Ok(()));
            clock.advance(Duration::from_secs(1));
        }
        assert_eq!(table.note(address(1)), Err(Duration::from_secs(30)));
        assert_eq!(table.note(address(2)), Ok(()));
        clock.advance(Duration::from_secs(30));
        assert_eq!(table.note(address(1)), Ok(()));
    }

    #[test]
    fn memory_is_bounded_and_comes_back() {
        let (table, clock) = table();
        let table = FailedAuthentications { capacity: 100, ..table };
        assert_eq!((0..1000).filter(|n| table.note(address(*n)).is_ok()).count(), 100);
        // Those that are known are still counted, each by itself.
        assert_eq!(table.note(address(5)), Ok(()));
        assert_eq!(table.note(address(500)), Err(SWEEP_PAUSE));
        clock.advance(WINDOW);
        assert_eq!(table.note(address(500)), Ok(()));
        assert_eq!(table.table.lock().unwrap().failures.len(), 1);
    }
}

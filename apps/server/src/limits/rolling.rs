//! What each site has sent, or each key read, in the last window, by this node's own count.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use module_monitor_domain::SiteId;
use module_monitor_ingestion::Clock;

use super::admission::{Admission, Ticket};

/// An exact log of the admitted requests of each site, or whatever `K` names, in a window that moves with the clock. It
/// holds no more per site than the site's limit, and nothing of sites that have been quiet for a window.
pub(super) struct RollingLog<K = SiteId> {
    clock: Arc<dyn Clock>,
    window: Duration,
    table: Mutex<Table<K>>,
}

struct Table<K> {
    sites: HashMap<K, VecDeque<Entry>>,
    next_ticket: u64,
    swept: Instant,
}

struct Entry {
    at: Instant,
    ticket: Ticket,
    /// Whether the request has been admitted for good; before that it only holds its place.
    settled: bool,
}

impl<K: Clone + Eq + Hash> RollingLog<K> {
    pub(super) fn new(clock: Arc<dyn Clock>, window: Duration) -> Self {
        let table = Table { sites: HashMap::new(), next_ticket: 0, swept: clock.instant() };
        Self { clock, window, table: Mutex::new(table) }
    }

    /// How long a request counts.
    pub(super) fn window(&self) -> Duration {
        self.window
    }

    /// Takes a place for one more request of `site`, unless `limit` of them are taken. The place is held until the
    /// window has passed, or until [`RollingLog::take_back`].
    pub(super) fn try_admit(&self, site: K, limit: u32) -> Admission {
        let mut table = self.table();
        // Read under the lock, so that a log is in the order of its times.
        let now = self.clock.instant();
        table.sweep(now, self.window);
        let ticket = table.ticket();
        let log = table.sites.entry(site.clone()).or_default();
        expire(log, now, self.window);
        let allowed = log.len() < limit as usize;
        if allowed {
            log.push_back(Entry { at: now, ticket, settled: false });
        }
        let reset = log
            .get(log.len().saturating_sub(limit as usize))
            .map_or(self.window, |next| (next.at + self.window).duration_since(now));
        let used = u32::try_from(log.len()).unwrap_or(u32::MAX);
        if log.is_empty() {
            table.sites.remove(&site);
        }
        let remaining = limit.saturating_sub(used);
        Admission { allowed, limit, remaining, reset, window: self.window, ticket }
    }

    /// Gives a place back: the request that held it has been refused.
    pub(super) fn take_back(&self, site: K, ticket: Ticket) {
        let mut table = self.table();
        let Some(log) = table.sites.get_mut(&site) else { return };
        log.retain(|entry| entry.ticket != ticket);
        if log.is_empty() {
            table.sites.remove(&site);
        }
    }

    /// Notes that the request has been admitted for good.
    pub(super) fn settle(&self, site: K, ticket: Ticket) {
        let mut table = self.table();
        let log = table.sites.get_mut(&site).into_iter().flatten();
        // Almost always it is the newest.
        if let Some(entry) = log.rev().find(|entry| entry.ticket == ticket) {
            entry.settled = true;
        }
    }

    /// The newest `most` requests of `site` that have been admitted for good, and how long ago each came.
    pub(super) fn settled(&self, site: K, most: usize) -> Vec<(Ticket, Duration)> {
        let table = self.table();
        let now = self.clock.instant();
        let log = table.sites.get(&site).into_iter().flatten().rev();
        let current = log.map(|entry| (entry, now.duration_since(entry.at))).take_while(|(_, age)| *age < self.window);
        let settled = current.filter(|(entry, _)| entry.settled);
        settled.map(|(entry, age)| (entry.ticket, age)).take(most).collect()
    }

    /// No step leaves the table half changed, so it is good even after a panic.
    fn table(&self) -> MutexGuard<'_, Table<K>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Eq + Hash> Table<K> {
    fn ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        Ticket(self.next_ticket)
    }

    /// Forgets the quiet sites, once a window.
    fn sweep(&mut self, now: Instant, window: Duration) {
        if now.duration_since(self.swept) < window {
            return;
        }
        self.swept = now;
        self.sites.retain(|_, log| log.back().is_some_and(|newest| now.duration_since(newest.at) < window));
        self.sites.shrink_to(self.sites.len() * 2);
    }
}

fn expire(log: &mut VecDeque<Entry>, now: Instant, window: Duration) {
    while log.front().is_some_and(|oldest| now.duration_since(oldest.at) >= window) {
        log.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::ManualClock;
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const SITE: SiteId = SiteId(1);

    fn log(window: Duration) -> (RollingLog, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new());
        (RollingLog::new(clock.clone(), window), clock)
    }

    fn admitted(log: &RollingLog, limit: u32) -> bool {
        log.try_admit(SITE, limit).allowed
    }

    #[test]
    fn sixty_pass_and_the_next_is_refused_until_the_first_is_an_hour_old() {
        let (log, clock) = log(HOUR);
        for n in 1..=60 {
            let admission = log.try_admit(SITE, 60);
            assert_eq!((admission.allowed, admission.remaining), (true, 60 - n));
            assert_eq!(admission.reset, HOUR - Duration::from_secs(u64::from(n) - 1));
            clock.advance(Duration::from_secs(1));
        }
        let refused = log.try_admit(SITE, 60);
        assert_eq!((refused.allowed, refused.remaining, refused.reset), (false, 0, HOUR - Duration::from_secs(60)));
        clock.advance(HOUR - Duration::from_secs(60) - Duration::from_nanos(1));
        assert!(!admitted(&log, 60));
        clock.advance(Duration::from_nanos(1));
        // One place is free, not sixty: the window rolls.
        assert!(admitted(&log, 60));
        assert!(!admitted(&log, 60));
    }

    #[test]
    fn of_ninety_at_once_sixty_pass() {
        let (log, _clock) = log(HOUR);
        let passed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..90).map(|_| scope.spawn(|| usize::from(admitted(&log, 60)))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(passed, 60);
    }

    #[test]
    fn sites_do_not_share_and_quiet_ones_are_forgotten() {
        let (log, clock) = log(HOUR);
        for n in 0..1000 {
            assert!(log.try_admit(SiteId(n), 1).allowed);
            assert!(!log.try_admit(SiteId(n), 1).allowed);
        }
        assert_eq!(log.table().sites.len(), 1000);
        clock.advance(HOUR);
        assert!(admitted(&log, 1));
        assert_eq!(log.table().sites.len(), 1);
        assert!(log.table().sites.capacity() < 100);
    }

    #[test]
    fn a_place_that_is_taken_back_is_free_again() {
        let (log, _clock) = log(HOUR);
        let ticket = log.try_admit(SITE, 1).ticket;
        assert!(!admitted(&log, 1));
        log.take_back(SITE, ticket);
        assert!(log.table().sites.is_empty());
        assert!(admitted(&log, 1));
    }

    #[test]
    fn a_limit_that_is_lowered_counts_what_was_sent_before() {
        let (log, clock) = log(HOUR);
        for _ in 0..3 {
            assert!(admitted(&log, 3));
            clock.advance(Duration::from_secs(60));
        }
        let refused = log.try_admit(SITE, 2);
        // Two have to leave, and the second of them came a minute after the first.
        assert_eq!((refused.allowed, refused.reset), (false, HOUR - Duration::from_secs(120)));
        let closed = log.try_admit(SiteId(i64::MAX), 0);
        assert_eq!((closed.allowed, closed.remaining, closed.reset), (false, 0, HOUR));
        assert_eq!(log.table().sites.len(), 1);
    }

    #[test]
    fn only_what_is_settled_is_told_to_others() {
        let (log, clock) = log(HOUR);
        let tickets: Vec<_> = (0..3).map(|_| log.try_admit(SITE, 9).ticket).collect();
        log.settle(SITE, tickets[0]);
        log.settle(SITE, tickets[2]);
        clock.advance(Duration::from_secs(5));
        let age = Duration::from_secs(5);
        assert_eq!(log.settled(SITE, 9), [(tickets[2], age), (tickets[0], age)]);
        assert_eq!(log.settled(SITE, 1), [(tickets[2], age)]);
        clock.advance(HOUR);
        assert_eq!(log.settled(SITE, 9), []);
    }

    proptest! {
        #[test]
        fn it_agrees_with_counting_everything_that_was_ever_admitted(
            limit in 0_u32..6,
            steps in prop::collection::vec((0_u64..40, prop::bool::weighted(0.2)), 1..200),
        ) {
            let window = Duration::from_secs(60);
            let (log, clock) = log(window);
            let mut now = 0;
            let mut admitted: Vec<(u64, Ticket)> = Vec::new();
            for (seconds, takes_back) in steps {
                now += seconds;
                clock.advance(Duration::from_secs(seconds));
                let current: Vec<u64> = admitted.iter().map(|(at, _)| *at).filter(|at| now - at < 60).collect();
                let answer = log.try_admit(SITE, limit);
                let ticket = answer.ticket;
                prop_assert_eq!(answer.allowed, current.len() < limit as usize);
                if !answer.allowed {
                    // The promise of `reset`: exactly then there is a place.
                    let free_in = current.first().map_or(60, |at| at + 60 - now);
                    prop_assert_eq!(answer.reset, Duration::from_secs(free_in));
                } else if takes_back {
                    log.take_back(SITE, ticket);
                } else {
                    admitted.push((now, ticket));
                    prop_assert_eq!(answer.remaining as usize, limit as usize - current.len() - 1);
                }
                prop_assert!(log.table().sites.get(&SITE).is_none_or(|log| log.len() <= limit as usize));
            }
        }
    }
}

//! What one site may change within a minute. A report that changes many rows takes the database for a while, and a site that
//! sends one after the other must not have it all: what it sends then waits in the queue, where the newest takes the place of
//! those before it.

use time::{Duration, OffsetDateTime};

use crate::site_bounds::SiteBounds;
use crate::sites::rows::SiteStateRow;

/// How far ahead a site may be before it has to rest.
const AHEAD: Duration = Duration::MINUTE;
/// No site is further ahead than this; where one seems to be, a clock was set back.
const WRONG: Duration = Duration::minutes(10);
/// Such a part of what may change within a minute takes no time: what most sites ever change.
const FREE: usize = 50;

/// A site rests whose `busy_until` is after the first of these and not after the second.
pub(super) fn rests(now: OffsetDateTime) -> (OffsetDateTime, OffsetDateTime) {
    (now + AHEAD, now + WRONG)
}

/// Whether what the site sends has to wait.
pub(super) fn has_to_rest(site: &SiteStateRow, now: OffsetDateTime) -> bool {
    let (from, to) = rests(now);
    site.busy_until.is_some_and(|until| until.0 > from && until.0 <= to)
}

impl SiteBounds {
    /// The site's `busy_until` after so many rows more have changed; `None`: it stays.
    pub(super) fn busy_until(&self, site: &SiteStateRow, now: OffsetDateTime, rows: usize) -> Option<OffsetDateTime> {
        if rows <= self.changes_a_minute / FREE {
            return None;
        }
        let before = site.busy_until.map(|until| until.0).filter(|until| (now..now + WRONG).contains(until));
        let share = rows as f64 / self.changes_a_minute.max(1) as f64;
        Some((before.unwrap_or(now) + AHEAD * share).min(now + WRONG))
    }
}

//! When to ask for a feed again.

use std::hash::{DefaultHasher, Hash, Hasher};

use module_monitor_domain::{Feed, ProjectName};
use time::macros::time;
use time::{Duration, OffsetDateTime, Time, UtcOffset, Weekday};

/// How long the answer that there is no release history is believed.
const NO_HISTORY: Duration = Duration::days(7);
/// How soon a feed is asked for again after its first failure.
const FIRST_RETRY: Duration = Duration::minutes(5);
/// How much earlier or later than planned a feed is asked for, in parts of the time until then.
const JITTER: f64 = 0.1;

/// From that hour (UTC) to the end of the day, on Wednesdays, drupal.org publishes its security advisories.
const ADVISORIES_FROM: Time = time!(16:00);
/// How often core's feeds are asked for meanwhile.
const CORE_DURING_ADVISORIES: Duration = Duration::minutes(15);

/// When to ask for the feed of a project again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    /// How long an answer is good for.
    pub(super) interval: Duration,
}

impl Schedule {
    /// After an answer at `now`: when the interval is over, and in any case when the next advisories begin to come. While
    /// they do, core is asked for all the time.
    pub(super) fn after_answer(self, project: &ProjectName, feed: Feed, now: OffsetDateTime) -> OffsetDateTime {
        let planned = spread(project, feed, now, self.interval).min(next_advisories(now));
        if are_coming(now) && *project == ProjectName::drupal() {
            return planned.min(now + CORE_DURING_ADVISORIES);
        }
        planned
    }

    /// After the answer that there is nothing.
    pub(super) fn after_no_history(self, project: &ProjectName, feed: Feed, now: OffsetDateTime) -> OffsetDateTime {
        spread(project, feed, now, NO_HISTORY)
    }

    /// After a failure that so many others had preceded: after growing pauses that reach the interval, at most a day.
    pub(super) fn after_failure(
        self,
        project: &ProjectName,
        feed: Feed,
        failures: u32,
        now: OffsetDateTime,
    ) -> OffsetDateTime {
        let pause = FIRST_RETRY * 2_i32.pow(failures.min(10));
        spread(project, feed, now, pause.min(self.interval).min(Duration::DAY))
    }
}

/// Whether advisories are coming at `now`.
fn are_coming(now: OffsetDateTime) -> bool {
    let now = now.to_offset(UtcOffset::UTC);
    now.weekday() == Weekday::Wednesday && now.time() >= ADVISORIES_FROM
}

/// When the next advisories begin to come, after `now`.
fn next_advisories(now: OffsetDateTime) -> OffsetDateTime {
    let today = now.to_offset(UtcOffset::UTC).replace_time(ADVISORIES_FROM);
    let days = (i64::from(Weekday::Wednesday.number_days_from_monday())
        - i64::from(today.weekday().number_days_from_monday()))
    .rem_euclid(7);
    let next = today + Duration::days(days);
    if next > now { next } else { next + Duration::WEEK }
}

/// `now + pause`, a tenth earlier or later: what was asked for in one go is not asked for in one go again.
fn spread(project: &ProjectName, feed: Feed, now: OffsetDateTime, pause: Duration) -> OffsetDateTime {
    let mut hasher = DefaultHasher::new();
    (project, feed, now.unix_timestamp()).hash(&mut hasher);
    let share = f64::from(u32::try_from(hasher.finish() >> 32).unwrap_or_default()) / f64::from(u32::MAX);
    now + pause * (1.0 - JITTER + 2.0 * JITTER * share)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
    const DAILY: Schedule = Schedule { interval: Duration::DAY };

    fn pauses(next: impl Fn(&ProjectName) -> OffsetDateTime) -> (Duration, Duration) {
        let all = (0..200).map(|n| next(&ProjectName::parse(&format!("project_{n}")).unwrap()) - NOW);
        let all: Vec<Duration> = all.collect();
        (*all.iter().min().unwrap(), *all.iter().max().unwrap())
    }

    #[test]
    fn answers_are_good_for_a_day_give_or_take_a_tenth() {
        let (least, most) = pauses(|project| DAILY.after_answer(project, Feed::Current, NOW));
        assert!(least >= Duration::DAY * 0.9 && least < Duration::DAY * 0.95, "{least}");
        assert!(most <= Duration::DAY * 1.1 && most > Duration::DAY * 1.05, "{most}");
    }

    #[test]
    fn everything_is_asked_for_when_the_advisories_begin_and_core_while_they_come() {
        let module = ProjectName::parse("token").unwrap();
        let next = |project: &ProjectName, now| DAILY.after_answer(project, Feed::Current, now);
        let core = ProjectName::drupal();
        let opens = datetime!(2026-11-25 16:00 UTC);
        for project in [&module, &core] {
            assert_eq!(next(project, datetime!(2026-11-25 00:10 UTC)), opens);
            assert_eq!(next(project, datetime!(2026-11-25 15:59:59 UTC)), opens);
            assert_eq!(next(project, datetime!(2026-11-25 16:59:59 +1)), opens);
            assert!(next(project, datetime!(2026-11-24 12:00 UTC)) <= datetime!(2026-11-25 15:00 UTC));
        }
        assert_eq!(next(&core, opens), opens + Duration::minutes(15));
        let late = datetime!(2026-11-25 23:59 UTC);
        assert_eq!(next(&core, late), late + Duration::minutes(15));
        assert!(next(&module, opens) > opens + Duration::hours(21));
        assert!(next(&core, datetime!(2026-11-26 00:00 UTC)) > datetime!(2026-11-26 21:00 UTC));
        let weekly = Schedule { interval: Duration::weeks(4) };
        assert_eq!(weekly.after_answer(&module, Feed::Current, opens), opens + Duration::WEEK);
    }

    #[test]
    fn that_there_is_nothing_is_believed_for_a_week() {
        let (least, most) = pauses(|project| DAILY.after_no_history(project, Feed::Current, NOW));
        assert!(least > Duration::days(6) && most < Duration::days(8));
    }

    #[test]
    fn pauses_after_failures_grow_to_a_day_and_never_beyond_the_interval() {
        let pause = |schedule: Schedule, failures| {
            pauses(move |project| schedule.after_failure(project, Feed::Current, failures, NOW))
        };
        let (_, first) = pause(DAILY, 0);
        assert!(first <= Duration::seconds(330));
        for failures in 0..8 {
            assert!(pause(DAILY, failures).1 < pause(DAILY, failures + 1).0, "{failures}");
        }
        assert!(pause(DAILY, u32::MAX).0 >= Duration::hours(21));
        assert!(pause(DAILY, u32::MAX).1 <= Duration::DAY * 1.1);
        let hourly = Schedule { interval: Duration::HOUR };
        assert!(pause(hourly, 10).1 <= Duration::HOUR * 1.1);
        let weekly = Schedule { interval: Duration::WEEK };
        assert!(pause(weekly, 10).1 <= Duration::DAY * 1.1);
    }
}

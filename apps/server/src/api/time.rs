//! Times as text, where no serializer writes them, and times that somebody asks for.

use module_monitor_domain::storable;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A time in RFC 3339. Empty beyond the year 9999, which RFC 3339 cannot write.
pub(crate) fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

/// The same without fractions of a second.
pub(crate) fn to_the_second(at: OffsetDateTime) -> String {
    rfc3339(at.replace_nanosecond(0).unwrap_or(at))
}

/// `at` as it is stored, in UTC and to the microsecond, where it is later than `now`.
pub(crate) fn still_to_come(at: OffsetDateTime, now: OffsetDateTime) -> Option<OffsetDateTime> {
    storable(at).filter(|stored| *stored > now)
}

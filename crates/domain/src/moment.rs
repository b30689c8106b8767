//! Moments as they are kept.

use time::{OffsetDateTime, UtcOffset};

/// `at` as both databases keep it and RFC 3339 can write it: in UTC and to the microsecond, in the years 0000 to 9999.
/// `None` where it is outside of these, if only once it is in UTC.
pub fn storable(at: OffsetDateTime) -> Option<OffsetDateTime> {
    let utc = at.checked_to_offset(UtcOffset::UTC).filter(|utc| (0..=9999).contains(&utc.year()))?;
    utc.replace_microsecond(utc.microsecond()).ok()
}

#[cfg(test)]
mod tests {
    use time::format_description::well_known::Rfc3339;

    use super::*;

    #[test]
    fn what_leaves_the_years_in_utc_is_not_storable() {
        let kept = |text: &str| storable(OffsetDateTime::parse(text, &Rfc3339).unwrap()).map(|at| at.to_string());
        for beyond in ["9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01"] {
            assert_eq!(kept(beyond), None, "{beyond}");
        }
        let last = "9999-12-31 23:59:59.999999 +00:00:00";
        assert_eq!(kept("9999-12-31T23:59:59.9999999Z").as_deref(), Some(last));
        assert_eq!(kept("9999-12-31T23:59:59.999999999+00:00").as_deref(), Some(last));
        assert_eq!(kept("0000-01-01T00:00:00Z").as_deref(), Some("0000-01-01 0:00:00.0 +00:00:00"));
    }
}

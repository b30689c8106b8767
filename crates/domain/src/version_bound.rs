//! Which versions of a project something is for.

use crate::{DrupalVersion, Feed, VersionError};

/// The lowest or highest version of a [`VersionRange`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionBound(DrupalVersion);

impl VersionBound {
    /// Reads a version.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        DrupalVersion::parse(text).map(Self)
    }

    /// The version.
    pub fn version(&self) -> &DrupalVersion {
        &self.0
    }

    /// The feed that the version is from: it is for Drupal 7 when it starts with `7.x-`, or is one of Drupal 7 itself, such
    /// as `7.103`. `7.x-1.5` and `8.x-1.5` are ordered alike, but what is said of one is not said of the other.
    pub fn feed(&self) -> Feed {
        let rest = self.0.as_str().strip_prefix("7.");
        let is_drupal7 = rest.is_some_and(|rest| rest.starts_with("x-") || !rest.contains('.'));
        if is_drupal7 { Feed::Drupal7 } else { Feed::Current }
    }
}

/// The versions between two bounds; a missing one leaves its side open. The lower one belongs to it; so does the upper
/// one, unless it was made with [`VersionRange::below`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionRange {
    from: Option<VersionBound>,
    to: Option<VersionBound>,
    without_to: bool,
}

/// Why two bounds do not make a range. It is told of the upper one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VersionRangeError {
    /// Only one of them is for Drupal 7.
    #[error("it must be for Drupal 7 where the lower bound is, and only there")]
    TwoFeeds,
    /// No version is between them.
    #[error("it must not be lower than the lower bound")]
    Empty,
}

impl VersionRange {
    /// The versions from `from` to `to`. Fails where the bounds are of different feeds, or the wrong way round.
    pub fn new(from: Option<VersionBound>, to: Option<VersionBound>) -> Result<Self, VersionRangeError> {
        if let (Some(from), Some(to)) = (&from, &to) {
            if from.feed() != to.feed() {
                return Err(VersionRangeError::TwoFeeds);
            }
            // By the key alone: `8.x-1.0` and `1.0.0` are the same version, so one may be the bound of the other.
            if from.version().sort_key() > to.version().sort_key() {
                return Err(VersionRangeError::Empty);
            }
        }
        Ok(Self { from, to, without_to: false })
    }

    /// The versions from `from` on that are lower than `below`. Fails as [`VersionRange::new`] does.
    pub fn below(from: Option<VersionBound>, below: VersionBound) -> Result<Self, VersionRangeError> {
        Self::new(from, Some(below)).map(|range| Self { without_to: true, ..range })
    }

    /// The lower bound; `None` where there is none.
    pub fn from(&self) -> Option<&DrupalVersion> {
        self.from.as_ref().map(VersionBound::version)
    }

    /// The upper bound; `None` where there is none.
    pub fn to(&self) -> Option<&DrupalVersion> {
        self.to.as_ref().map(VersionBound::version)
    }

    /// The sort key that those of all its versions come before; `None` where there is no upper bound.
    pub fn end_key(&self) -> Option<String> {
        let key = self.to()?.sort_key();
        // Only its own snapshots have keys that begin with the key of a version, and go on with a `+`, which is greater.
        Some(if self.without_to { key.to_owned() } else { format!("{key} ") })
    }

    /// The feed whose versions are meant; `None` for those of both, which a range without bounds is for.
    pub fn feed(&self) -> Option<Feed> {
        self.to.as_ref().or(self.from.as_ref()).map(VersionBound::feed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: Option<&str>, to: Option<&str>) -> Result<VersionRange, VersionRangeError> {
        let bound = |text: Option<&str>| text.map(|text| VersionBound::parse(text).unwrap());
        VersionRange::new(bound(from), bound(to))
    }

    #[test]
    fn a_bound_is_for_drupal_7_by_its_text() {
        for (text, feed) in [
            ("7.x-1.0", Feed::Drupal7),
            ("7.x-dev", Feed::Drupal7),
            ("7.103", Feed::Drupal7),
            ("7.x-1.x-dev", Feed::Drupal7),
            ("7.100-dev", Feed::Drupal7),
            ("7.1.0", Feed::Current),
            ("70.1", Feed::Current),
            ("10.3.6", Feed::Current),
            ("8.x-1.0", Feed::Current),
            ("1.0.0", Feed::Current),
        ] {
            assert_eq!(VersionBound::parse(text).unwrap().feed(), feed, "{text}");
        }
        assert!(VersionBound::parse("latest").is_err());
    }

    #[test]
    fn bounds_are_of_one_feed_and_in_order() {
        assert!(range(Some("8.x-1.0"), Some("1.0.0")).is_ok(), "both are the same version");
        assert_eq!(range(Some("2.0.0"), Some("1.0.0")), Err(VersionRangeError::Empty));
        assert_eq!(range(Some("7.x-1.0"), Some("8.x-2.0")), Err(VersionRangeError::TwoFeeds));
        assert_eq!(range(Some("7.50"), Some("10.3.6")), Err(VersionRangeError::TwoFeeds));
        let open = range(Some("1.0.0"), None).unwrap();
        assert_eq!((open.from().map(DrupalVersion::as_str), open.to()), (Some("1.0.0"), None));
    }

    #[test]
    fn a_range_is_for_one_feed_unless_it_is_open() {
        for (from, to, feed) in [
            (None, Some("7.x-1.5"), Some(Feed::Drupal7)),
            (Some("8.x-1.5"), None, Some(Feed::Current)),
            (None, Some("7.103"), Some(Feed::Drupal7)),
            (None, Some("10.3.6"), Some(Feed::Current)),
            (None, None, None),
        ] {
            assert_eq!(range(from, to).unwrap().feed(), feed, "{from:?} {to:?}");
        }
    }

    #[test]
    fn the_upper_bound_belongs_to_a_range_or_does_not() {
        let bound = || VersionBound::parse("2.0.4").unwrap();
        let ends = |range: VersionRange| {
            let end = range.end_key().unwrap();
            ["2.0.3", "2.0.4-rc1", "2.0.4", "2.0.4+1-dev", "2.0.5"]
                .map(|text| DrupalVersion::parse(text).unwrap().sort_key() < end.as_str())
        };
        assert_eq!(ends(VersionRange::new(None, Some(bound())).unwrap()), [true, true, true, false, false]);
        assert_eq!(ends(VersionRange::below(None, bound()).unwrap()), [true, true, false, false, false]);
        assert_eq!(VersionRange::new(Some(bound()), None).unwrap().end_key(), None);
    }
}

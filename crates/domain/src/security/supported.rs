//! What a feed calls supported.

use super::release_version::{ReleaseVersion, branch_major};
use crate::{Feed, Support};

/// What a feed calls supported, in the form it says it.
pub(super) enum Supported<'a> {
    /// Prefixes of versions; none where the feed lacks the element, and then nothing is supported.
    Branches {
        /// Sorted, and none of them the prefix of another.
        prefixes: Vec<&'a str>,
        /// The major version of the first that names one.
        first_major: Option<u64>,
    },
    /// The major versions of a Drupal 7 feed, and the one it recommends.
    Majors { supported: Vec<u64>, recommended: Option<u64> },
    /// A Drupal 7 feed that says nothing, so that nothing is ruled out.
    Anything,
}

impl<'a> Supported<'a> {
    /// Reads what `support` says to a site that is judged by `feed`.
    pub(super) fn of(support: &'a Support, feed: Feed) -> Self {
        let majors = support.majors.as_deref().or(support.default_major.as_deref());
        if feed == Feed::Drupal7
            && let Some(majors) = majors
        {
            let recommended = support.recommended_major.as_deref().or(support.default_major.as_deref());
            let supported = majors.split(',').filter_map(major).collect();
            return Self::Majors { supported, recommended: recommended.and_then(major) };
        }
        if feed == Feed::Drupal7 && support.branches.is_none() {
            return Self::Anything;
        }
        // As in Drupal, an empty element is a list of one empty prefix, which every version begins with.
        let mut prefixes: Vec<&str> = support.branches.iter().flat_map(|branches| branches.split(',')).collect();
        let first_major = prefixes.iter().find_map(|branch| branch_major(branch, feed));
        prefixes.sort_unstable();
        prefixes.dedup_by(|longer, prefix| longer.starts_with(*prefix));
        Self::Branches { prefixes, first_major }
    }

    /// Whether a version is in something supported.
    pub(super) fn contains(&self, text: &str, version: &ReleaseVersion<'_>) -> bool {
        match self {
            // What stands between a prefix and the text in order begins with the prefix too, so it can only be the last.
            Self::Branches { prefixes, .. } => {
                let after = prefixes.partition_point(|prefix| *prefix <= text);
                prefixes[..after].last().is_some_and(|prefix| text.starts_with(prefix))
            }
            // A feed whose list names nothing has given up on the project, not on its newest releases.
            Self::Majors { supported, .. } => supported.is_empty() || supported.contains(&version.major),
            Self::Anything => true,
        }
    }

    /// Whether the installed version is ruled out by what is supported. A feed that lists no branches rules out none.
    pub(super) fn rules_out(&self, text: &str, installed: &ReleaseVersion<'_>) -> bool {
        match self {
            Self::Branches { prefixes, .. } => !prefixes.is_empty() && !self.contains(text, installed),
            Self::Majors { supported, .. } => !supported.contains(&installed.major),
            Self::Anything => false,
        }
    }

    /// The major version to move to from one that is ruled out, if the feed names one.
    pub(super) fn preferred_major(&self) -> Option<u64> {
        match self {
            Self::Branches { first_major, .. } => *first_major,
            Self::Majors { supported, recommended } => recommended.or_else(|| supported.first().copied()),
            Self::Anything => None,
        }
    }
}

fn major(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_branches(branches: &str, text: &str) -> bool {
        let support = Support { branches: Some(branches.to_owned()), ..Support::default() };
        let version = ReleaseVersion::parse(text, Feed::Current).unwrap();
        Supported::of(&support, Feed::Current).contains(text, &version)
    }

    #[test]
    fn a_version_is_in_a_branch_when_it_begins_with_it() {
        let listed = "11.4.,8.x-1.,2.0.,10.6.,2.0.1";
        for text in ["11.4.0", "11.4.0-rc1", "11.4.x-dev", "8.x-1.0", "2.0.0", "2.0.9", "10.6.1"] {
            assert!(in_branches(listed, text), "{text}");
        }
        for text in ["11.40.0", "11.4-dev", "1.0.0", "8.x-10.0", "2.1.0", "20.0.0", "10.5.9", "9.0.0", "0.1.0"] {
            assert!(!in_branches(listed, text), "{text}");
        }
    }

    #[test]
    fn an_empty_prefix_is_the_beginning_of_every_version() {
        for listed in ["", "8.x-1.,", ",2.0."] {
            assert!(in_branches(listed, "5.3.0"), "{listed:?}");
        }
        assert!(!in_branches(" 5.3.", "5.3.0"), "a space is part of the prefix");
    }

    #[test]
    fn the_preferred_major_is_that_of_the_first_branch_that_has_one() {
        for (branches, expected) in [("main.,9.2.,10.0.", Some(9)), ("8.x-3.,8.x-1.", Some(3)), ("7.x-1.,x", None)] {
            let support = Support { branches: Some(branches.to_owned()), ..Support::default() };
            assert_eq!(Supported::of(&support, Feed::Current).preferred_major(), expected, "{branches}");
        }
    }
}

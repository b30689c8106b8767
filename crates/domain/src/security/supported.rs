//! What a feed calls supported.

use super::release_version::{ReleaseVersion, branch_major};
use crate::{Feed, Support};

/// What a feed calls supported, in the form it says it.
pub(super) enum Supported<'a> {
    /// Prefixes of versions; none where the feed lacks the element, and then nothing is supported.
    Branches(Feed, Vec<&'a str>),
    /// The major versions of a Drupal 7 feed, and the one it recommends.
    Majors(Vec<u64>, Option<u64>),
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
            return Self::Majors(majors.split(',').filter_map(major).collect(), recommended.and_then(major));
        }
        match &support.branches {
            // As in Drupal, an empty element is a list of one empty prefix, which every version begins with.
            Some(branches) => Self::Branches(feed, branches.split(',').collect()),
            None if feed == Feed::Drupal7 => Self::Anything,
            None => Self::Branches(feed, Vec::new()),
        }
    }

    /// Whether a version is in something supported.
    pub(super) fn contains(&self, text: &str, version: &ReleaseVersion<'_>) -> bool {
        match self {
            Self::Branches(_, branches) => branches.iter().any(|branch| text.starts_with(branch)),
            // A feed whose list names nothing has given up on the project, not on its newest releases.
            Self::Majors(majors, _) => majors.is_empty() || majors.contains(&version.major),
            Self::Anything => true,
        }
    }

    /// Whether the installed version is ruled out by what is supported. A feed that lists nothing rules nothing out.
    pub(super) fn rules_out(&self, text: &str, installed: &ReleaseVersion<'_>) -> bool {
        match self {
            Self::Branches(_, branches) => !branches.is_empty() && !self.contains(text, installed),
            Self::Majors(majors, _) => !majors.contains(&installed.major),
            Self::Anything => false,
        }
    }

    /// The major version to move to from one that is ruled out, if the feed names one.
    pub(super) fn preferred_major(&self) -> Option<u64> {
        match self {
            Self::Branches(feed, branches) => branches.iter().find_map(|branch| branch_major(branch, *feed)),
            Self::Majors(majors, recommended) => recommended.or_else(|| majors.first().copied()),
            Self::Anything => None,
        }
    }
}

fn major(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

//! The figures of a site.

use time::OffsetDateTime;

use super::class::{CoverageClass, UnknownReason};

/// The site's security figures, counted from its rows. Every extension in use is in exactly one class of
/// [`crate::CoverageClass`]; one that is covered by an accepted risk is counted with the accepted ones of its class instead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecurityCounts {
    /// Extensions that need a security update.
    pub updates_found: i32,
    /// Distinct projects of those.
    pub projects: i32,
    /// Extensions that nobody publishes security updates for any more.
    pub unsupported: i32,
    /// Extensions that could not be judged.
    pub unknown: i32,
    /// All others, and those that a risk is accepted for.
    pub rest: CoverageCounts,
    /// The age of the release data behind the figures.
    pub data_as_of: Option<OffsetDateTime>,
    /// Whether they are about to be counted again, because something behind them has changed.
    pub recounting: bool,
}

impl SecurityCounts {
    /// Every class with the extensions in it, those that a risk is accepted for included: together all that are in use.
    pub fn coverage(&self) -> [(CoverageClass, i32); 5] {
        [
            (CoverageClass::Insecure, self.updates_found + self.rest.accepted_insecure),
            (CoverageClass::Unsupported, self.unsupported + self.rest.accepted_unsupported),
            (CoverageClass::Unknown, self.unknown + self.rest.accepted_unknown),
            (CoverageClass::Own, self.rest.own),
            (CoverageClass::Secure, self.rest.secure),
        ]
    }

    /// The extensions that a risk is accepted for, in their classes.
    pub fn accepted(&self) -> [(CoverageClass, i32); 3] {
        [
            (CoverageClass::Insecure, self.rest.accepted_insecure),
            (CoverageClass::Unsupported, self.rest.accepted_unsupported),
            (CoverageClass::Unknown, self.rest.accepted_unknown),
        ]
    }

    /// Why so many are unknown; they add up to [`SecurityCounts::unknown`].
    pub fn unknown_reasons(&self) -> [(UnknownReason, i32); 6] {
        let mut reasons = UnknownReason::ALL.map(|reason| (reason, 0));
        for (reason, count) in reasons.iter_mut().zip(self.rest.reasons) {
            reason.1 = count;
        }
        reasons
    }
}

/// The figures beside those that ask for something to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoverageCounts {
    /// The site's own code.
    pub own: i32,
    /// Nothing is known against them.
    pub secure: i32,
    /// Those of `secure` that nobody publishes advisories for.
    pub not_covered: i32,
    /// Insecure, and accepted.
    pub accepted_insecure: i32,
    /// Unsupported, and accepted.
    pub accepted_unsupported: i32,
    /// Unknown, and accepted.
    pub accepted_unknown: i32,
    /// Unknown, and why, in the order of [`crate::UnknownReason::ALL`]; they add up to [`SecurityCounts::unknown`].
    pub reasons: [i32; 6],
}

impl CoverageCounts {
    /// The figures in the order in which the database keeps them.
    pub fn to_list(self) -> [i32; 12] {
        let [a, b, c, d, e, f] = self.reasons;
        let Self { own, secure, not_covered, accepted_insecure, accepted_unsupported, accepted_unknown, .. } = self;
        [own, secure, not_covered, accepted_insecure, accepted_unsupported, accepted_unknown, a, b, c, d, e, f]
    }

    /// The reverse of [`CoverageCounts::to_list`].
    pub fn of_list(list: [i32; 12]) -> Self {
        let [own, secure, not_covered, accepted_insecure, accepted_unsupported, accepted_unknown, a, b, c, d, e, f] =
            list;
        let reasons = [a, b, c, d, e, f];
        Self { own, secure, not_covered, accepted_insecure, accepted_unsupported, accepted_unknown, reasons }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_holds_every_figure_in_its_place() {
        let list = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        let counts = CoverageCounts::of_list(list);
        assert_eq!((counts.own, counts.accepted_unknown, counts.reasons[5]), (1, 6, 12));
        assert_eq!(counts.to_list(), list);
    }
}

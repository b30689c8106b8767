//! The figures of a site.

use time::OffsetDateTime;

/// The site's security figures, counted from its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecurityCounts {
    /// Present and enabled modules that need a security update.
    pub updates_found: i32,
    /// Distinct projects of those.
    pub projects: i32,
    /// Enabled core and contrib modules that have not been judged yet.
    pub unknown: i32,
    /// The age of the release data behind the figures.
    pub data_as_of: Option<OffsetDateTime>,
}

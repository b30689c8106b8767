//! How much of a site could be judged, and how it stands.

use module_monitor_domain::SecurityCounts;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What stands beside the figures that ask for something to be done. Every extension in use is in one class of
/// `coverage`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Coverage {
    pub(crate) unknown_reasons: UnknownReasons,
    pub(crate) coverage: Classes,
    /// Of those in `secure`, how many nobody publishes advisories for.
    pub(crate) not_covered: i32,
    pub(crate) accepted: Accepted,
    /// Whether the figures are about to be counted again, because something behind them has changed.
    pub(crate) recounting: bool,
}

/// Why extensions could not be judged. They add up to `security_unknown`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct UnknownReasons {
    /// Their last report could not be read.
    pub(crate) rejected: i32,
    /// Code that is likely somebody else's, and nothing says whose.
    pub(crate) unidentified: i32,
    /// drupal.org knows no project of that name.
    pub(crate) not_on_drupal_org: i32,
    /// drupal.org has not been asked yet.
    pub(crate) not_fetched: i32,
    /// The site does not know the version.
    pub(crate) no_version: i32,
    /// The version cannot be compared with the project's releases.
    pub(crate) not_comparable: i32,
}

/// Every extension in use in its class, the first that fits.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Classes {
    /// They need a security update.
    pub(crate) insecure: i32,
    /// Nobody publishes security updates for them any more.
    pub(crate) unsupported: i32,
    /// They could not be judged.
    pub(crate) unknown: i32,
    /// The site's own code.
    pub(crate) own: i32,
    /// Nothing is known against them.
    pub(crate) secure: i32,
}

/// How many of a class are accepted risks.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Accepted {
    pub(crate) insecure: i32,
    pub(crate) unsupported: i32,
    pub(crate) unknown: i32,
}

impl Coverage {
    /// What stands beside these figures.
    pub(crate) fn of(counts: &SecurityCounts) -> Self {
        let [rejected, unidentified, not_on_drupal_org, not_fetched, no_version, not_comparable] = counts.rest.reasons;
        let [insecure, unsupported, unknown, own, secure] = counts.coverage().map(|(_, count)| count);
        let accepted = counts.accepted().map(|(_, count)| count);
        Self {
            unknown_reasons: UnknownReasons {
                rejected,
                unidentified,
                not_on_drupal_org,
                not_fetched,
                no_version,
                not_comparable,
            },
            coverage: Classes { insecure, unsupported, unknown, own, secure },
            not_covered: counts.rest.not_covered,
            accepted: Accepted { insecure: accepted[0], unsupported: accepted[1], unknown: accepted[2] },
            recounting: counts.recounting,
        }
    }
}

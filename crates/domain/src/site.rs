//! Sites: who they are, and what their last reports left behind.

use std::fmt;
use std::str::FromStr;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::{CoreVersion, Fingerprint, SecurityCounts};

/// The id of a site; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteId(pub Uuid);

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for SiteId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// A registered site, as the people who look after it see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its id.
    pub id: SiteId,
    /// The name it was registered with.
    pub name: String,
    /// Its address, where it was registered with one.
    pub url: Option<String>,
    /// The environment it last reported.
    pub environment: Option<String>,
    /// When it was registered.
    pub created_at: OffsetDateTime,
    /// Whether it may report.
    pub active: bool,
    /// Refuse reports of another identity instead of warning about them.
    pub strict_identity: bool,
    /// Syncs it may send in the rate limit's window, where that differs from what the server allows.
    pub rate_limit: Option<u32>,
    /// The Drupal version it last reported.
    pub drupal_version: Option<String>,
    /// The PHP version it last reported.
    pub php_version: Option<String>,
    /// When its last report was applied (server time).
    pub last_sync_at: Option<OffsetDateTime>,
    /// When its last complete report was applied (server time).
    pub last_full_sync_at: Option<OffsetDateTime>,
    /// Its last full report removed more than half of its modules.
    pub mass_removal: bool,
    /// It has reported under more than one identity.
    pub conflict: bool,
    /// Its security figures.
    pub security: SecurityCounts,
}

/// Who a report says it comes from. What a report does not say is not compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteIdentity {
    /// `site_info.environment`.
    pub environment: Option<String>,
    /// `site_info.url`.
    pub url: Option<String>,
}

impl SiteIdentity {
    /// Whether both may be the same installation: nothing that both of them say differs.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let agree = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
        agree(&self.environment, &other.environment) && agree(&self.url, &other.url)
    }

    /// This identity, with what it leaves unsaid taken from `known`.
    pub fn or(&self, known: &Self) -> Self {
        Self {
            environment: self.environment.clone().or_else(|| known.environment.clone()),
            url: self.url.clone().or_else(|| known.url.clone()),
        }
    }
}

/// What a sync has to know of its site, read under the site's lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteState {
    /// Whether it may report.
    pub active: bool,
    /// Refuse reports of another identity instead of warning about them.
    pub strict_identity: bool,
    /// The identity of its last report.
    pub identity: SiteIdentity,
    /// The Drupal version of its last report.
    pub drupal_version: Option<CoreVersion>,
    /// The client's time stamp of the last applied report.
    pub last_sync_timestamp: Option<OffsetDateTime>,
    /// The state its last exact full report left, unless something has changed it since.
    pub fingerprint: Option<Fingerprint>,
    /// See [`Site::mass_removal`].
    pub mass_removal: bool,
}

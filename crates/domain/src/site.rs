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
    /// What people call it.
    pub name: String,
    /// Its address, where somebody has said it.
    pub url: Option<String>,
    /// The environment that an administrator gave it, else the one it last reported.
    pub environment: Option<String>,
    /// What administrators file it under, in order.
    pub tags: Vec<String>,
    /// When it was registered.
    pub created_at: OffsetDateTime,
    /// Whether it may report.
    pub active: bool,
    /// Refuse reports of another identity instead of warning about them.
    pub strict_identity: bool,
    /// Syncs it may send in the rate limit's window, where that differs from what the server allows.
    pub rate_limit: Option<u32>,
    /// Seconds without a report after which it is silent, where that differs from the usual 26 hours.
    pub silent_after: Option<u32>,
    /// From when on it is silent if it does not report again; `None` while it is deactivated.
    pub silent_at: Option<OffsetDateTime>,
    /// Whether its reports arrive.
    pub reporting: Reporting,
    /// Why its last attempt was refused, where none has been applied since: the code of the problem.
    pub last_refusal: Option<String>,
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

impl Site {
    /// Whether it should have reported by `now` and has not. Nobody waits for a site that is deactivated.
    pub fn is_silent(&self, now: OffsetDateTime) -> bool {
        self.silent_at.is_some_and(|at| at < now)
    }
}

/// Whether a site's reports arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reporting {
    /// The last report was applied, or too few have been refused since to say otherwise.
    Ok,
    /// The last attempts were refused, all of them.
    Failing,
    /// No report has ever been applied.
    Never,
}

impl Reporting {
    /// How many attempts in a row must be refused before a site is failing.
    pub const FAILING_AFTER: u32 = 3;

    /// How the site is doing after so many refused attempts in a row; `reported` tells whether any was ever applied.
    pub fn of(recent_refusals: u32, reported: bool) -> Self {
        match (recent_refusals, reported) {
            (Self::FAILING_AFTER.., _) => Self::Failing,
            (_, false) => Self::Never,
            _ => Self::Ok,
        }
    }

    /// The name used on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failing => "failing",
            Self::Never => "never",
        }
    }

    /// What has that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Ok, Self::Failing, Self::Never].into_iter().find(|reporting| reporting.as_str() == name)
    }
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

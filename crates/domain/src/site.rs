//! Sites: who they are, and what their last reports left behind.

use std::fmt;

use time::OffsetDateTime;

use crate::address::same_address;
use crate::{CoreVersion, Fingerprint, SecurityCounts, SiteId, names};

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
    /// What it last told of its surroundings, a JSON object.
    pub facts: Option<String>,
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
    /// What is kept of it.
    pub kept: Kept,
}

/// What is kept of a site, as far as it is bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Modules that it has or had.
    pub modules: u32,
    /// Bytes of the history of its modules and of what its syncs were answered.
    pub history_bytes: u64,
    /// When the newest of what is not kept any more happened; `None` where all is.
    pub history_since: Option<OffsetDateTime>,
}

impl Site {
    /// Whether it should have reported by `now` and has not. Nobody waits for a site that is deactivated.
    pub fn is_silent(&self, now: OffsetDateTime) -> bool {
        self.silent_at.is_some_and(|at| at < now)
    }
}

names! {
    /// Whether a site's reports arrive.
    pub enum Reporting {
        /// The last report was applied, or too few have been refused since to say otherwise.
        Ok = "ok",
        /// The last attempts were refused, all of them.
        Failing = "failing",
        /// Of the last report, items of enabled extensions could not be read.
        Partial = "partial",
        /// No report has ever been applied.
        Never = "never",
    }
}

impl Reporting {
    /// How many attempts in a row must be refused before a site is failing.
    pub const FAILING_AFTER: u32 = 3;

    /// How the site is doing after so many refused attempts in a row; `reported` tells whether any was ever applied,
    /// `partial` whether something of it could not be read.
    pub fn of(recent_refusals: u32, reported: bool, partial: bool) -> Self {
        match (recent_refusals, reported) {
            (Self::FAILING_AFTER.., _) => Self::Failing,
            (_, false) => Self::Never,
            _ if partial => Self::Partial,
            _ => Self::Ok,
        }
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
    /// Whether both may be the same installation: nothing that both of them say differs. URLs that lead to the same place
    /// by another scheme, with or without `www.`, default port or slash at the end, do not differ.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let differ = |a: &Option<String>, b: &Option<String>, same: fn(&str, &str) -> bool| {
            a.as_ref().zip(b.as_ref()).is_some_and(|(a, b)| !same(a, b))
        };
        let same_text = |a: &str, b: &str| a == b;
        !differ(&self.environment, &other.environment, same_text) && !differ(&self.url, &other.url, same_address)
    }

    /// This identity, with what it leaves unsaid taken from `known`.
    pub fn or(&self, known: &Self) -> Self {
        Self {
            environment: self.environment.clone().or_else(|| known.environment.clone()),
            url: self.url.clone().or_else(|| known.url.clone()),
        }
    }
}

/// Both parts, as far as they are known, and no longer than a line: `https://example.org (environment production)`.
impl fmt::Display for SiteIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |text: &str| -> String { text.chars().filter(|c| !c.is_control()).take(200).collect() };
        match (self.url.as_deref().map(line), self.environment.as_deref().map(line)) {
            (Some(url), Some(environment)) => write!(f, "{url} (environment {environment})"),
            (Some(url), None) => f.write_str(&url),
            (None, Some(environment)) => write!(f, "environment {environment}"),
            (None, None) => f.write_str("an unknown place"),
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
    /// Items of its last full report, and of partial ones since, that could not be read, not even their names.
    pub unnamed_rejections: u32,
}

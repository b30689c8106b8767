//! How an installed version stands against the releases of its project.
//!
//! The answers are those of Drupal's own Update module, so that a site's page and ours agree:
//!
//! - `judge` walks through a release history and decides.
//! - `release_version` takes versions apart as Drupal does, which is not as [`DrupalVersion`](crate::DrupalVersion) does.
//! - `supported` knows what a feed calls supported, in its two forms.
//! - `coverage` tells when the security coverage of a Drupal core ends.

mod coverage;
mod judge;
mod release_version;
mod supported;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub use coverage::{CoreCoverage, CoverageState, core_coverage};
pub use judge::judge;
pub use release_version::is_dev;

/// How an installed version stands against the releases of its project, in the terms of Drupal's Update module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateStatus {
    /// The release itself is marked insecure.
    NotSecure,
    /// The release was withdrawn.
    Revoked,
    /// The release's branch is no longer supported.
    NotSupported,
    /// There is a newer release.
    NotCurrent,
    /// The newest or recommended release is installed.
    Current,
    /// A dev release without a date cannot be compared.
    NotChecked,
    /// Nothing can be said of this version.
    Unknown,
    /// The project's releases have never been fetched.
    NotFetched,
}

impl UpdateStatus {
    const ALL: [Self; 8] = [
        Self::NotSecure,
        Self::Revoked,
        Self::NotSupported,
        Self::NotCurrent,
        Self::Current,
        Self::NotChecked,
        Self::Unknown,
        Self::NotFetched,
    ];

    /// The name used on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotSecure => "not_secure",
            Self::Revoked => "revoked",
            Self::NotSupported => "not_supported",
            Self::NotCurrent => "not_current",
            Self::Current => "current",
            Self::NotChecked => "not_checked",
            Self::Unknown => "unknown",
            Self::NotFetched => "not_fetched",
        }
    }

    /// The status of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// A security release that is newer than what is installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityRelease {
    /// The version string.
    pub version: String,
    /// When it was published.
    #[serde(with = "time::serde::rfc3339::option")]
    pub released_at: Option<OffsetDateTime>,
    /// The page about it.
    pub release_link: String,
}

/// What the release history of its project says of an installed version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// How the version stands.
    pub status: UpdateStatus,
    /// The newer security releases, newest first.
    pub security_updates: Vec<SecurityRelease>,
    /// The version to install. It is the installed one where the feed has nothing better, even if that is bad.
    pub recommended: Option<String>,
}

impl Judgement {
    /// A judgement that no release took part in.
    pub(super) const fn bare(status: UpdateStatus) -> Self {
        Self { status, security_updates: Vec::new(), recommended: None }
    }

    /// Whether the installed version that was judged needs a security update: it is insecure, or nothing else would
    /// tell (no longer supported, withdrawn, a dev release) and there are newer security releases.
    pub fn needs_security_update(&self, installed: Option<&str>) -> bool {
        match self.status {
            UpdateStatus::NotSecure => true,
            UpdateStatus::NotSupported | UpdateStatus::Revoked => !self.security_updates.is_empty(),
            _ => installed.is_some_and(is_dev) && !self.security_updates.is_empty(),
        }
    }
}

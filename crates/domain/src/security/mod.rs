//! How an installed version stands against the releases of its project.
//!
//! The answers are those of Drupal's own Update module, so that a site's page and ours agree:
//!
//! - `judge` walks through a release history and decides.
//! - `release_version` takes versions apart as Drupal does, which is not as [`DrupalVersion`](crate::DrupalVersion) does.
//! - `supported` knows what a feed calls supported, in its two forms.
//! - `class` puts an extension in use into the one class that it counts in, `in_use` tells what is in use, and `identify`
//!   what it is where its report leaves that open.
//! - `core_constraint` tells whether a release works with a core.
//! - `counts` are the figures of a site that follow from the judgements.
//! - `coverage` tells when the security coverage of a Drupal core ends.

mod behind;
mod class;
mod core_constraint;
mod counts;
mod coverage;
mod identify;
mod in_use;
mod judge;
mod release_version;
mod supported;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub use behind::is_behind;
pub use class::{CoverageClass, Standing, UnknownReason};
pub use core_constraint::needs_another_core;
pub use counts::{CoverageCounts, SecurityCounts};
pub use coverage::{CoreCoverage, CoverageState, core_coverage};
pub(crate) use identify::core_claim;
pub use identify::{Identification, Identified, NameKnowledge, Settled, Settlement, identify};
pub use in_use::{Installed, in_use};
pub use judge::judge;
pub use release_version::is_dev;

use crate::names;

names! {
    /// How an installed version stands against the releases of its project, in the terms of Drupal's Update module.
    pub enum UpdateStatus {
        /// The release itself is marked insecure.
        NotSecure = "not_secure",
        /// The release was withdrawn.
        Revoked = "revoked",
        /// The release's branch is no longer supported.
        NotSupported = "not_supported",
        /// There is a newer release.
        NotCurrent = "not_current",
        /// The newest or recommended release is installed.
        Current = "current",
        /// A dev release without a date cannot be compared.
        NotChecked = "not_checked",
        /// Nothing can be said of this version.
        Unknown = "unknown",
        /// The project's releases have never been fetched.
        NotFetched = "not_fetched",
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
    /// The version to install, which is the installed one where the feed has nothing better. Never one that is marked
    /// insecure or is older than what is installed, though Drupal itself would recommend it: then there is none.
    pub recommended: Option<String>,
    /// The core versions that the recommended release works with, as its feed says it; see
    /// [`needs_another_core`](crate::needs_another_core).
    pub core_compatibility: Option<String>,
}

impl Judgement {
    /// A judgement that no release took part in.
    pub(super) const fn bare(status: UpdateStatus) -> Self {
        Self { status, security_updates: Vec::new(), recommended: None, core_compatibility: None }
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

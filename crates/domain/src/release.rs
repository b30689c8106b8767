//! What drupal.org says of a project and its releases.

use serde::{Deserialize, Serialize};

use crate::{CoreVersion, ProjectName};

/// Which of a project's release histories a site is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Feed {
    /// The one of every Drupal since 8, with branches.
    #[serde(rename = "current")]
    Current,
    /// The one of Drupal 7, with major versions in place of branches.
    #[serde(rename = "7.x")]
    Drupal7,
}

impl Feed {
    const ALL: [Self; 2] = [Self::Current, Self::Drupal7];

    /// The feed for a site that runs `core`.
    pub fn of(core: &CoreVersion) -> Self {
        if core.major() == Some(7) { Self::Drupal7 } else { Self::Current }
    }

    /// The last part of its address, and its name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Drupal7 => "7.x",
        }
    }

    /// The feed of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feed| feed.as_str() == name)
    }
}

/// What `project_status` says of a whole project. A feed that says nothing, or something new, says nothing bad: take
/// the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ProjectStatus {
    /// All is well.
    #[default]
    Published,
    /// No release of it is safe.
    Insecure,
    /// Taken down.
    Unpublished,
    /// Taken down for what it did.
    Revoked,
    /// Nobody looks after it.
    Unsupported,
}

impl ProjectStatus {
    const ALL: [Self; 5] = [Self::Published, Self::Insecure, Self::Unpublished, Self::Revoked, Self::Unsupported];

    /// The name used in the feed and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Insecure => "insecure",
            Self::Unpublished => "unpublished",
            Self::Revoked => "revoked",
            Self::Unsupported => "unsupported",
        }
    }

    /// The status of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// Whether a release can be had. A release of any other status is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReleaseStatus {
    /// It can.
    Published,
    /// It was withdrawn.
    Unpublished,
}

impl ReleaseStatus {
    const ALL: [Self; 2] = [Self::Published, Self::Unpublished];

    /// The name used in the feed and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Unpublished => "unpublished",
        }
    }

    /// The status of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// One well-formed release of a project: its version and link are not blank. Its version may be one that nobody can
/// parse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The version string.
    pub version: String,
    /// Whether it can be had.
    pub status: ReleaseStatus,
    /// When it was published, in Unix seconds.
    pub date: Option<i64>,
    /// The page about it (`release_link`).
    pub link: String,
    /// Whether its terms say `Insecure`.
    pub insecure: bool,
    /// Whether its terms say `Unsupported`.
    pub unsupported: bool,
    /// Whether its terms say `Security update`.
    pub security_update: bool,
    /// Whether the security team covers it (`covered="1"`); `None` where the feed does not say.
    pub covered: Option<bool>,
    /// The core versions it works with, as a Composer constraint.
    pub core_compatibility: Option<String>,
}

/// What a feed says is supported, each element's text as it stands there; `None` where it lacks the element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Support {
    /// `supported_branches`: prefixes of versions with commas between them (`8.x-1.,2.0.`).
    pub branches: Option<String>,
    /// `supported_majors` of a Drupal 7 feed: numbers with commas between them.
    pub majors: Option<String>,
    /// `recommended_major` of a Drupal 7 feed.
    pub recommended_major: Option<String>,
    /// `default_major` of a Drupal 7 feed from before there were supported majors.
    pub default_major: Option<String>,
}

/// What drupal.org last said of a project in one of its feeds.
///
/// The answer "no release history was found" is one too: an [empty](Self::empty) history. A project that was never
/// asked about, or only in vain, has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseHistory {
    /// The project.
    pub project: ProjectName,
    /// Which of its feeds.
    pub feed: Feed,
    /// Display name.
    pub title: Option<String>,
    /// What it is: `project_core`, `project_module`, `project_theme`, ...
    pub project_type: Option<String>,
    /// What is said of the whole project.
    pub status: ProjectStatus,
    /// Its page on drupal.org.
    pub link: Option<String>,
    /// What is supported.
    pub support: Support,
    /// The well-formed releases in the order of the feed, newest first, never sorted, one for each version. (Where a
    /// feed names a version twice, its last entry counts, in the place of the first.)
    pub releases: Vec<Release>,
    /// How many releases of the feed are left out because they are malformed: a version, link or download link that is
    /// blank, an unknown status, a date that is no number.
    pub malformed: u32,
}

impl ReleaseHistory {
    /// The history of a project of which drupal.org knows no release.
    pub fn empty(project: ProjectName, feed: Feed) -> Self {
        Self {
            project,
            feed,
            title: None,
            project_type: None,
            status: ProjectStatus::default(),
            link: None,
            support: Support::default(),
            releases: Vec::new(),
            malformed: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_feeds_and_states_round_trip() {
        for feed in Feed::ALL {
            assert_eq!(Feed::from_name(feed.as_str()), Some(feed));
        }
        for status in ProjectStatus::ALL {
            assert_eq!(ProjectStatus::from_name(status.as_str()), Some(status));
        }
        for status in ReleaseStatus::ALL {
            assert_eq!(ReleaseStatus::from_name(status.as_str()), Some(status));
        }
        assert_eq!(ProjectStatus::from_name("experimental").unwrap_or_default(), ProjectStatus::Published);
    }

    #[test]
    fn only_drupal_7_has_the_old_feed() {
        let feed = |core| Feed::of(&CoreVersion::parse(core).unwrap());
        assert_eq!(feed("7.103"), Feed::Drupal7);
        assert_eq!(feed("7.99-dev"), Feed::Drupal7);
        for core in ["8.9.20", "10.3.6", "11.4-dev", "11.0.0-rc1"] {
            assert_eq!(feed(core), Feed::Current, "{core}");
        }
    }
}

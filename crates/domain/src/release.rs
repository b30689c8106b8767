//! What drupal.org says of a project and its releases.

use time::OffsetDateTime;

use crate::{CoreVersion, ProjectName, names, storable};

names! {
    /// Which of a project's release histories a site is judged by. The name is the last part of its address.
    pub enum Feed {
        /// The one of every Drupal since 8, with branches.
        Current = "current",
        /// The one of Drupal 7, with major versions in place of branches.
        Drupal7 = "7.x",
    }
}

impl Feed {
    /// The feed for a site that runs `core`.
    pub fn of(core: &CoreVersion) -> Self {
        if core.major() == Some(7) { Self::Drupal7 } else { Self::Current }
    }
}

names! {
    /// What `project_status` says of a whole project. A feed that says nothing, or something new, says nothing bad: take
    /// the default.
    #[derive(Default)]
    pub enum ProjectStatus {
        /// All is well.
        #[default]
        Published = "published",
        /// No release of it is safe.
        Insecure = "insecure",
        /// Taken down.
        Unpublished = "unpublished",
        /// Taken down for what it did.
        Revoked = "revoked",
        /// Nobody looks after it.
        Unsupported = "unsupported",
    }
}

names! {
    /// Whether a release can be had. A release of any other status is malformed.
    pub enum ReleaseStatus {
        /// It can.
        Published = "published",
        /// It was withdrawn.
        Unpublished = "unpublished",
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

impl Release {
    /// When it was published; `None` too where the feed names no time that can be kept.
    pub fn released_at(&self) -> Option<OffsetDateTime> {
        self.date.and_then(|date| OffsetDateTime::from_unix_timestamp(date).ok()).and_then(storable)
    }
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
    fn only_drupal_7_has_the_old_feed() {
        let feed = |core| Feed::of(&CoreVersion::parse(core).unwrap());
        assert_eq!(feed("7.103"), Feed::Drupal7);
        assert_eq!(feed("7.99-dev"), Feed::Drupal7);
        for core in ["8.9.20", "10.3.6", "11.4-dev", "11.0.0-rc1"] {
            assert_eq!(feed(core), Feed::Current, "{core}");
        }
    }
}

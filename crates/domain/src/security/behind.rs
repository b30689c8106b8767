//! Whether a release history is out of date by what a site has installed.

use super::release_version::is_dev;
use crate::{DrupalVersion, ReleaseHistory};

/// Whether a site has a release that came after everything in a history, which must then be out of date.
pub fn is_behind(history: &ReleaseHistory, installed: &str) -> bool {
    let Ok(version) = DrupalVersion::parse(installed) else { return false };
    let newest = history.releases.iter().filter_map(|release| DrupalVersion::parse(&release.version).ok()).max();
    !is_dev(installed) && newest.is_some_and(|newest| newest < version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Feed, ProjectName, Release, ReleaseStatus};

    #[test]
    fn a_release_that_came_after_everything_shows_that_a_history_is_behind() {
        let mut history = ReleaseHistory::empty(ProjectName::parse("token").unwrap(), Feed::Current);
        assert!(!is_behind(&history, "8.x-1.0"), "nothing can be said without releases");
        for version in ["2.0.0-beta1", "8.x-1.9"] {
            history.releases.push(Release { version: version.to_owned(), ..release() });
        }
        for (installed, behind) in [
            ("2.0.0", true),
            ("2.0.0-beta2", true),
            ("2.0.0-beta1", false),
            ("8.x-1.10", false),
            ("3.x-dev", false),
            ("", false),
        ] {
            assert_eq!(is_behind(&history, installed), behind, "{installed}");
        }
    }

    fn release() -> Release {
        Release {
            version: String::new(),
            status: ReleaseStatus::Published,
            date: None,
            link: String::new(),
            insecure: false,
            unsupported: false,
            security_update: false,
            covered: None,
            core_compatibility: None,
        }
    }
}

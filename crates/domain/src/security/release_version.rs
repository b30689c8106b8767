//! Versions as Drupal's Update module takes them apart.

use crate::Feed;

/// What Drupal's Update module looks at in a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReleaseVersion<'a> {
    /// The major version: 1 for `8.x-1.3` and `1.3.0`. Numbers beyond 64 bits count as the largest.
    pub(super) major: u64,
    /// The minor version, where there are three numbers.
    pub(super) minor: Option<u64>,
    /// What follows the first `-` of the last part: `beta3`, `rc1`, `dev`, `beta3+6`.
    pub(super) extra: Option<&'a str>,
}

impl<'a> ReleaseVersion<'a> {
    /// Takes a version apart, or gives `None` for one that Drupal cannot parse. The only core prefix a site expects is
    /// that of its own feed: `8.x-` in the current one, `7.x-` on Drupal 7.
    pub(super) fn parse(text: &'a str, feed: Feed) -> Option<Self> {
        let (leading, last) = without_core_prefix(text, feed)?.rsplit_once('.')?;
        let (major, minor) = numbers(leading)?;
        let mut pieces = last.split('-');
        let patch = pieces.next()?;
        let extra = pieces.next();
        // Drupal means to allow `x` here, and allows anything: `1.0.4+2-dev` passes.
        (number(patch).is_some() || extra == Some("dev")).then_some(Self { major, minor, extra })
    }

    /// Whether this is a dev release, and not a snapshot of another stage.
    pub(super) fn is_dev(&self) -> bool {
        self.extra == Some("dev")
    }
}

/// The major version of a supported branch such as `8.x-1.` or `11.4.`, or `None` for anything else.
pub(super) fn branch_major(branch: &str, feed: Feed) -> Option<u64> {
    let (major, _) = numbers(without_core_prefix(branch, feed)?.strip_suffix('.')?)?;
    Some(major)
}

/// Whether Drupal takes an installed version for a dev release: by the word alone, wherever it stands. Only these are judged
/// by their datestamp.
pub fn is_dev(version: &str) -> bool {
    version.contains("dev") || version.contains("HEAD")
}

/// What the versions on a dev branch begin with: `8.x-1.` for `8.x-1.x-dev`, `11.4.` for `11.4-dev`. `None` for anything
/// else, and that is also `8.x-1.3-dev`, a snapshot on the way to one version.
pub(super) fn dev_branch(version: &str) -> Option<String> {
    let number = version.strip_suffix("-dev")?;
    match number.strip_suffix('x') {
        Some(branch) => Some(branch.to_owned()),
        None if number.contains(['-', '+']) || number.matches('.').count() >= 2 => None,
        None => Some(format!("{number}.")),
    }
}

/// What follows the core prefix; `None` where the prefix is not the feed's. (In `8.x-dev` the `8.x` is the version.)
fn without_core_prefix(text: &str, feed: Feed) -> Option<&str> {
    let prefix = match feed {
        Feed::Current => "8.x-",
        Feed::Drupal7 => "7.x-",
    };
    if let Some(rest) = text.strip_prefix(prefix).filter(|rest| *rest != "dev") {
        return Some(rest);
    }
    let mut parts = text.split(".x-");
    let foreign =
        parts.next().is_some_and(|core| matches!(core.len(), 1 | 2)) && parts.next().is_some_and(|v| v != "dev");
    (!foreign).then_some(text)
}

/// The major and minor version of the numbers before the last one.
fn numbers(leading: &str) -> Option<(u64, Option<u64>)> {
    match leading.split_once('.') {
        None => Some((number(leading)?, None)),
        Some((major, minor)) => Some((number(major)?, Some(number(minor)?))),
    }
}

fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str, feed: Feed) -> Option<(u64, Option<u64>, Option<&str>)> {
        ReleaseVersion::parse(text, feed).map(|v| (v.major, v.minor, v.extra))
    }

    #[test]
    fn versions_of_the_current_feed() {
        for (text, expected) in [
            ("8.x-1.3", (1, None, None)),
            ("8.x-1.3-dev", (1, None, Some("dev"))),
            ("8.x-1.x-dev", (1, None, Some("dev"))),
            ("8.x-2.0-beta3+6-dev", (2, None, Some("beta3+6"))),
            ("8.x-1.2.3-rc1", (1, Some(2), Some("rc1"))),
            ("8.x-dev", (8, None, Some("dev"))),
            ("10.x-dev", (10, None, Some("dev"))),
            ("1.3", (1, None, None)),
            ("1.2.3", (1, Some(2), None)),
            ("1.2.3-alpha1", (1, Some(2), Some("alpha1"))),
            ("1.2.x-dev", (1, Some(2), Some("dev"))),
            ("4.3.10+22-dev", (4, Some(3), Some("dev"))),
            ("11.4-dev", (11, None, Some("dev"))),
            ("007.1.0", (7, Some(1), None)),
            ("1.0-", (1, None, Some(""))),
        ] {
            assert_eq!(parts(text, Feed::Current), Some(expected), "{text}");
        }
    }

    #[test]
    fn versions_that_drupal_cannot_parse() {
        for text in [
            "",
            "llama",
            "1",
            "dev-main",
            "8.x-dev.0-rc1",
            "7.x-1.0",
            "6.x-1.x-dev",
            "10.x-1.0",
            "9.x-1.x",
            "8.x-8.x-1.0",
            "8.x-1",
            "8.x-1.x",
            "1.x",
            "1.2.x",
            "1.2.3.4",
            "8.x-1.2.3.4",
            "100.x-1.0",
            ".x-1.0",
            "1.x.3",
            "v1.0",
            "1.0.*",
            "1..0",
            "1.",
            ".1",
            "1.0beta1",
            "1.0_1",
            "１.0",
            "+1.0",
            "1.é-de",
        ] {
            assert_eq!(ReleaseVersion::parse(text, Feed::Current), None, "{text:?}");
        }
    }

    #[test]
    fn drupal_7_has_a_prefix_of_its_own() {
        assert_eq!(parts("7.x-3.29", Feed::Drupal7), Some((3, None, None)));
        assert_eq!(parts("7.x-3.x-dev", Feed::Drupal7), Some((3, None, Some("dev"))));
        assert_eq!(parts("7.x-2.0-beta1+5-dev", Feed::Drupal7), Some((2, None, Some("beta1+5"))));
        assert_eq!(parts("7.x-dev", Feed::Drupal7), Some((7, None, Some("dev"))));
        assert_eq!(parts("7.103", Feed::Drupal7), Some((7, None, None)));
        assert_eq!(parts("8.x-1.0", Feed::Drupal7), None);
    }

    #[test]
    fn numbers_of_any_length_are_compared_without_a_panic() {
        assert_eq!(parts(&format!("{}.0", "9".repeat(48)), Feed::Current), Some((u64::MAX, None, None)));
    }

    #[test]
    fn a_dev_branch_is_what_its_versions_begin_with() {
        for (version, branch) in [
            ("8.x-1.x-dev", Some("8.x-1.")),
            ("2.1.x-dev", Some("2.1.")),
            ("3.x-dev", Some("3.")),
            ("11.4-dev", Some("11.4.")),
            ("8.x-1.3-dev", None),
            ("8.1.0-dev", None),
            ("1.0+3-dev", None),
            ("1.0.0-beta1+3-dev", None),
            ("1.0.0", None),
        ] {
            assert_eq!(dev_branch(version).as_deref(), branch, "{version}");
        }
    }

    #[test]
    fn branches_end_in_a_dot() {
        for (branch, major) in [("8.x-1.", 1), ("11.4.", 11), ("0.1.", 0), ("2.", 2)] {
            assert_eq!(branch_major(branch, Feed::Current), Some(major), "{branch}");
        }
        for branch in ["", ".", "8.x-1", "7.x-1.", "10.x-1.", "main.", "1.2.3.", "11.4"] {
            assert_eq!(branch_major(branch, Feed::Current), None, "{branch}");
        }
        assert_eq!(branch_major("7.x-3.", Feed::Drupal7), Some(3));
    }
}

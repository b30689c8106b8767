//! Drupal versions: what is accepted, how versions are ordered, and what they are in semver.
//!
//! - `parse` takes a version string apart and decides what is accepted.
//! - `sort_key` writes the order down as text, so that a database can compare versions too.
//! - `to_semver` converts to [`semver::Version`].
//! - [`reported`] tells versions from what else sites send as one.
//! - [`platform`] holds the versions of a site's Drupal core and of its PHP.

mod parse;
pub(crate) mod platform;
pub(crate) mod reported;
mod sort_key;
mod to_semver;

use std::fmt;
use std::str::FromStr;

/// A version of a Drupal module, theme, profile or core, exactly as a site reported it.
///
/// Equality and hash are those of the string. The order is that of the versions, `8.x-1.0` and `1.0.0` standing side by
/// side (then by string, so that the order is total and agrees with equality):
///
/// ```
/// use module_monitor_domain::DrupalVersion;
///
/// let parse = |text| DrupalVersion::parse(text).expect("a Drupal version");
/// assert!(parse("8.x-2.0-beta2") < parse("2.0.0-beta10"));
/// assert!(parse("2.0.0-beta10") < parse("8.x-2.0"));
/// assert!(parse("8.x-2.0") < parse("2.x-dev"));
/// assert!(parse("2.x-dev") < parse("3.0.0-alpha1"));
/// ```
// The derived order compares the fields from the top, so `sort_key` must stay first. It is a function of `raw`, so
// comparing and hashing it as well does not change equality.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DrupalVersion {
    sort_key: String,
    raw: String,
}

/// Why a string is not a [`DrupalVersion`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// The string is empty.
    #[error(
        "a version must not be empty; send null if the version is not known, else a version such as `8.x-1.0` or `2.0.1`"
    )]
    Empty,
    /// The string has more than [`DrupalVersion::MAX_LENGTH`] characters.
    #[error("a version has at most {max} characters, this one has {length}", max = DrupalVersion::MAX_LENGTH)]
    TooLong {
        /// Its length in Unicode scalar values.
        length: usize,
    },
    /// The string has none of the formats that Drupal uses.
    #[error(
        "{value:?} is not a Drupal version; accepted are for example `8.x-1.0`, `8.x-1.0-beta2`, `8.x-1.x-dev`, `2.0.1`, \
         `2.0.0-alpha3`, `2.1.x-dev`, `3.x-dev`, `2.0.0-beta1+5-dev` and `1.0.*`, without spaces or a leading `v`"
    )]
    Malformed {
        /// The string, of at most [`DrupalVersion::MAX_LENGTH`] characters.
        value: String,
    },
}

impl DrupalVersion {
    /// The most characters (Unicode scalar values) a version may have.
    pub const MAX_LENGTH: usize = 50;

    /// The most bytes a [`sort_key`](Self::sort_key) has.
    pub const MAX_SORT_KEY_LENGTH: usize = 64;

    /// Reads a version. Fails when the string is empty, too long, or in none of the formats that Drupal uses.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        if text.is_empty() {
            return Err(VersionError::Empty);
        }
        let length = text.chars().count();
        if length > Self::MAX_LENGTH {
            return Err(VersionError::TooLong { length });
        }
        let Some(parsed) = parse::parse(text) else {
            return Err(VersionError::Malformed { value: text.to_owned() });
        };
        Ok(Self { sort_key: sort_key::sort_key(&parsed), raw: text.to_owned() })
    }

    /// The version as the site wrote it.
    pub fn as_str(&self) -> &str {
        &self.raw
    }

    /// An ASCII string of at most [`MAX_SORT_KEY_LENGTH`](Self::MAX_SORT_KEY_LENGTH) bytes whose bytewise order
    /// (`COLLATE "C"`, SQLite's `BINARY`) is the order of the versions.
    ///
    /// Versions that mean the same (`8.x-1.0`, `1.0`, `1.0.0`) have the same key. The key of a version never changes:
    /// it is stored, so a new layout needs a migration.
    ///
    /// ```text
    /// 10.3.0-rc1      0210.013.010.4011     numbers with their length in front, stage 4 (rc), number 1
    /// 8.x-2.0         012.010.010.7         the core prefix left out, missing parts 0, stage 7 (release)
    /// 2.0.4+1-dev     012.010.014.7+011     the release, and one commit
    /// 1.0.0-pl_2      011.010.010.5pl_!012  any other word: the word itself, `!`, and its number
    /// 2.1.x-dev       012.011.~6            `~` is after every number, stage 6 (dev)
    /// 1.0.*           011.010.~7            and the wildcard after the dev branch
    /// ```
    pub fn sort_key(&self) -> &str {
        &self.sort_key
    }

    /// The version as [`semver::Version`], or `None` where a part does not fit into semver's 64 bits.
    ///
    /// ```
    /// # use module_monitor_domain::DrupalVersion;
    /// # for (drupal, semver) in [
    /// #     ("8.x-1.0", "1.0.0"),
    /// #     ("2.0.0-beta10", "2.0.0-beta.10"),
    /// #     ("8.x-2.0-beta1+5-dev", "2.0.0-beta.1.dev.5"),
    /// #     ("2.0.4+1-dev", "2.0.4+1.dev"),
    /// #     ("2.1.x-dev", "2.1.18446744073709551615-dev"),
    /// #     ("1.0.*", "1.0.18446744073709551615"),
    /// # ] {
    /// #     let version = DrupalVersion::parse(drupal).expect("a Drupal version");
    /// #     assert_eq!(version.to_semver().expect("a semver").to_string(), semver);
    /// # }
    /// // 8.x-1.0              1.0.0
    /// // 2.0.0-beta10         2.0.0-beta.10
    /// // 8.x-2.0-beta1+5-dev  2.0.0-beta.1.dev.5
    /// // 2.0.4+1-dev          2.0.4+1.dev
    /// // 2.1.x-dev            2.1.18446744073709551615-dev
    /// // 1.0.*                1.0.18446744073709551615
    /// ```
    ///
    /// What a dev branch or a wildcard leaves open becomes `u64::MAX`, so that it comes after all it will contain
    /// (Composer does the like with 9999999). Semver orders as this type does for releases, numbered alphas, betas and release
    /// candidates, snapshots (`+N-dev`) of these, dev branches and wildcards. It does not for what semver sorts by the
    /// alphabet: `unstable`, `-dev` on an exact version, and any other word.
    pub fn to_semver(&self) -> Option<semver::Version> {
        parse::parse(&self.raw).and_then(|parsed| to_semver::to_semver(&parsed))
    }

    /// Whether this is a development version: a branch, a snapshot, or `-dev` on an exact version.
    pub fn is_dev(&self) -> bool {
        self.raw.rsplit_once('-').is_some_and(|(_, word)| word.eq_ignore_ascii_case("dev"))
    }
}

impl FromStr for DrupalVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl AsRef<str> for DrupalVersion {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for DrupalVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_too_long_and_malformed_are_told_apart() {
        assert_eq!(DrupalVersion::parse(""), Err(VersionError::Empty));
        assert_eq!(DrupalVersion::parse(&"1".repeat(51)), Err(VersionError::TooLong { length: 51 }));
        assert!(DrupalVersion::parse(&"1".repeat(50)).is_ok());
        assert_eq!(DrupalVersion::parse("v1.0"), Err(VersionError::Malformed { value: "v1.0".to_owned() }));
    }

    #[test]
    fn length_is_counted_in_characters_not_in_bytes() {
        let umlauts = "ü".repeat(50);
        assert_eq!(DrupalVersion::parse(&umlauts), Err(VersionError::Malformed { value: umlauts.clone() }));
    }

    #[test]
    fn a_message_quotes_the_value_safely_and_gives_examples() {
        let message = DrupalVersion::parse("1.0\0\n").expect_err("control characters").to_string();
        assert!(message.starts_with(r#""1.0\0\n" is not a Drupal version"#));
        assert!(message.contains("`8.x-1.0`"));
    }

    #[test]
    fn dev_versions_are_branches_snapshots_and_exact_dev() {
        for dev in ["3.x-dev", "8.x-1.x-dev", "11.4-dev", "10.3.0-dev", "2.0.4+1-dev", "1.0-DEV"] {
            assert!(DrupalVersion::parse(dev).expect(dev).is_dev(), "{dev}");
        }
        for other in ["1.0.0", "1.0.*", "1.0.0-beta1", "1.0.0-predev", "1.0.0-dev2"] {
            assert!(!DrupalVersion::parse(other).expect(other).is_dev(), "{other}");
        }
    }
}

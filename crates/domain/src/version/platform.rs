//! The versions of what a site runs on: its Drupal core and its PHP.

use std::fmt;
use std::str::FromStr;

use super::DrupalVersion;
use super::parse::{Ending, Parsed, Stage, parse};

/// The Drupal core a site runs, as `\Drupal::VERSION` says it.
///
/// Three numbers with an optional suffix (`10.3.6`, `11.0.0-rc1`, `10.4.0-dev`), `7.N`, or `N.M-dev`. Every one of them
/// is a [`DrupalVersion`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CoreVersion(DrupalVersion);

/// The PHP a site runs, as `PHP_VERSION` says it.
///
/// Three numbers and whatever the distribution adds: `8.3.0`, `8.4.0RC1`, `8.2.15-1+deb12u1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PhpVersion(String);

/// Why a string is not a [`CoreVersion`] or not a [`PhpVersion`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlatformVersionError {
    /// The string is empty.
    #[error("a {platform} version must not be empty")]
    Empty {
        /// `Drupal core` or `PHP`.
        platform: &'static str,
    },
    /// The string has more characters than allowed.
    #[error("a {platform} version has at most {max} characters, this one has {length}")]
    TooLong {
        /// `Drupal core` or `PHP`.
        platform: &'static str,
        /// The most characters (Unicode scalar values) allowed.
        max: usize,
        /// How many it has.
        length: usize,
    },
    /// The string is not the version of a Drupal core.
    #[error(
        "{value:?} is not a Drupal core version; accepted are for example `10.3.6`, `11.0.0-rc1`, `7.103` and `11.4-dev`, as \
         in \\Drupal::VERSION"
    )]
    MalformedCore {
        /// The string.
        value: String,
    },
    /// The string is not the version of a PHP.
    #[error(
        "{value:?} is not a PHP version; accepted are for example `8.3.0`, `8.4.0RC1` and `8.2.15-1+deb12u1`, as in \
         PHP_VERSION"
    )]
    MalformedPhp {
        /// The string.
        value: String,
    },
}

impl CoreVersion {
    /// The most characters (Unicode scalar values) a core version may have.
    pub const MAX_LENGTH: usize = DrupalVersion::MAX_LENGTH;

    /// Reads a core version. Fails when the string is empty, too long or not the version of a Drupal core.
    pub fn parse(text: &str) -> Result<Self, PlatformVersionError> {
        check_length("Drupal core", text, Self::MAX_LENGTH)?;
        parse(text)
            .filter(is_core_version)
            .and_then(|_| DrupalVersion::parse(text).ok())
            .map(Self)
            .ok_or_else(|| PlatformVersionError::MalformedCore { value: text.to_owned() })
    }

    /// The version as the site wrote it.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The version as one that can be ordered, for the project `drupal`.
    pub fn as_drupal_version(&self) -> &DrupalVersion {
        &self.0
    }

    /// The major version: 10 for `10.3.6`; `None` where it does not fit into 32 bits.
    pub fn major(&self) -> Option<u32> {
        self.as_str().split('.').next()?.parse().ok()
    }
}

impl PhpVersion {
    /// The most characters (Unicode scalar values) a PHP version may have.
    pub const MAX_LENGTH: usize = 100;

    /// Reads a PHP version. Fails when the string is empty, too long or not the version of a PHP.
    pub fn parse(text: &str) -> Result<Self, PlatformVersionError> {
        check_length("PHP", text, Self::MAX_LENGTH)?;
        if !is_php_version(text) {
            return Err(PlatformVersionError::MalformedPhp { value: text.to_owned() });
        }
        Ok(Self(text.to_owned()))
    }

    /// The version as the site wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check_length(platform: &'static str, text: &str, max: usize) -> Result<(), PlatformVersionError> {
    if text.is_empty() {
        return Err(PlatformVersionError::Empty { platform });
    }
    let length = text.chars().count();
    if length > max {
        return Err(PlatformVersionError::TooLong { platform, max, length });
    }
    Ok(())
}

fn is_core_version(version: &Parsed<'_>) -> bool {
    if version.core_prefix || version.ending != Ending::Number {
        return false;
    }
    let is_release = version.stage == Stage::Release && version.commits.is_none();
    match version.numbers[..] {
        [_, _, _] => true,
        ["7", _] if is_release => true,
        [_, _] => version.stage == Stage::Dev,
        _ => false,
    }
}

fn is_php_version(text: &str) -> bool {
    let mut parts = text.splitn(3, '.');
    let (Some(major), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let suffix = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let in_suffix = |byte: u8| byte.is_ascii_alphanumeric() || b".+~_-".contains(&byte);
    is_number(major)
        && is_number(minor)
        && suffix.len() < rest.len()
        && !suffix.starts_with('.')
        && suffix.bytes().all(in_suffix)
}

impl FromStr for CoreVersion {
    type Err = PlatformVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl FromStr for PhpVersion {
    type Err = PlatformVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for CoreVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for PhpVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_versions_of_every_format_are_accepted() {
        for (text, major) in [
            ("10.3.6", 10),
            ("11.0.0-rc1", 11),
            ("10.4.0-dev", 10),
            ("8.9.20", 8),
            ("9.0.0-beta3", 9),
            ("11.0.0-beta1+5-dev", 11),
            ("10.3.6+2-dev", 10),
            ("7.0", 7),
            ("7.103", 7),
            ("7.104-dev", 7),
            ("11.4-dev", 11),
        ] {
            let core = CoreVersion::parse(text).expect(text);
            assert_eq!(core.to_string(), text);
            assert_eq!(core.as_drupal_version().as_str(), text);
            assert_eq!(core.major(), Some(major), "{text}");
        }
    }

    #[test]
    fn what_is_a_module_version_but_no_core_version_is_refused() {
        for text in [
            "8.x-1.0",
            "10",
            "10.3",
            "10.3-rc1",
            "7.0-rc1",
            "7.103+2-dev",
            "07.1",
            "11-dev",
            "11.x-dev",
            "10.3.x-dev",
            "10.3.*",
            "*",
            "10.3.*-dev",
            "8.x-11.4-dev",
        ] {
            assert!(DrupalVersion::parse(text).is_ok(), "{text}");
            let error = CoreVersion::parse(text).expect_err(text);
            assert_eq!(error, PlatformVersionError::MalformedCore { value: text.to_owned() });
        }
    }

    #[test]
    fn what_is_no_version_is_no_core_version() {
        for text in ["10.3.6 ", "v10.3.6", "10.3.6\n", "10.3.6.1", "10.3.6-", "10.3.6-a-b", "1\u{660}.3.6", "Drupal 10"]
        {
            assert!(CoreVersion::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_major_too_large_is_none() {
        let core = CoreVersion::parse("4294967296.0.0").expect("three numbers");
        assert_eq!(core.major(), None);
    }

    #[test]
    fn php_versions_of_distributions_are_accepted() {
        for text in [
            "8.3.0",
            "8.2.15-1+deb12u1",
            "8.1.2-1ubuntu2.14",
            "8.4.0RC1",
            "8.3.0-dev",
            "7.4.33~ubuntu",
            "5.6.40+",
            "7.0.33-0+deb9u12",
            "8.1.27-1+ubuntu22.04.1+deb.sury.org+1",
            "8.0.0alpha_1",
            "08.003.00",
        ] {
            assert_eq!(PhpVersion::parse(text).expect(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_php_version_is_refused() {
        for text in [
            "8",
            "8.3",
            "8.3.",
            "8..3",
            ".8.3",
            "8.3.x",
            "8.3.RC1",
            "8.3.0.1",
            "8.3.0.",
            "PHP 8.3.0",
            "8.3.0 ",
            "8.3.0\n",
            "8.3.0/1",
            "8.3.0(dev)",
            "8.\u{663}.0",
            "8.3.\u{660}",
            "8.3.0\u{e9}",
            "8.3.0\0",
            "8.3-1.0",
            "-8.3.0",
        ] {
            let error = PhpVersion::parse(text).expect_err(text);
            assert_eq!(error, PlatformVersionError::MalformedPhp { value: text.to_owned() });
        }
    }

    #[test]
    fn empty_and_too_long_are_told_apart() {
        assert_eq!(CoreVersion::parse(""), Err(PlatformVersionError::Empty { platform: "Drupal core" }));
        assert_eq!(PhpVersion::parse(""), Err(PlatformVersionError::Empty { platform: "PHP" }));
        let core = |length: usize| CoreVersion::parse(&format!("10.3.{}", "1".repeat(length - 5)));
        assert!(core(50).is_ok());
        assert_eq!(
            core(51).expect_err("too long").to_string(),
            "a Drupal core version has at most 50 characters, this one has 51"
        );
        let php = |length: usize| PhpVersion::parse(&format!("8.3.0{}", "a".repeat(length - 5)));
        assert!(php(100).is_ok());
        assert_eq!(
            php(101).expect_err("too long").to_string(),
            "a PHP version has at most 100 characters, this one has 101"
        );
    }

    #[test]
    fn a_message_gives_examples() {
        let message = PhpVersion::parse("8.3").expect_err("two parts").to_string();
        assert!(message.contains("`8.2.15-1+deb12u1`"), "{message}");
        let message = CoreVersion::parse("10").expect_err("one part").to_string();
        assert!(message.contains(r"\Drupal::VERSION"), "{message}");
    }
}

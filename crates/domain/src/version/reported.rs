//! What a site sends as a version.

use super::parse::{self, Ending};
use super::{DrupalVersion, VersionError};

/// What a site sent as the version of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportedVersion {
    /// A version.
    Known(DrupalVersion),
    /// A text that stands where a version would, and says nothing that could be compared.
    NotKnown(String),
}

impl ReportedVersion {
    /// Reads what info files have as a version: a version, or what developers write there before drupal.org packages a
    /// release, a constant (`VERSION`) or a branch (`8.x-1.x`). With `free_text`, which is for code that no project
    /// judges, any other text is taken as not known too. Fails for everything else, and for what is empty or too long.
    pub fn parse(text: &str, free_text: bool) -> Result<Self, VersionError> {
        match DrupalVersion::parse(text) {
            Ok(version) => Ok(Self::Known(version)),
            Err(VersionError::Malformed { value }) if free_text || is_constant(text) || is_branch(text) => {
                Ok(Self::NotKnown(value))
            }
            Err(error) => Err(error),
        }
    }
}

/// `VERSION`, and constants of a project's own such as `COMMERCE_VERSION`.
fn is_constant(text: &str) -> bool {
    let of_a_constant = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    text.ends_with("VERSION") && text.bytes().all(of_a_constant)
}

/// A branch as Git has it: its version is the same with `-dev`.
fn is_branch(text: &str) -> bool {
    parse::parse(&format!("{text}-dev")).is_some_and(|parsed| parsed.ending == Ending::Branch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn not_known(text: &str, free_text: bool) -> bool {
        ReportedVersion::parse(text, free_text) == Ok(ReportedVersion::NotKnown(text.to_owned()))
    }

    #[test]
    fn constants_and_branches_are_no_versions_and_no_errors() {
        for text in ["VERSION", "OUR_VERSION", "2.x", "7.x-2.x", "8.x-1.x", "2.1.x", "8.x", "11.x", "8.x-1.0.x"] {
            assert!(not_known(text, false) && not_known(text, true), "{text}");
        }
    }

    #[test]
    fn any_other_text_is_for_code_without_a_project_only() {
        let longest = "ü".repeat(50);
        for text in ["v1.0", "dev-main", "version", "LATEST", "2026-11-25", "x", " ", "1.0.0 (ours)", &longest] {
            assert!(not_known(text, true), "{text}");
            assert!(matches!(ReportedVersion::parse(text, false), Err(VersionError::Malformed { .. })), "{text}");
        }
        assert_eq!(ReportedVersion::parse("", true), Err(VersionError::Empty));
        assert_eq!(ReportedVersion::parse(&"x".repeat(51), true), Err(VersionError::TooLong { length: 51 }));
    }

    #[test]
    fn a_version_is_one_whoever_sends_it() {
        for text in ["1.0.0", "8.x-1.x-dev", "2.x-dev", "1.*", "7.103"] {
            let version = ReportedVersion::Known(DrupalVersion::parse(text).unwrap());
            assert_eq!(ReportedVersion::parse(text, true).as_ref(), Ok(&version));
            assert_eq!(ReportedVersion::parse(text, false), Ok(version));
        }
    }
}

//! Modules and their versions, as the registry that all sites share knows them.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::checked_text::checked_text;
use crate::{DrupalVersion, names};

/// Why a machine name or project name is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, or more than 255 characters.
    #[error("a machine name has 1 to 255 characters")]
    Length,
    /// Not an identifier as PHP defines it.
    #[error("a machine name is a PHP identifier: letters, digits and underscores, not starting with a digit")]
    NotAnIdentifier,
    /// Not a drupal.org project name.
    #[error("a project name has 1 to 128 lower-case letters, digits and underscores")]
    NotAProject,
}

checked_text! {
    /// The name Drupal knows an extension by: a PHP identifier of 1 to 255 characters, compared byte by byte.
    MachineName, php_identifier, NameError
}

/// The rule that Drupal applies to extension names.
fn php_identifier(name: &str) -> Result<&str, NameError> {
    if name.is_empty() || name.chars().count() > 255 {
        return Err(NameError::Length);
    }
    // PHP looks at bytes: everything from 0x7f up is a letter to it, so every non-ASCII character is.
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_' || c >= '\u{7f}';
    let starts_well = name.chars().next().is_some_and(letter);
    if !starts_well || !name.chars().all(|c| letter(c) || c.is_ascii_digit()) {
        return Err(NameError::NotAnIdentifier);
    }
    Ok(name)
}

names! {
    /// Where an extension comes from.
    pub enum ModuleType {
        /// Shipped with Drupal itself.
        Core = "core",
        /// From a project on drupal.org.
        Contrib = "contrib",
        /// The site's own code.
        Custom = "custom",
    }
}

names! {
    /// What kind of extension it is; advisories concern all three.
    #[derive(Default)]
    pub enum Extension {
        /// A module.
        #[default]
        Module = "module",
        /// A theme.
        Theme = "theme",
        /// An installation profile.
        Profile = "profile",
    }
}

/// What a report says of a module beyond its state on the site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleDetails {
    /// Display name.
    pub name: String,
    /// The group Drupal lists it in.
    pub package: Option<String>,
    /// Core versions it says it works with.
    pub core_compatibility: Vec<String>,
    /// What it depends on, as Drupal writes it (`project:module (>=1.0)`).
    pub dependencies: Vec<String>,
    /// One or two sentences from its info file.
    pub description: Option<String>,
    /// Its page on drupal.org.
    pub project_link: Option<String>,
}

/// A module in the registry. Of custom modules only the name and type are known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// The name it is known by.
    pub machine_name: MachineName,
    /// The type its first report gave it.
    pub module_type: ModuleType,
    /// Display name.
    pub name: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Its page on drupal.org.
    pub project_link: Option<String>,
    /// When it was first reported.
    pub created_at: OffsetDateTime,
    /// When an administrator corrected name, description and link, which win over those of its releases since then.
    pub corrected_at: Option<OffsetDateTime>,
}

/// A version of a module in the registry, with what belongs to that release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleVersion {
    /// The module it is a version of.
    pub machine_name: MachineName,
    /// The version string.
    pub version: DrupalVersion,
    /// What its first report said of it; `None` for custom code.
    pub details: Option<ModuleDetails>,
    /// When drupal.org released it, where that is known.
    pub released_at: Option<OffsetDateTime>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_names_are_php_identifiers() {
        for good in ["views", "_a", "ctools_block2", "Übung", "a", &"a".repeat(255), "名前"] {
            assert!(MachineName::parse(good).is_ok(), "{good}");
        }
        for bad in ["2fast", "a-b", "a b", "a.b", "views\n", "a\0", "../x", "a$"] {
            assert_eq!(MachineName::parse(bad), Err(NameError::NotAnIdentifier), "{bad:?}");
        }
        assert_eq!(MachineName::parse(""), Err(NameError::Length));
        assert_eq!(MachineName::parse(&"é".repeat(256)), Err(NameError::Length));
        assert!(MachineName::parse(&"é".repeat(255)).is_ok(), "lengths count characters, not bytes");
    }
}

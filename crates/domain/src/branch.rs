//! Branches: which versions get the same fix.

use crate::{DrupalVersion, names};

names! {
    /// How a version stands to the branch of the upper bound that it is below.
    pub enum BranchSide {
        /// It is of the same branch: the bound is its fix.
        Same = "same",
        /// It is of an older branch, which may have had a fix of its own.
        Older = "older",
    }
}

/// The branch of `bound`, as its versions begin: `10.4.`, `8.x-1.`, `2.1.`. Of Drupal core it is the minor; of anything else
/// the longest of the feed's `supported_branches` (their text, with commas between them) that the bound begins with, or
/// else what stands before its last number.
pub fn branch_of(bound: &DrupalVersion, supported_branches: Option<&str>, is_core: bool) -> String {
    let text = bound.as_str();
    if is_core {
        return minor_of(text).unwrap_or_else(|| before_last_number(text).to_owned());
    }
    let supported = supported_branches.unwrap_or_default().split(',').map(str::trim);
    let own = supported.filter(|branch| branch.ends_with('.') && text.starts_with(branch)).max_by_key(|own| own.len());
    own.unwrap_or_else(|| before_last_number(text)).to_owned()
}

/// The sort key at which the versions of a branch begin; those of older branches have lower ones. Of something that is no
/// branch it is the lowest key of all.
pub fn branch_start(branch: &str) -> String {
    // A dev version has the numbers of its branch, and `~6` for what it leaves open.
    let dev = DrupalVersion::parse(&format!("{branch}x-dev"));
    dev.ok().and_then(|dev| dev.sort_key().strip_suffix("~6").map(ToOwned::to_owned)).unwrap_or_default()
}

/// The branch of a dev version of core, which leaves its last number out: `11.4-dev`.
fn minor_of(text: &str) -> Option<String> {
    let (major, minor) = text.strip_suffix("-dev")?.split_once('.')?;
    (minor != "x" && minor.bytes().all(|byte| byte.is_ascii_digit())).then(|| format!("{major}.{minor}."))
}

fn before_last_number(text: &str) -> &str {
    let prefix = text.split_once(".x-").filter(|(_, rest)| *rest != "dev").map_or(0, |(core, _)| core.len() + 3);
    let numbers = text[prefix..].find(['-', '+']).map_or(text, |end| &text[..prefix + end]);
    numbers[prefix..].rfind('.').map_or(&text[..prefix], |dot| &text[..=prefix + dot])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> DrupalVersion {
        DrupalVersion::parse(text).unwrap()
    }

    #[test]
    fn a_branch_is_what_stands_before_the_last_number() {
        for (bound, branch) in [
            ("8.x-1.14", "8.x-1."),
            ("7.x-1.14", "7.x-1."),
            ("8.x-2.0-beta3", "8.x-2."),
            ("8.x-1.x-dev", "8.x-1."),
            ("2.1.3", "2.1."),
            ("2.1.0-rc1", "2.1."),
            ("2.0.4+1-dev", "2.0."),
            ("2.1.x-dev", "2.1."),
            ("3.x-dev", "3."),
            ("1.5", "1."),
            ("8.x-5", "8.x-"),
            ("5", ""),
        ] {
            assert_eq!(branch_of(&version(bound), None, false), branch, "{bound}");
        }
    }

    #[test]
    fn the_longest_supported_branch_wins() {
        let branches = Some("4., 8.x-1.,8.x-1.2,5.1.,5.,");
        for (bound, branch) in [
            ("4.3.2", "4."),
            ("5.1.2", "5.1."),
            ("5.2.1", "5."),
            ("8.x-1.21", "8.x-1."),
            ("8.x-2.1", "8.x-2."),
            ("45.0.1", "45.0."),
        ] {
            assert_eq!(branch_of(&version(bound), branches, false), branch, "{bound}");
        }
    }

    #[test]
    fn of_core_it_is_the_minor() {
        let branches = Some("10.,11.4.");
        for (bound, branch) in [
            ("10.4.2", "10.4."),
            ("10.4.0-beta1", "10.4."),
            ("11.4-dev", "11.4."),
            ("11.x-dev", "11."),
            ("8.9.20", "8.9."),
            ("7.103", "7."),
        ] {
            assert_eq!(branch_of(&version(bound), branches, true), branch, "{bound}");
        }
    }

    #[test]
    fn all_versions_of_a_branch_and_none_of_an_older_one_are_behind_its_start() {
        for (branch, same, older) in [
            ("10.4.", ["10.4.0-alpha1", "10.4.12", "11.4-dev"], ["10.3.99", "10.3.x-dev", "9.5.11"]),
            ("8.x-1.", ["8.x-1.0-dev", "8.x-1.14", "8.x-1.x-dev"], ["8.x-0.9", "8.x-0.x-dev", "0.9.9"]),
            ("2.10.", ["2.10.0", "2.10.3", "2.10.x-dev"], ["2.9.1", "2.9.x-dev", "1.0.0"]),
        ] {
            let start = branch_start(branch);
            assert!(same.iter().all(|text| version(text).sort_key() >= start.as_str()), "{branch}");
            assert!(older.iter().all(|text| version(text).sort_key() < start.as_str()), "{branch}");
        }
        assert_eq!((branch_start(""), branch_start("8.x-")), (String::new(), String::new()));
    }
}

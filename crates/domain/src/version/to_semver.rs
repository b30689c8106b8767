//! The conversion to [`semver::Version`].

use semver::{BuildMetadata, Prerelease, Version};

use super::parse::{Parsed, Stage, significant};

/// The version in semver, or `None` where a number does not fit. `u64::MAX` itself does not fit either: it stands for
/// what a branch or a wildcard leaves open.
pub(super) fn to_semver(version: &Parsed<'_>) -> Option<Version> {
    let missing = if version.is_open() { u64::MAX } else { 0 };
    let mut parts = [missing; 3];
    for (part, number) in parts.iter_mut().zip(&version.numbers) {
        *part = number.parse().ok().filter(|&part| part != u64::MAX)?;
    }

    let mut pre = prerelease(version.stage);
    let mut build = String::new();
    if let Some(commits) = version.commits.map(significant) {
        // Semver has no version after a release and before the next; build metadata is as close as it comes.
        match version.stage {
            Stage::Release => build = format!("{commits}.dev"),
            _ => pre = format!("{pre}.dev.{commits}"),
        }
    }
    Some(Version {
        major: parts[0],
        minor: parts[1],
        patch: parts[2],
        pre: Prerelease::new(&pre).ok()?,
        build: BuildMetadata::new(&build).ok()?,
    })
}

/// The pre-release identifiers of a stage, the number on its own so that semver compares it as a number.
fn prerelease(stage: Stage<'_>) -> String {
    match stage {
        Stage::Known(milestone, number) => identifiers(milestone.name(), number),
        // `_` is not allowed in semver, and `-` cannot be in a word: no two words become one.
        Stage::Other(word, number) => identifiers(&word.to_ascii_lowercase().replace('_', "-"), number),
        Stage::Dev => "dev".to_owned(),
        Stage::Release => String::new(),
    }
}

fn identifiers(word: &str, number: Option<&str>) -> String {
    match number.map(significant) {
        Some(number) if word.is_empty() => number.to_owned(),
        Some(number) => format!("{word}.{number}"),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::DrupalVersion;

    fn semver(text: &str) -> Option<String> {
        DrupalVersion::parse(text).expect(text).to_semver().map(|version| version.to_string())
    }

    fn assert_semver(cases: &[(&str, &str)]) {
        for (drupal, expected) in cases {
            assert_eq!(semver(drupal).as_deref(), Some(*expected), "{drupal}");
        }
    }

    #[test]
    fn releases_lose_the_core_prefix_and_gain_missing_zeros() {
        assert_semver(&[
            ("8.x-1.0", "1.0.0"),
            ("1.0.0", "1.0.0"),
            ("5.0", "5.0.0"),
            ("5", "5.0.0"),
            ("7.103", "7.103.0"),
            ("01.002.0003", "1.2.3"),
        ]);
    }

    #[test]
    fn stage_numbers_become_identifiers_of_their_own() {
        assert_semver(&[
            ("2.0.0-beta10", "2.0.0-beta.10"),
            ("8.x-1.0-beta2", "1.0.0-beta.2"),
            ("10.3.0-rc1", "10.3.0-rc.1"),
            ("2.0.0-ALPHA03", "2.0.0-alpha.3"),
            ("2.0.0-alpha", "2.0.0-alpha"),
            ("10.3.0-dev", "10.3.0-dev"),
        ]);
    }

    #[test]
    fn open_parts_become_the_greatest_number() {
        let max = u64::MAX;
        assert_semver(&[
            ("3.x-dev", &format!("3.{max}.{max}-dev")),
            ("8.x-3.x-dev", &format!("3.{max}.{max}-dev")),
            ("2.1.x-dev", &format!("2.1.{max}-dev")),
            ("11.4-dev", &format!("11.4.{max}-dev")),
            ("1.0.*", &format!("1.0.{max}")),
            ("*", &format!("{max}.{max}.{max}")),
        ]);
    }

    #[test]
    fn snapshots_follow_a_prerelease_or_become_build_metadata() {
        assert_semver(&[
            ("7.x-2.0-beta1+5-dev", "2.0.0-beta.1.dev.5"),
            ("2.0.4+1-dev", "2.0.4+1.dev"),
            ("8.x-2.0+05-dev", "2.0.0+5.dev"),
        ]);
    }

    #[test]
    fn any_word_makes_a_valid_identifier() {
        assert_semver(&[
            ("1.0-patch_2", "1.0.0-patch-.2"),
            ("1.0-_", "1.0.0--"),
            ("1.0-007", "1.0.0-7"),
            ("1.0-00", "1.0.0-0"),
            ("1.0-01a", "1.0.0-01a"),
            ("1.0-5+3-dev", "1.0.0-5.dev.3"),
        ]);
    }

    #[test]
    fn a_part_too_large_for_semver_has_none() {
        assert_eq!(semver("18446744073709551616.0.0"), None);
        assert_eq!(semver("1.0.18446744073709551615"), None);
        assert_eq!(semver("1.0.18446744073709551614").as_deref(), Some("1.0.18446744073709551614"));
        assert_semver(&[("1.0-rc18446744073709551616", "1.0.0-rc.18446744073709551616")]);
    }
}

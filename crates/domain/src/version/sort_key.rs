//! Writes the order of versions down as text that compares byte by byte. The layout, in this order:
//!
//! 1. the numbers, each as [`push_number`] writes it and a `.`; missing ones are 0. What a branch or a wildcard leaves
//!    open is one `~`, which sorts after every digit;
//! 2. the stage, one digit: 1 unstable, 2 alpha, 3 beta, 4 rc, 5 any other word, 6 dev, 7 release;
//! 3. for stage 5 the word in lower case and `!`, which sorts before everything a word may contain;
//! 4. for stages 1 to 5 the number of the stage, none before 0;
//! 5. for a snapshot `+` and its number of commits.
//!
//! Each field tells its own end, so no key but those of its own snapshots begins with the key of another version: a
//! snapshot comes right after its version and before anything else.

use super::parse::{Milestone, Parsed, Stage, significant};

/// The sort key of a version. The core prefix takes no part in it.
pub(super) fn sort_key(version: &Parsed<'_>) -> String {
    let mut key = String::with_capacity(24);
    for number in &version.numbers {
        push_number(&mut key, number);
        key.push('.');
    }
    if version.is_open() {
        key.push('~');
    } else {
        for _ in version.numbers.len()..3 {
            push_number(&mut key, "0");
            key.push('.');
        }
    }
    push_stage(&mut key, version.stage);
    if let Some(commits) = version.commits {
        key.push('+');
        push_number(&mut key, commits);
    }
    key
}

/// Two digits for the length and then the significant digits, so that longer numbers are greater numbers.
fn push_number(key: &mut String, number: &str) {
    let digits = significant(number);
    key.push_str(&format!("{:02}", digits.len()));
    key.push_str(digits);
}

fn push_stage(key: &mut String, stage: Stage<'_>) {
    match stage {
        Stage::Known(milestone, number) => {
            key.push(match milestone {
                Milestone::Unstable => '1',
                Milestone::Alpha => '2',
                Milestone::Beta => '3',
                Milestone::Rc => '4',
            });
            push_stage_number(key, number);
        }
        Stage::Other(word, number) => {
            key.push('5');
            key.push_str(&word.to_ascii_lowercase());
            key.push('!');
            push_stage_number(key, number);
        }
        Stage::Dev => key.push('6'),
        Stage::Release => key.push('7'),
    }
}

/// `beta` comes before `beta0`: its number has no digits.
fn push_stage_number(key: &mut String, number: Option<&str>) {
    match number {
        Some(number) => push_number(key, number),
        None => key.push_str("00"),
    }
}

#[cfg(test)]
mod tests {
    use crate::DrupalVersion;

    fn key(text: &str) -> String {
        DrupalVersion::parse(text).expect(text).sort_key().to_owned()
    }

    fn assert_ascending(versions: &[&str]) {
        for pair in versions.windows(2) {
            let (low, high) = (key(pair[0]), key(pair[1]));
            assert!(low < high, "{} ({low}) must sort before {} ({high})", pair[0], pair[1]);
        }
    }

    #[test]
    fn the_layout_is_as_documented() {
        for (text, expected) in [
            ("10.3.0-rc1", "0210.013.010.4011"),
            ("8.x-2.0", "012.010.010.7"),
            ("2.0.4+1-dev", "012.010.014.7+011"),
            ("1.0.0-pl_2", "011.010.010.5pl_!012"),
            ("2.1.x-dev", "012.011.~6"),
            ("1.0.*", "011.010.~7"),
            ("*", "~7"),
        ] {
            assert_eq!(key(text), expected, "{text}");
        }
    }

    #[test]
    fn the_longest_key_is_as_long_as_promised() {
        let longest = key(&format!("1-{}", "w".repeat(48)));
        assert_eq!(longest.len(), DrupalVersion::MAX_SORT_KEY_LENGTH);
    }

    #[test]
    fn stages_are_in_order_up_to_the_release_and_its_snapshots() {
        assert_ascending(&[
            "0.9.9",
            "1.0.0-unstable1",
            "1.0.0-alpha1",
            "1.0.0-alpha1+1-dev",
            "1.0.0-alpha2",
            "1.0.0-beta",
            "1.0.0-beta0",
            "1.0.0-BETA2",
            "1.0.0-beta2+9-dev",
            "1.0.0-beta2+10-dev",
            "1.0.0-beta10",
            "1.0.0-rc1",
            "1.0.0-hotfix",
            "1.0.0-hotfixes",
            "1.0.0-Patch2",
            "1.0.0-patch10",
            "1.0.0-dev",
            "1.0.0",
            "1.0.0+1-dev",
            "1.0.0+12-dev",
            "1.0.1-unstable1",
        ]);
    }

    #[test]
    fn a_branch_follows_what_it_will_contain_and_precedes_the_next_one() {
        assert_ascending(&[
            "2.1.999999",
            "2.1.999999+5-dev",
            "2.1.x-dev",
            "2.1.*",
            "2.2.0-alpha1",
            "2.2.0",
            "2.x-dev",
            "2.*",
            "3.0.0-unstable1",
            "3.5.x-dev",
            "8.x-3.999",
            "8.x-3.x-dev",
            "4.0.0-alpha1",
            "11.4.99",
            "11.4-dev",
            "11.5.0-alpha1",
            "12-dev",
            "13.0.0-alpha1",
            "99999999999999999999999999.0.0",
            "*",
        ]);
    }

    #[test]
    fn versions_that_mean_the_same_share_a_key() {
        for same in [
            &["8.x-1.0", "7.x-1.0", "1.0.0", "1.0", "1", "01.00.000"][..],
            &["8.x-3.x-dev", "3.x-dev", "3-dev", "3.*-dev"],
            &["11.4-dev", "11.4.x-dev"],
            &["8.x-2.0-beta1", "2.0.0-BETA01"],
            &["8.x-2.0+3-dev", "2.0.0+03-dev"],
        ] {
            for text in same {
                assert_eq!(key(text), key(same[0]), "{text} and {}", same[0]);
            }
        }
    }

    #[test]
    fn dev_on_a_whole_legacy_version_precedes_that_version() {
        assert_ascending(&["8.x-1.0-rc1", "8.x-1.0-dev", "8.x-1.0", "8.x-1.1-dev", "8.x-1.1", "8.x-1.x-dev"]);
    }
}

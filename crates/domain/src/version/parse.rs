//! Takes a version string apart. What this module accepts is what the service accepts.

/// A version string in its parts, which borrow from it.
///
/// The grammar, where a `number` is ASCII digits and a `word` is ASCII letters, digits and `_`:
///
/// ```text
/// version  = [number ".x-"] numbers ["-" word] ["+" number "-dev"]
/// numbers  = number ["." number] ["." number]
///          | [number "."] [number "."] "*"
///          | number ["." number] ".x"            only with "-dev"
/// ```
///
/// Commits since a version (`+5-dev`) can only be counted from a version: not from a wildcard, a branch or a `-dev`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parsed<'a> {
    /// Whether it begins with a core prefix such as `8.x-`.
    pub(super) core_prefix: bool,
    /// The numbers before what ends them, none (for `*`) to three.
    pub(super) numbers: Vec<&'a str>,
    /// What the numbers end in.
    pub(super) ending: Ending,
    /// How finished it is; [`Stage::Release`] without a suffix.
    pub(super) stage: Stage<'a>,
    /// Commits since the version that the rest describes: the `5` of `1.0+5-dev`.
    pub(super) commits: Option<&'a str>,
}

/// What the numbers of a version end in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// A number: `1.0`.
    Number,
    /// A wildcard: `1.*`.
    Wildcard,
    /// A branch: `1.x`.
    Branch,
}

/// How finished a version is, from the suffix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage<'a> {
    /// One of Drupal's own stages, with its number if it has one: `beta10`.
    Known(Milestone, Option<&'a str>),
    /// Any other word, split from the number that it ends in: `patch_2`.
    Other(&'a str, Option<&'a str>),
    /// The word `dev`.
    Dev,
    /// No suffix.
    Release,
}

/// The stages before a release that drupal.org knows, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Milestone {
    Unstable,
    Alpha,
    Beta,
    Rc,
}

impl Milestone {
    /// The word for it in a version, in lower case.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unstable => "unstable",
            Self::Alpha => "alpha",
            Self::Beta => "beta",
            Self::Rc => "rc",
        }
    }
}

impl Parsed<'_> {
    /// Whether the numbers name a branch, or all of it, and not one version of it.
    ///
    /// With a core prefix two numbers are a whole version, so `8.x-1.0-dev` is on the way to 1.0; without one a version
    /// has three, so `11.4-dev` is the 11.4 branch.
    pub(super) fn is_open(&self) -> bool {
        let whole = if self.core_prefix { 2 } else { 3 };
        self.ending != Ending::Number || (self.stage == Stage::Dev && self.numbers.len() < whole)
    }
}

/// Parses a version, or `None` where the grammar does not allow the string. The length is the caller's to check.
pub(super) fn parse(text: &str) -> Option<Parsed<'_>> {
    let (core_prefix, rest) = split_core_prefix(text);
    let (rest, commits) = match rest.split_once('+') {
        Some((version, tail)) => (version, Some(number(tail.strip_suffix("-dev")?)?)),
        None => (rest, None),
    };
    let (rest, stage) = match rest.split_once('-') {
        Some((numbers, word)) => (numbers, parse_stage(word)?),
        None => (rest, Stage::Release),
    };
    let (numbers, ending) = parse_numbers(rest)?;

    let is_dev = stage == Stage::Dev;
    if ending == Ending::Branch && !is_dev {
        return None;
    }
    if commits.is_some() && (is_dev || ending != Ending::Number) {
        return None;
    }
    Some(Parsed { core_prefix, numbers, ending, stage, commits })
}

/// Splits `8.x-` off `8.x-1.0`. In `3.x-dev` the `3.x` is the version itself, so what follows decides.
fn split_core_prefix(text: &str) -> (bool, &str) {
    match text.split_once(".x-") {
        Some((core, rest)) if number(core).is_some() && rest.starts_with(|c: char| c.is_ascii_digit() || c == '*') => {
            (true, rest)
        }
        _ => (false, text),
    }
}

fn parse_numbers(text: &str) -> Option<(Vec<&str>, Ending)> {
    let mut parts: Vec<&str> = text.split('.').collect();
    if parts.len() > 3 {
        return None;
    }
    let ending = match parts.last() {
        Some(&"*") => Ending::Wildcard,
        Some(&"x") if parts.len() > 1 => Ending::Branch,
        _ => Ending::Number,
    };
    if ending != Ending::Number {
        parts.pop();
    }
    parts.iter().all(|part| number(part).is_some()).then_some((parts, ending))
}

fn parse_stage(word: &str) -> Option<Stage<'_>> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if word.is_empty() || !word.bytes().all(is_word) {
        return None;
    }
    let (name, digits) = word.split_at(word.trim_end_matches(|c: char| c.is_ascii_digit()).len());
    let digits = number(digits);
    Some(match milestone(name) {
        Some(milestone) => Stage::Known(milestone, digits),
        None if word.eq_ignore_ascii_case("dev") => Stage::Dev,
        None => Stage::Other(name, digits),
    })
}

fn milestone(name: &str) -> Option<Milestone> {
    [Milestone::Unstable, Milestone::Alpha, Milestone::Beta, Milestone::Rc]
        .into_iter()
        .find(|milestone| milestone.name().eq_ignore_ascii_case(name))
}

fn number(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// A number without the zeros in front that mean nothing: `007` is `7`, `000` is `0`.
pub(super) fn significant(number: &str) -> &str {
    match number.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(text: &str) -> Parsed<'_> {
        parse(text).unwrap_or_else(|| panic!("{text} must be accepted"))
    }

    fn assert_refused(texts: &[&str]) {
        for text in texts {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_legacy_prerelease_is_core_prefix_numbers_and_stage() {
        let expected = Parsed {
            core_prefix: true,
            numbers: vec!["1", "0"],
            ending: Ending::Number,
            stage: Stage::Known(Milestone::Beta, Some("2")),
            commits: None,
        };
        assert_eq!(accepted("8.x-1.0-beta2"), expected);
    }

    #[test]
    fn a_snapshot_counts_commits_since_a_release_or_prerelease() {
        let snapshot = accepted("7.x-2.0-beta1+5-dev");
        assert_eq!(snapshot.stage, Stage::Known(Milestone::Beta, Some("1")));
        assert_eq!(snapshot.commits, Some("5"));
        assert_eq!(accepted("8.x-2.0+3-dev").commits, Some("3"));
        assert_eq!(accepted("1.0.0-rc1+2-dev").commits, Some("2"));
        assert_eq!(accepted("4.3.10+22-dev").stage, Stage::Release);
    }

    #[test]
    fn the_x_of_a_branch_is_not_a_core_prefix() {
        for (text, core_prefix, numbers) in [
            ("3.x-dev", false, vec!["3"]),
            ("2.1.x-dev", false, vec!["2", "1"]),
            ("8.x-1.x-dev", true, vec!["1"]),
            ("8.x-10.x-dev", true, vec!["10"]),
        ] {
            let parsed = accepted(text);
            assert_eq!(parsed.core_prefix, core_prefix, "{text}");
            assert_eq!(parsed.numbers, numbers, "{text}");
            assert_eq!(parsed.ending, Ending::Branch, "{text}");
            assert_eq!(parsed.stage, Stage::Dev, "{text}");
            assert!(parsed.is_open(), "{text}");
        }
    }

    #[test]
    fn dev_names_a_branch_only_where_numbers_are_missing() {
        for branch in ["11.4-dev", "5-dev", "8.x-3-dev", "1.0.*-dev", "1.0.*", "*"] {
            assert!(accepted(branch).is_open(), "{branch}");
        }
        for exact in ["10.3.0-dev", "8.x-1.0-dev", "5.0", "5.0-rc1", "1.0.0"] {
            assert!(!accepted(exact).is_open(), "{exact}");
        }
    }

    #[test]
    fn words_are_split_from_the_number_they_end_in() {
        for (text, stage) in [
            ("1.0-RC3", Stage::Known(Milestone::Rc, Some("3"))),
            ("1.0-alpha", Stage::Known(Milestone::Alpha, None)),
            ("1.0-unstable7", Stage::Known(Milestone::Unstable, Some("7"))),
            ("1.0-patch_2", Stage::Other("patch_", Some("2"))),
            ("1.0-beta1a", Stage::Other("beta1a", None)),
            ("1.0-5", Stage::Other("", Some("5"))),
            ("1.0-dev", Stage::Dev),
            ("1.0-dev2", Stage::Other("dev", Some("2"))),
        ] {
            assert_eq!(accepted(text).stage, stage, "{text}");
        }
    }

    #[test]
    fn wildcards_stand_for_the_last_number() {
        for (text, numbers) in [("*", vec![]), ("1.*", vec!["1"]), ("1.0.*", vec!["1", "0"]), ("8.x-*", vec![])] {
            assert_eq!(accepted(text).numbers, numbers, "{text}");
            assert_eq!(accepted(text).ending, Ending::Wildcard, "{text}");
        }
    }

    #[test]
    fn white_space_and_stray_characters_are_refused() {
        assert_refused(&[" 1.0", "1.0 ", "1.0\n", "1.0\r\n", "1. 0", "1.0\0", "8.x- 1.0"]);
        assert_refused(&["v1.0", "V1.0.0", "^1.0", "~1.0", ">=1.0", "=1.0.0", "1,0", "1.0/2", "1:1.0"]);
    }

    #[test]
    fn digits_and_letters_are_ascii() {
        assert_refused(&["\u{661}.0", "1.\u{662}", "8.x-\u{ff11}.0", "\u{668}.x-1.0"]);
        assert_refused(&["1.0-b\u{ea}ta1", "1.0-\u{e9}", "1.0-beta\u{661}", "1.0+\u{663}-dev"]);
    }

    #[test]
    fn missing_and_extra_parts_are_refused() {
        assert_refused(&["", "-", ".", "+", "1.", ".1", "1..2", "1.0.", "1.0-", "1.0--beta1", "-beta1"]);
        assert_refused(&["1.2.3.4", "1.2.3.*", "1.2.3.x-dev", "8.x-1.0.0.0", "1.0.0-beta.1", "1.0.0-beta-1"]);
        assert_refused(&["8.x-", "8.x", "8.x-beta1", "x-1.0", ".x-1.0", "8.x-8.x-1.0", "8.1.x-1.0"]);
    }

    #[test]
    fn a_branch_needs_dev_and_a_wildcard_comes_last() {
        assert_refused(&["x-dev", "dev", "dev-main", "3.x", "8.x-1.x", "3.x-beta1", "3.X-dev", "1.x.0-dev"]);
        assert_refused(&["1.*.0", "1.**", "*.1", "**", "*.x-dev"]);
    }

    #[test]
    fn commits_are_counted_from_a_version_only() {
        assert_refused(&[
            "1.0+",
            "1.0+5",
            "1.0+-dev",
            "1.0+a-dev",
            "1.0+5-beta1",
            "1.0.0+build",
            "+5-dev",
            "1.0-+5-dev",
        ]);
        assert_refused(&["1.0+5-dev-dev", "1.0+5+6-dev", "1.0-dev+5-dev", "3.x-dev+5-dev", "1.0.*+5-dev", "3.x+5-dev"]);
    }

    #[test]
    fn zeros_in_front_are_not_significant() {
        assert_eq!(significant("007"), "7");
        assert_eq!(significant("000"), "0");
        assert_eq!(significant("100"), "100");
    }
}

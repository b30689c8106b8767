//! What holds for every version: what is accepted, the order, the sort key and the semver.

use std::cmp::Ordering;

use module_monitor_domain::{CoreVersion, DrupalVersion, PhpVersion};
use proptest::prelude::*;
use proptest::sample::select;

/// The words of the stages in their order; a release comes after them all. `dev` is left out: it may name a branch.
const STAGES: [&str; 6] = ["unstable", "alpha", "beta", "rc", "hotfix", "patch_"];

/// A number below the open end of a branch, and that end.
type Number = u128;
const OPEN: Number = Number::MAX;

/// A version written from its parts, with the order that the rules give it, worked out without the sort key:
/// the three numbers, the stage (9 release, 8 dev), the number of the stage, the commits.
#[derive(Clone, Debug)]
struct Written {
    text: String,
    order: ([Number; 3], usize, Option<Number>, Option<Number>),
}

fn version(text: &str) -> DrupalVersion {
    DrupalVersion::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn any_number() -> impl Strategy<Value = Number> {
    prop_oneof![6 => 0..4u128, 2 => 0..120u128, 1 => 0..1_000_000_000_000_000u128]
}

fn core_prefix() -> impl Strategy<Value = &'static str> {
    select(vec!["", "", "8.x-", "7.x-", "10.x-"])
}

fn join(numbers: &[Number]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
}

fn padded(numbers: &[Number], missing: Number) -> [Number; 3] {
    let mut padded = [missing; 3];
    padded[..numbers.len()].copy_from_slice(numbers);
    padded
}

/// Releases, pre-releases of the first `stages` words (always with a number), and snapshots of both.
fn exact(stages: usize) -> impl Strategy<Value = Written> {
    let stage = prop::option::of((0..stages, any_number()));
    let numbers = prop::collection::vec(any_number(), 1..=3);
    (core_prefix(), numbers, stage, prop::option::of(any_number())).prop_map(|(core, numbers, stage, commits)| {
        let suffix = stage.map(|(stage, number)| format!("-{}{number}", STAGES[stage]));
        let snapshot = commits.map(|commits| format!("+{commits}-dev"));
        Written {
            text: format!("{core}{}{}{}", join(&numbers), suffix.unwrap_or_default(), snapshot.unwrap_or_default()),
            order: (padded(&numbers, 0), stage.map_or(9, |(stage, _)| stage), stage.map(|(_, number)| number), commits),
        }
    })
}

/// Dev branches as `2.1.x-dev` and, without a core prefix, as `2.1-dev`; and `2.1.*`.
fn branch() -> impl Strategy<Value = Written> {
    (core_prefix(), prop::collection::vec(any_number(), 1..=2), 0..3).prop_map(|(core, numbers, form)| {
        let dev = padded(&numbers, OPEN);
        let joined = join(&numbers);
        let (text, stage) = match form {
            0 => (format!("{core}{joined}.x-dev"), 8),
            1 => (format!("{joined}-dev"), 8),
            _ => (format!("{core}{joined}.*"), 9),
        };
        Written { text, order: (dev, stage, None, None) }
    })
}

/// Whole versions on their way: `10.3.0-dev`, and `8.x-1.0-dev`.
fn exact_dev() -> impl Strategy<Value = Written> {
    prop_oneof![
        prop::collection::vec(any_number(), 3).prop_map(|numbers| ("", numbers)),
        prop::collection::vec(any_number(), 2).prop_map(|numbers| ("8.x-", numbers)),
    ]
    .prop_map(|(core, numbers)| Written {
        text: format!("{core}{}-dev", join(&numbers)),
        order: (padded(&numbers, 0), 8, None, None),
    })
}

fn within_limit(written: &Written) -> bool {
    written.text.len() <= DrupalVersion::MAX_LENGTH
}

fn any_written() -> impl Strategy<Value = Written> {
    prop_oneof![4 => exact(STAGES.len()), 2 => branch(), 1 => exact_dev()].prop_filter("too long", within_limit)
}

/// Versions that semver orders as Drupal does: not `unstable`, not other words, not `-dev` on an exact version.
fn semver_ordered() -> impl Strategy<Value = Written> {
    let not_unstable = exact(4).prop_filter("unstable", |written| written.order.1 != 0);
    prop_oneof![3 => not_unstable, 1 => branch()].prop_filter("too long", within_limit)
}

/// Everything that `^(\d+\.x-)?(\d+\.)?(\d+\.)?(\*|\d+)(-\w+)?$` describes, in ASCII.
const PATTERN: &str = r"([0-9]{1,8}\.x-)?([0-9]{1,9}\.)?([0-9]{1,9}\.)?(\*|[0-9]{1,9})(-[0-9A-Za-z_]{1,12})?";

fn digits(max: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::char::range('0', '9'), 1..=max).prop_map(String::from_iter)
}

fn compare_digits(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

proptest! {
    #[test]
    fn everything_the_pattern_describes_is_accepted(text in PATTERN) {
        let version = DrupalVersion::parse(&text);
        prop_assert!(version.is_ok(), "{text}: {version:?}");
    }

    #[test]
    fn everything_written_from_parts_is_accepted_and_kept_as_written(written in any_written()) {
        let version = version(&written.text);
        prop_assert_eq!(version.to_string(), &written.text[..]);
        prop_assert_eq!(version.as_ref(), &written.text[..]);
        prop_assert_eq!(written.text.parse(), Ok(version));
    }

    #[test]
    fn no_string_makes_a_parser_panic(text in any::<String>()) {
        for accepted in [
            DrupalVersion::parse(&text).map(|version| version.to_string()).ok(),
            CoreVersion::parse(&text).map(|version| version.to_string()).ok(),
            PhpVersion::parse(&text).map(|version| version.to_string()).ok(),
        ].into_iter().flatten() {
            prop_assert_eq!(accepted, &text[..]);
        }
    }

    #[test]
    fn near_misses_neither_panic_nor_break_the_bounds(text in r"[0-9x.*+_a-e-]{0,52}") {
        if let Ok(version) = DrupalVersion::parse(&text) {
            prop_assert!(text.len() <= DrupalVersion::MAX_LENGTH);
            prop_assert!(version.sort_key().is_ascii());
            version.to_semver();
        }
    }

    #[test]
    fn a_character_foreign_to_versions_spoils_any_version(
        text in PATTERN,
        foreign in any::<char>().prop_filter("foreign", |c| !c.is_ascii_alphanumeric() && !"._*+-".contains(*c)),
        at in any::<prop::sample::Index>(),
    ) {
        let at = at.index(text.len() + 1);
        let spoiled = format!("{}{foreign}{}", &text[..at], &text[at..]);
        prop_assert!(DrupalVersion::parse(&spoiled).is_err(), "{spoiled:?}");
    }

    #[test]
    fn the_sort_key_is_the_order_of_the_rules(a in any_written(), b in any_written()) {
        let (left, right) = (version(&a.text), version(&b.text));
        let keys = left.sort_key().as_bytes().cmp(right.sort_key().as_bytes());
        prop_assert_eq!(keys, a.order.cmp(&b.order), "{} ({}) and {} ({})", left, left.sort_key(), right, right.sort_key());
    }

    #[test]
    fn the_order_is_the_sort_key_and_then_the_string(a in any_written(), b in any_written()) {
        let (left, right) = (version(&a.text), version(&b.text));
        let expected = left.sort_key().cmp(right.sort_key()).then_with(|| a.text.cmp(&b.text));
        prop_assert_eq!(left.cmp(&right), expected);
        prop_assert_eq!(left == right, expected.is_eq());
    }

    #[test]
    fn the_order_is_total(a in any_written(), b in any_written(), c in any_written()) {
        let (a, b, c) = (version(&a.text), version(&b.text), version(&c.text));
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        let mut sorted = [&a, &b, &c];
        sorted.sort();
        prop_assert!(sorted[0] <= sorted[1] && sorted[1] <= sorted[2] && sorted[0] <= sorted[2]);
    }

    #[test]
    fn numbers_of_any_length_compare_as_numbers(a in digits(48), b in digits(48), position in 0..3usize) {
        let place = |number: &str| match position {
            0 => number.to_owned(),
            1 => format!("1.{number}"),
            _ => format!("1-b{number}"),
        };
        prop_assume!(place(&a).len() <= 50 && place(&b).len() <= 50);
        let (left, right) = (version(&place(&a)), version(&place(&b)));
        prop_assert_eq!(left.sort_key().cmp(right.sort_key()), compare_digits(&a, &b));
    }

    #[test]
    fn the_sort_key_is_ascii_and_bounded_for_the_longest_versions(text in r"[0-9]{1,46}(\.[0-9]|\.\*)?-[0-9A-Za-z_]{48}") {
        let version = version(&text[..DrupalVersion::MAX_LENGTH]);
        prop_assert!(version.sort_key().is_ascii());
        prop_assert!(version.sort_key().len() <= DrupalVersion::MAX_SORT_KEY_LENGTH, "{}", version.sort_key());
    }

    #[test]
    fn a_dev_branch_follows_its_contents_and_precedes_the_next_branch(
        major in 0..1000u32, minor in 0..1000u32, patch in any::<u32>(), core in core_prefix(),
    ) {
        let ascending = [
            format!("{major}.{minor}.{patch}"),
            format!("{major}.{minor}.{patch}+{patch}-dev"),
            format!("{major}.{minor}.x-dev"),
            format!("{major}.{}.0-alpha1", minor + 1),
            format!("{major}.{}", u64::from(patch) + 2000),
            format!("{core}{major}.x-dev"),
            format!("{core}{}.0-unstable1", major + 1),
        ];
        let mut sorted = ascending.clone().map(|text| version(&text));
        sorted.sort();
        prop_assert_eq!(sorted.map(|version| version.to_string()), ascending);
    }

    #[test]
    fn semver_agrees_with_the_order(a in semver_ordered(), b in semver_ordered()) {
        let (left, right) = (version(&a.text), version(&b.text));
        if let (Some(x), Some(y)) = (left.to_semver(), right.to_semver()) {
            prop_assert_eq!(x.cmp(&y), left.sort_key().cmp(right.sort_key()), "{} is {}, {} is {}", left, x, right, y);
        }
    }

    #[test]
    fn the_only_reason_for_no_semver_is_a_number_too_large(text in PATTERN) {
        prop_assert!(version(&text).to_semver().is_some(), "{text}");
    }

    #[test]
    fn every_core_version_is_a_drupal_version(
        text in r"[0-9]{1,3}\.[0-9]{1,2}(\.[0-9]{1,2})?(-[0-9A-Za-z_]{1,8}|-dev|(-beta[0-9])?\+[0-9]-dev)?",
    ) {
        let in_full = text.split('.').count() == 3;
        let core = CoreVersion::parse(&text);
        prop_assert!(core.is_ok() || !in_full, "{text}: {core:?}");
        if let Ok(core) = core {
            let version = version(core.as_str());
            prop_assert_eq!(&version, core.as_drupal_version());
        }
    }

    #[test]
    fn php_versions_are_three_numbers_and_a_suffix(
        text in r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}([A-Za-z+~_-][A-Za-z0-9.+~_-]{0,80})?",
    ) {
        prop_assert!(PhpVersion::parse(&text).is_ok(), "{text}");
    }
}

//! Version strings that real sites run: each is accepted, kept as written, and ordered and converted as its kind says.

use std::path::Path;

use module_monitor_domain::DrupalVersion;

/// Real version strings that no `composer.lock` of the corpus has: of other cores and of rarer kinds.
const BESIDE_THE_CORPUS: &[(&str, &[&str])] = &[
    ("legacy_stable", &["7.x-2.27", "6.x-1.5"]),
    ("legacy_prerelease", &["7.x-1.0-unstable2", "7.x-3.0-alpha1"]),
    ("legacy_branch_dev", &["8.x-1.x-dev", "7.x-3.x-dev"]),
    ("legacy_dev_snapshot(+N-dev)", &["7.x-2.0-beta1+5-dev"]),
    ("semver_stable", &["5.0", "7.103"]),
    ("semver_prerelease", &["10.3.0-rc1", "11.0.0-beta1"]),
    ("semver_branch_dev", &["3.x-dev", "1.x-dev"]),
    ("semver_minor_branch_dev", &["2.0.x-dev", "11.4-dev"]),
    ("semver_dev_snapshot(+N-dev)", &["1.0.0-rc1+2-dev"]),
    ("wildcard", &["1.0.*", "2.*"]),
];

#[test]
fn versions_beside_the_corpus_are_understood() {
    let versions = BESIDE_THE_CORPUS.iter().flat_map(|(kind, texts)| texts.iter().map(move |text| (*text, *kind)));
    for (text, kind) in versions {
        assert_understood(text, kind);
    }
}

#[test]
fn every_version_of_the_corpus_is_understood() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/version_corpus.tsv");
    let corpus = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut checked = 0;
    for line in corpus.lines().skip(1).filter(|line| !line.is_empty()) {
        let mut columns = line.split('\t');
        let (Some(text), Some(_), Some(kind)) = (columns.next(), columns.next(), columns.next()) else {
            panic!("three columns expected: {line:?}");
        };
        assert_understood(text, kind);
        checked += 1;
    }
    assert_eq!(checked, 351);
}

#[test]
fn real_versions_sort_as_they_were_released() {
    let released = [
        "0.2.1",
        "8.x-1.0-alpha4",
        "8.x-1.0-alpha14",
        "1.0.0-beta9",
        "8.x-1.0-rc17",
        "8.x-1.0",
        "1.0.0+20-dev",
        "8.x-1.2-beta1",
        "8.x-1.2",
        "8.x-1.2+4-dev",
        "8.x-1.12",
        "8.x-1.x-dev",
        "2.0.0-alpha0",
        "8.x-2.0-beta1+5-dev",
        "2.0.0-beta10",
        "2.0.4+1-dev",
        "2.0.x-dev",
        "2.18.5",
        "3.0.0-rc21",
        "8.x-3.0+15-dev",
        "3.x-dev",
        "5.1.x-dev",
        "10.3.0-rc1",
        "10.3.6",
        "11.4.4",
        "11.4-dev",
    ];
    let mut sorted = released.map(|text| DrupalVersion::parse(text).expect(text));
    sorted.reverse();
    sorted.sort();
    assert_eq!(sorted.map(|version| version.to_string()), released);
}

/// Asserts what the kind of a version promises about it.
fn assert_understood(text: &str, kind: &str) {
    let version = DrupalVersion::parse(text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(version.to_string(), text);
    assert!(version.sort_key().len() <= DrupalVersion::MAX_SORT_KEY_LENGTH);

    let semver = version.to_semver().unwrap_or_else(|| panic!("{text} must have a semver"));
    let plain = text.split_once(".x-").filter(|_| kind.starts_with("legacy_")).map_or(text, |(_, rest)| rest);
    let in_semver = DrupalVersion::parse(plain).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(in_semver.sort_key(), version.sort_key(), "{text}: the core prefix takes no part in the order");

    assert_eq!(version.is_dev(), kind.contains("dev"), "{text} ({kind})");
    if kind.ends_with("_stable") {
        assert!(semver.pre.is_empty() && semver.build.is_empty(), "{text} became {semver}");
    }
    if kind.ends_with("_prerelease") {
        assert_eq!(semver.pre.split('.').count(), 2, "{text} became {semver}");
        let released = text.rsplit_once('-').map(|(release, _)| DrupalVersion::parse(release));
        assert!(released.is_some_and(|release| release.is_ok_and(|release| version < release)), "{text}");
    }
    if let Some((base, _)) = text.split_once('+') {
        let base = DrupalVersion::parse(base).unwrap_or_else(|error| panic!("{error}"));
        assert!(base < version, "{text} comes after what it was taken from");
    }
    if kind.ends_with("branch_dev") || kind == "wildcard" {
        assert_eq!(semver.patch, u64::MAX, "{text} became {semver}");
    }
}

//! Two versions, one a line: whatever is accepted has a key and a place in the order, and semver agrees where it can.

#![no_main]

use libfuzzer_sys::fuzz_target;
use module_monitor_domain::DrupalVersion;

fuzz_target!(|text: &str| {
    let (first, second) = text.split_once('\n').unwrap_or((text, "1.0.0"));
    let versions = [DrupalVersion::parse(first), DrupalVersion::parse(second)];
    for version in versions.iter().flatten() {
        check(version);
    }
    if let [Ok(a), Ok(b)] = &versions {
        compare(a, b);
    }
});

fn check(version: &DrupalVersion) {
    let key = version.sort_key();
    assert!(key.is_ascii() && key.len() <= DrupalVersion::MAX_SORT_KEY_LENGTH, "{version}: {key}");
    assert_eq!(DrupalVersion::parse(version.as_str()).as_ref(), Ok(version));
    if let Some(semver) = version.to_semver() {
        let text = semver.to_string();
        assert_eq!(semver::Version::parse(&text).ok().as_ref(), Some(&semver), "{version}");
    }
    version.is_dev();
}

fn compare(a: &DrupalVersion, b: &DrupalVersion) {
    let by_key = a.sort_key().cmp(b.sort_key());
    assert_eq!(a.cmp(b), by_key.then_with(|| a.as_str().cmp(b.as_str())), "{a} and {b}");
    assert_eq!(b.cmp(a), a.cmp(b).reverse(), "{a} and {b}");
    if !(is_ordered_in_semver(a) && is_ordered_in_semver(b)) {
        return;
    }
    if let (Some(x), Some(y)) = (a.to_semver(), b.to_semver()) {
        assert_eq!(x.cmp(&y), by_key, "{a} is {x}, {b} is {y}");
    }
}

/// Whether semver knows the order: not of `unstable`, `-dev` on an exact version and other words, which it sorts by the
/// alphabet, and not of commits since a stage without a number.
fn is_ordered_in_semver(version: &DrupalVersion) -> bool {
    let key = version.sort_key();
    let stage = key.rsplit(['.', '~']).next().unwrap_or_default();
    match stage.as_bytes() {
        [b'2'..=b'4', rest @ ..] => !rest.starts_with(b"00+"),
        [b'6', ..] => key.contains('~'),
        [b'7', ..] => true,
        _ => false,
    }
}

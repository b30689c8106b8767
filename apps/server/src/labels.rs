//! What administrators may call things, on the command line and over HTTP. Each function gives the value as it is stored,
//! or says what it must be.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// How many syncs in a window a site can be allowed.
pub(crate) const RATE_LIMITS: RangeInclusive<u32> = 1..=1_000_000;
/// After how many seconds without a report a site can be called silent: from a minute to a year.
pub(crate) const SILENT_AFTER: RangeInclusive<u32> = 60..=31_536_000;
/// The most tags of a site.
const MAX_TAGS: usize = 32;
/// What a tag is.
pub(crate) const TAG_RULE: &str = "1 to 64 of the characters a-z 0-9 . _ : - beginning with a letter or digit";

/// A name for people.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > 255 || name.chars().any(char::is_control) {
        return Err("it must have 1 to 255 characters on one line".to_owned());
    }
    Ok(name.to_owned())
}

/// A site's or a module's address.
pub(crate) fn url(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let clean = !text.chars().any(|c| c.is_control() || c.is_whitespace());
    if host.is_empty() || host.starts_with('/') || !clean || text.chars().count() > 2048 {
        return Err("it must be an address such as https://example.org, of at most 2048 characters".to_owned());
    }
    Ok(text.to_owned())
}

/// What a module does, on any number of lines.
pub(crate) fn description(text: &str) -> Result<String, String> {
    if text.is_empty() || text.chars().count() > 10_000 || text.contains('\0') {
        return Err("it must have 1 to 10000 characters, none of them U+0000".to_owned());
    }
    Ok(text.to_owned())
}

/// Something to file a site under.
pub(crate) fn tag(text: &str) -> Result<String, String> {
    let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b':' | b'-');
    let starts_well = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if !starts_well || text.len() > 64 || !text.bytes().all(inside) {
        return Err(format!("it must be {TAG_RULE}"));
    }
    Ok(text.to_owned())
}

/// Refuses more tags than a site may have.
pub(crate) fn enough(tags: BTreeSet<String>) -> Result<BTreeSet<String>, String> {
    if tags.len() > MAX_TAGS { Err(format!("a site may have at most {MAX_TAGS} tags")) } else { Ok(tags) }
}

/// A number within bounds.
pub(crate) fn within(number: u32, range: RangeInclusive<u32>) -> Result<u32, String> {
    if range.contains(&number) {
        return Ok(number);
    }
    Err(format!("it must be from {} to {}", range.start(), range.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_line_and_trimmed() {
        assert_eq!(name(" City library ").as_deref(), Ok("City library"));
        assert!(name(&"é".repeat(255)).is_ok());
        for bad in ["", " ", "a\nb", "a\0", &"é".repeat(256)] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn tags_have_no_spaces_and_no_case() {
        for good in ["a", "0", "customer:acme", "tier-1", "eu.west_2", &"a".repeat(64)] {
            assert_eq!(tag(good).as_deref(), Ok(good));
        }
        for bad in ["", "-a", ":a", "A", "a b", "a,b", "ä", "a\0", &"a".repeat(65)] {
            assert!(tag(bad).is_err(), "{bad:?}");
        }
        let tags = |n: usize| (0..n).map(|n| n.to_string()).collect();
        assert!(enough(tags(32)).is_ok() && enough(tags(33)).is_err());
    }

    #[test]
    fn addresses_are_of_the_web() {
        for good in ["https://example.org", "http://x/y?z", "https://bücher.example/"] {
            assert_eq!(url(good).as_deref(), Ok(good));
        }
        for bad in ["", "example.org", "https://", "https:///x", "ftp://x", "https://a b", "https://a\0"] {
            assert!(url(bad).is_err(), "{bad:?}");
        }
    }
}

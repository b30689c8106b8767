//! What sites are filed under.

use std::collections::BTreeSet;

use crate::checked_text::checked_text;

checked_text! {
    /// Something to file a site under, such as `customer:acme`; see [`Tag::RULE`].
    Tag, checked, TagError
}

impl Tag {
    /// What a tag is, for people.
    pub const RULE: &str = "1 to 64 of the characters a-z 0-9 . _ : - beginning with a letter or digit";
}

/// The text is not a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be {}", Tag::RULE)]
pub struct TagError;

fn checked(text: &str) -> Result<&str, TagError> {
    let first = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let inside = |b: u8| first(b) || matches!(b, b'.' | b'_' | b':' | b'-');
    let fits = text.len() <= 64 && text.bytes().next().is_some_and(first) && text.bytes().all(inside);
    fits.then_some(text).ok_or(TagError)
}

/// The tags of a site, in order, each once: at most [`Tags::MAX`] of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(BTreeSet<Tag>);

/// More tags than a site may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a site may have at most {} tags", Tags::MAX)]
pub struct TooManyTags;

impl Tags {
    /// The most tags of a site.
    pub const MAX: usize = 32;

    /// The tags of a site; fails where they are too many.
    pub fn new(tags: BTreeSet<Tag>) -> Result<Self, TooManyTags> {
        if tags.len() > Self::MAX { Err(TooManyTags) } else { Ok(Self(tags)) }
    }

    /// Each of them, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Tag> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_have_no_spaces_and_no_case() {
        for good in ["a", "0", "customer:acme", "tier-1", "eu.west_2", &"a".repeat(64)] {
            assert_eq!(Tag::parse(good).as_ref().map(Tag::as_str), Ok(good));
        }
        for bad in ["", "-a", ":a", "A", "a b", "a,b", "ä", "a\0", &"a".repeat(65)] {
            assert_eq!(Tag::parse(bad), Err(TagError), "{bad:?}");
        }
        assert!(TagError.to_string().starts_with("it must be 1 to 64 of the characters a-z"));
    }

    #[test]
    fn a_site_has_32_tags_at_most() {
        let tags = |count: usize| (0..count).map(|n| Tag::parse(&n.to_string()).unwrap()).collect();
        assert_eq!(Tags::new(tags(32)).map(|tags| tags.iter().len()), Ok(32));
        assert_eq!(Tags::new(tags(33)), Err(TooManyTags));
        assert_eq!(TooManyTags.to_string(), "a site may have at most 32 tags");
    }
}

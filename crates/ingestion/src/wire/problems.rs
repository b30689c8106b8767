//! Everything that is wrong with a body, within bounds.

use serde::Serialize;

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) to the value, or to where it is missing.
    pub pointer: String,
    /// Stable code: `required`, `type`, `length`, `format`, `choice`, `range`, `invalid`, `too-large`, `too-deep`,
    /// `nul-character` or `more-errors`.
    pub code: String,
    /// What was found and what is expected, for people.
    pub detail: String,
}

/// The most errors in one answer; one more then counts the rest.
const MAX_ERRORS: usize = 100;

/// The most characters of a message about one of them.
const MAX_DETAIL: usize = 500;

/// Collects problems. Beyond its limit it only counts them, so that no body makes an answer of its own size.
#[derive(Debug)]
pub(super) struct Problems {
    base: String,
    limit: usize,
    kept: Vec<FieldError>,
    omitted: usize,
}

impl Problems {
    /// Collects the problems of a body.
    pub(super) fn of_body() -> Self {
        Self::of(String::new(), MAX_ERRORS)
    }

    /// Collects up to `limit` problems of the value that `base` points to.
    pub(super) fn of(base: String, limit: usize) -> Self {
        Self { base, limit, kept: Vec::new(), omitted: 0 }
    }

    /// Adds a problem of the value at `place`, which is relative to the base: `name`, `dependencies/3`, or empty.
    pub(super) fn add(&mut self, place: &str, code: &str, detail: impl FnOnce() -> String) {
        if self.kept.len() == self.limit {
            self.omitted += 1;
            return;
        }
        let slash = if place.is_empty() { "" } else { "/" };
        self.kept.push(FieldError {
            pointer: format!("{}{slash}{place}", self.base),
            code: code.to_owned(),
            detail: first(detail(), MAX_DETAIL),
        });
    }

    /// Adds the problems of a part.
    pub(super) fn absorb(&mut self, part: Self) {
        let room = self.room().min(part.kept.len());
        self.omitted += part.omitted + part.kept.len() - room;
        self.kept.extend(part.kept.into_iter().take(room));
    }

    /// How many more problems it keeps.
    pub(super) fn room(&self) -> usize {
        self.limit - self.kept.len()
    }

    /// Whether nothing is wrong.
    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.omitted == 0
    }

    /// The problems, and a last entry `more-errors` that counts those beyond the limit.
    pub(super) fn into_errors(mut self) -> Vec<FieldError> {
        if self.omitted > 0 {
            self.kept.push(FieldError {
                pointer: self.base,
                code: "more-errors".to_owned(),
                detail: format!("{} more problems were found and are not listed", self.omitted),
            });
        }
        self.kept
    }
}

/// A key as a part of a JSON pointer (RFC 6901), in which `~` and `/` mean something else.
pub fn escape_pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The start of `text`, short enough to be repeated in a message.
pub(super) fn shorten(text: &str) -> String {
    first(text.to_owned(), 60)
}

/// The first `most` characters of `text`, and a mark where that is not all.
fn first(mut text: String, most: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_limit_problems_are_only_counted() {
        let mut all = Problems::of(String::new(), 3);
        all.add("a", "type", String::new);
        let mut part = Problems::of("/modules/0".to_owned(), 5);
        (0..7).for_each(|i| part.add(&format!("x/{i}"), "length", || i.to_string()));
        all.absorb(part);
        let errors = all.into_errors();
        let pointers: Vec<_> = errors.iter().map(|e| e.pointer.as_str()).collect();
        assert_eq!(pointers, ["/a", "/modules/0/x/0", "/modules/0/x/1", ""]);
        assert_eq!(errors[3].code, "more-errors");
        assert_eq!(errors[3].detail, "5 more problems were found and are not listed");
    }

    #[test]
    fn a_full_collector_formats_nothing() {
        let mut all = Problems::of(String::new(), 0);
        all.add("a", "type", || unreachable!("formatted for nothing"));
        assert!(!all.is_empty());
    }

    #[test]
    fn no_message_is_longer_than_500_characters() {
        let mut all = Problems::of(String::new(), 2);
        all.add("a", "invalid", || "é".repeat(500));
        all.add("b", "invalid", || "é".repeat(501));
        let details: Vec<String> = all.into_errors().into_iter().map(|error| error.detail).collect();
        assert_eq!(details, ["é".repeat(500), format!("{}…", "é".repeat(500))]);
    }

    #[test]
    fn pointers_are_escaped_and_quotes_are_cut() {
        assert_eq!(escape_pointer("a/b~c"), "a~1b~0c");
        assert_eq!(shorten(&"é".repeat(60)), "é".repeat(60));
        assert_eq!(shorten(&"é".repeat(61)), format!("{}…", "é".repeat(60)));
    }
}

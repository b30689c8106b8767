//! Text from sites where people read it.

use std::borrow::Cow;

/// `text` with every character written out (`\u{202e}`) that people would not see or that moves others: control characters,
/// marks of direction, spaces without width. Names come from sites, and one must not look like another.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if is_plain(c) => shown.push(c),
            // Behind a letter, so that accents of their own stay what they are.
            c => shown.extend(format!("a{c}").escape_debug().skip(1)),
        }
    }
    Cow::Owned(shown)
}

fn is_plain(c: char) -> bool {
    c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out_and_all_else_stays() {
        for plain in ["Views UI", "it's \"quoted\" \\ here", "Zürich 数据", "e\u{301}te\u{301}", "हिन्दी", ""]
        {
            assert_eq!(visible(plain), plain);
        }
        assert_eq!(visible("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(visible("to\u{200b}ken"), "to\\u{200b}ken");
        assert_eq!(visible("\u{feff}x\u{1b}[31m\n"), "\\u{feff}x\\u{1b}[31m\\n");
        assert_eq!(visible("\u{2066}\u{7f}\u{ad}"), "\\u{2066}\\u{7f}\\u{ad}");
    }
}

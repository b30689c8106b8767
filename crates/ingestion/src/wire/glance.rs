//! A body of which only the top level is read.

use std::ops::Range;

use module_monitor_domain::{ModulesHash, Scope};
use module_monitor_storage::GlancedReport;

use super::body::{Body, FIELDS};
use super::head;
use super::problems::Problems;

/// Must grow whenever the same bytes of `modules` come to be read as something else: other fields, types or limits of an
/// item, or other rules for what becomes of it. A test here remembers what a sample was read as.
const DECODER: u8 = 1;

/// The hash of the text of a list of modules. BLAKE3 takes 79 µs for 490 KB, SHA-256 with the processor's instructions
/// 336 µs. It is a cryptographic hash because people trust an inventory that nobody has read again.
pub(super) fn modules_hash(list: &[u8]) -> ModulesHash {
    ModulesHash::new(DECODER, blake3::hash(list).into())
}

/// The head of a full report and the hash of its modules. `None` where anything asks for a closer look: a problem, a field
/// that is named twice or with escapes or is not known, a partial report.
///
/// Of the modules nothing is checked but that brackets and quotes pair. Whoever finds their hash again knows them to be a
/// list that was read before, and everything around it is read as ever, with an empty list in its place.
pub(super) fn glance(body: &[u8]) -> Option<GlancedReport> {
    let list = find_modules(body)?;
    let around = [&body[..list.start], b"[]", &body[list.end..]].concat();
    let mut problems = Problems::of_body();
    let around = Body::read(&around, &mut problems).ok()?;
    let head = head::read(&around.fields, &mut problems)?;
    (problems.is_empty() && head.scope == Scope::Full)
        .then(|| GlancedReport { head, modules: modules_hash(&body[list]) })
}

/// Where the list `modules` stands in an object, of which each field is known and named once.
fn find_modules(body: &[u8]) -> Option<Range<usize>> {
    let mut cursor = Cursor { bytes: body, at: 0 };
    let (mut seen, mut list) = ([false; FIELDS.len()], None);
    cursor.expect(b'{')?;
    loop {
        let name = cursor.token(Cursor::string)?;
        let name = &body[name.start + 1..name.end - 1];
        let field = FIELDS.iter().position(|known| known.as_bytes() == name)?;
        if std::mem::replace(&mut seen[field], true) {
            return None;
        }
        cursor.expect(b':')?;
        let value = cursor.token(Cursor::value)?;
        if name == b"modules" {
            list = Some(value).filter(|value| body[value.start] == b'[');
        }
        match cursor.token(Cursor::byte).map(|mark| body[mark.start])? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    cursor.space();
    list.filter(|_| cursor.at == body.len())
}

/// Goes over JSON. Of what is none it finds something or nothing, within its bounds.
///
/// One loop for strings within the loop for what is around them: 272 µs for 490 KB. One loop that remembers where it is
/// takes 453 µs; `memchr` in the strings, most of which are short, 286 µs; `serde_json`, as a `RawValue`, 316 µs.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Where the next token stands, white space before it left out.
    fn token(&mut self, pass: impl FnOnce(&mut Self) -> Option<()>) -> Option<Range<usize>> {
        self.space();
        let start = self.at;
        pass(self)?;
        Some(start..self.at)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        let found = self.token(Self::byte)?;
        (self.bytes[found.start] == byte).then_some(())
    }

    fn byte(&mut self) -> Option<()> {
        self.at += 1;
        (self.at <= self.bytes.len()).then_some(())
    }

    fn string(&mut self) -> Option<()> {
        if *self.bytes.get(self.at)? != b'"' {
            return None;
        }
        loop {
            self.at += 1;
            match self.bytes.get(self.at)? {
                b'"' => return self.byte(),
                b'\\' => self.at += 1,
                _ => {}
            }
        }
    }

    fn value(&mut self) -> Option<()> {
        match self.bytes.get(self.at)? {
            b'"' => self.string(),
            b'[' | b'{' => self.nested(),
            _ => {
                let rest = &self.bytes[self.at..];
                let length = rest.iter().position(|byte| matches!(byte, b',' | b'}' | b' ' | b'\t' | b'\n' | b'\r'))?;
                self.at += length;
                (length > 0).then_some(())
            }
        }
    }

    fn nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.bytes.get(self.at)? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_found_wherever_it_stands() {
        for (body, list) in [
            (r#"{"modules":[]}"#, "[]"),
            ("\n{ \"modules\" :\t[ {} ] \r}\n", "[ {} ]"),
            (r#"{"modules":[["]","\"]",{"a":"\\"}]],"facts":[1]}"#, r#"[["]","\"]",{"a":"\\"}]]"#),
            (r#"{"facts":{"modules":[1]},"php_version":null,"modules":[2],"site_info":-1.5e3}"#, "[2]"),
        ] {
            assert_eq!(find_modules(body.as_bytes()).map(|place| &body[place]), Some(list), "{body}");
        }
    }

    #[test]
    fn whatever_is_not_plain_is_not_looked_at() {
        for body in [
            "",
            " ",
            "{",
            "{}",
            "[]",
            r#"{"modules""#,
            r#"{"modules":"#,
            r#"{"modules":["#,
            r#"{"modules":["\"#,
            r#"{"modules":[]"#,
            r#"{"modules":[],"#,
            r#"{"modules":[],}"#,
            r#"{"modules":[]}}"#,
            r#"{"modules":[];"facts":1}"#,
            r#"{"modules":{}}"#,
            r#"{"modules":null}"#,
            r#"{"modules":}"#,
            r#"{"modules" []}"#,
            r#"{modules:[]}"#,
            r#"{"facts":1}"#,
            r#"{"modules":[],"modules":[]}"#,
            r#"{"modules":[],"facts":1,"facts":1}"#,
            r#"{"modules":[],"mo\u0064ules":[]}"#,
            r#"{"modules":[],"other":1}"#,
        ] {
            assert_eq!(find_modules(body.as_bytes()), None, "{body}");
        }
    }
}

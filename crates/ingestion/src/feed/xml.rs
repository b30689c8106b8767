//! Reading XML element by element, within limits.

use std::io::{BufRead, Take};

use quick_xml::errors::SyntaxError;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::{Error as XmlError, Reader};

use super::error::{FeedError, one_line};

/// How large a document may be, in bytes; Drupal's own history, the largest, has about 500 KB.
pub(super) const DOCUMENT_LIMIT: u64 = 16 << 20;
/// How deep elements may be nested; histories need seven levels.
const DEPTH_LIMIT: usize = 32;
/// How long the text of an element may be, in bytes.
pub(super) const TEXT_LIMIT: usize = 16 << 10;

/// An element that has been opened.
pub(super) struct Element {
    /// Its name with its prefix.
    pub(super) name: String,
    /// Its attribute `covered`.
    pub(super) covered: Option<String>,
}

enum Node {
    Open(Element),
    Text(String),
    Close,
    End,
}

/// A document that is read once, from its first byte to its last. Holds no more of it than one tag or text.
pub(super) struct Document<R> {
    reader: Reader<Take<R>>,
    buffer: Vec<u8>,
    depth: usize,
}

impl<R: BufRead> Document<R> {
    pub(super) fn new(source: R) -> Self {
        // One byte more, so that a document at the limit differs from one beyond it.
        let mut reader = Reader::from_reader(source.take(DOCUMENT_LIMIT + 1));
        reader.config_mut().expand_empty_elements = true;
        Self { reader, buffer: Vec::new(), depth: 0 }
    }

    /// Where the reader is, in bytes from the beginning.
    pub(super) fn position(&self) -> u64 {
        self.reader.buffer_position()
    }

    /// The next child of the open element; `None` once that is closed.
    pub(super) fn child(&mut self) -> Result<Option<Element>, FeedError> {
        loop {
            match self.next()? {
                Node::Open(element) => return Ok(Some(element)),
                Node::Close => return Ok(None),
                Node::Text(_) => {}
                Node::End => return Err(FeedError::Truncated(self.position())),
            }
        }
    }

    /// The text of the open element, without that of its children. Closes it.
    pub(super) fn text(&mut self) -> Result<String, FeedError> {
        let mut text = String::new();
        loop {
            match self.next()? {
                Node::Text(more) => text.push_str(&more),
                Node::Open(_) => self.skip()?,
                Node::Close => return Ok(text),
                Node::End => return Err(FeedError::Truncated(self.position())),
            }
            if text.len() > TEXT_LIMIT {
                return Err(FeedError::TooMuch { what: "bytes of text", limit: TEXT_LIMIT, at: self.position() });
            }
        }
    }

    /// Passes over the rest of the open element. Closes it.
    pub(super) fn skip(&mut self) -> Result<(), FeedError> {
        let outside = self.depth - 1;
        while self.depth > outside {
            if matches!(self.next()?, Node::End) {
                return Err(FeedError::Truncated(self.position()));
            }
        }
        Ok(())
    }

    /// The element that holds all others.
    pub(super) fn root(&mut self) -> Result<Element, FeedError> {
        loop {
            match self.next()? {
                Node::Open(element) => return Ok(element),
                Node::Text(text) if text.trim().is_empty() => {}
                Node::Text(_) => return Err(FeedError::NotAHistory("it does not begin like XML".to_owned())),
                Node::Close => return Err(self.broken("an element is closed that was not opened")),
                Node::End if self.position() == 0 => {
                    return Err(FeedError::NotAHistory("the document is empty".to_owned()));
                }
                Node::End => return Err(FeedError::Truncated(self.position())),
            }
        }
    }

    /// Sees to it that nothing follows the root.
    pub(super) fn finish(&mut self) -> Result<(), FeedError> {
        loop {
            match self.next()? {
                Node::Text(text) if text.trim().is_empty() => {}
                Node::End => return Ok(()),
                _ => return Err(self.broken("there is something behind the last element")),
            }
        }
    }

    fn next(&mut self) -> Result<Node, FeedError> {
        loop {
            self.buffer.clear();
            let event = self.reader.read_event_into(&mut self.buffer);
            // At its limit the document looks as if it ended there, which is not what is wrong with it.
            if self.reader.get_ref().limit() == 0 {
                return Err(FeedError::TooLarge(DOCUMENT_LIMIT));
            }
            let at = self.reader.buffer_position();
            return Ok(match event.map_err(|error| explain(&error, self.reader.error_position(), at))? {
                Event::Start(tag) => {
                    self.depth += 1;
                    if self.depth > DEPTH_LIMIT {
                        return Err(FeedError::TooMuch { what: "levels of elements", limit: DEPTH_LIMIT, at });
                    }
                    Node::Open(element(&tag, at)?)
                }
                Event::End(_) => {
                    self.depth -= 1;
                    Node::Close
                }
                Event::Text(text) => Node::Text(allowed(&text.xml10_content(), at)?),
                Event::CData(text) => Node::Text(allowed(&text.xml10_content(), at)?),
                Event::GeneralRef(name) => Node::Text(allowed(&resolve(&name, at)?, at)?),
                Event::Decl(declaration) => {
                    utf8_only(&declaration)?;
                    continue;
                }
                Event::DocType(_) => return Err(FeedError::Doctype(at)),
                Event::Eof => Node::End,
                Event::Empty(_) | Event::Comment(_) | Event::PI(_) => continue,
            });
        }
    }

    fn broken(&self, why: &str) -> FeedError {
        FeedError::Broken { why: why.to_owned(), at: self.position() }
    }
}

fn element(tag: &BytesStart<'_>, at: u64) -> Result<Element, FeedError> {
    let broken = |error: &dyn std::fmt::Display| FeedError::Broken { why: one_line(&error.to_string()), at };
    let mut covered = None;
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|error| broken(&error))?;
        if attribute.key.as_ref() == "covered" {
            covered = Some(attribute.value.into_owned());
        }
    }
    Ok(Element { name: tag.name().as_ref().to_owned(), covered })
}

/// XML knows a few characters that no text may have; databases know one of them.
fn allowed(text: &str, at: u64) -> Result<String, FeedError> {
    let forbidden = |c: char| matches!(c, '\0'..='\x1f') && !matches!(c, '\t' | '\n' | '\r');
    match text.chars().find(|c| forbidden(*c)) {
        Some(c) => Err(FeedError::Broken { why: format!("the character {c:?} is not allowed in XML"), at }),
        None => Ok(text.to_owned()),
    }
}

fn resolve(name: &BytesRef<'_>, at: u64) -> Result<String, FeedError> {
    let character = name.resolve_char_ref();
    if let Some(character) = character.map_err(|error| FeedError::Broken { why: one_line(&error.to_string()), at })? {
        return Ok(character.to_string());
    }
    let entity = quick_xml::escape::resolve_predefined_entity(name);
    entity.map(str::to_owned).ok_or_else(|| FeedError::Entity { name: one_line(name), at })
}

fn utf8_only(declaration: &BytesDecl<'_>) -> Result<(), FeedError> {
    match declaration.encoding() {
        Some(Ok(name)) if !name.eq_ignore_ascii_case("utf-8") => Err(FeedError::Encoding(one_line(&name))),
        _ => Ok(()),
    }
}

/// `error` happened at `began`; the document was read up to `at`.
fn explain(error: &XmlError, began: u64, at: u64) -> FeedError {
    match error {
        XmlError::Io(error) => FeedError::Read(one_line(&error.to_string())),
        XmlError::Syntax(error @ SyntaxError::InvalidBangMarkup) => {
            FeedError::Broken { why: error.to_string(), at: began }
        }
        // All others say that something was not closed when the document ended.
        XmlError::Syntax(_) => FeedError::Truncated(at),
        XmlError::Encoding(_) => FeedError::Encoding("something else".to_owned()),
        error => FeedError::Broken { why: one_line(&error.to_string()), at: began },
    }
}

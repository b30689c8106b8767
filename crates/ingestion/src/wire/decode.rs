//! Decoding the fields of an object, each on its own, so that one wrong field hides no other.

use std::borrow::Cow;
use std::cell::Cell;

use module_monitor_domain::{
    CodeSource, CoreVersion, Extension, MachineName, ModuleType, NameError, PhpVersion, PlatformVersionError,
    ProjectName, Scope,
};
use serde_json::value::RawValue;

use super::json::{FirstItems, Kind, describe, for_each_member, text};
use super::problems::{Problems, shorten};

/// The known fields of an object, not decoded yet. Of a repeated key the last one counts, as in PHP's `json_decode`.
pub(super) struct Fields<'a> {
    names: &'static [&'static str],
    values: Vec<Option<&'a RawValue>>,
    /// The one behind the last that was asked for.
    next: Cell<usize>,
}

impl<'a> Fields<'a> {
    /// Finds the fields `names` in the text of an object. Fails if it is none.
    pub(super) fn parse(object: &'a str, names: &'static [&'static str]) -> Result<Self, serde_json::Error> {
        let mut values = vec![None; names.len()];
        let mut next = 0;
        for_each_member(object, |key, value| {
            if let Some(slot) = position(names, key, next) {
                values[slot] = Some(value);
                next = slot + 1;
            }
        })?;
        Ok(Self { names, values, next: Cell::default() })
    }

    /// The field as it was sent, `null` included.
    pub(super) fn sent(&self, name: &str) -> Option<&'a RawValue> {
        let slot = position_of(self.names, name, self.next.get())?;
        self.next.set(slot + 1);
        self.values[slot]
    }

    /// An optional field: `null` and absent are the same.
    pub(super) fn optional<T: Decode>(&self, name: &str, problems: &mut Problems) -> Option<T> {
        let raw = self.sent(name).filter(|raw| Kind::of(raw) != Kind::Null)?;
        T::decode(raw, name, problems)
    }

    /// A required field; `None` once the reason is among the problems.
    pub(super) fn required<T: Decode>(&self, name: &str, problems: &mut Problems) -> Option<T> {
        if self.sent(name).is_none_or(|raw| Kind::of(raw) == Kind::Null) {
            let found = if self.sent(name).is_some() { "null" } else { "missing" };
            problems.add(name, "required", || format!("{name} is required, but it is {found}"));
        }
        self.optional(name, problems)
    }

    /// A field that must be there and may be `null`; `None` once the reason is among the problems.
    pub(super) fn nullable<T: Decode>(&self, name: &str, problems: &mut Problems) -> Option<Option<T>> {
        let Some(raw) = self.sent(name) else {
            problems.add(name, "required", || {
                format!("{name} is required, but it is missing; send null where the site does not know it")
            });
            return None;
        };
        if Kind::of(raw) == Kind::Null {
            return Some(None);
        }
        T::decode(raw, name, problems).map(Some)
    }
}

/// Where `key` stands among `names`; a key that is written with escapes counts as what it means.
fn position(names: &[&str], key: &RawValue, next: usize) -> Option<usize> {
    position_of(names, &text(key)?, next)
}

/// Where `name` stands among `names`. Fields are sent and asked for in much the same order, so it looks at `next` first.
fn position_of(names: &[&str], name: &str, next: usize) -> Option<usize> {
    if names.get(next).is_some_and(|known| *known == name) {
        return Some(next);
    }
    names.iter().position(|known| *known == name)
}

/// A type that a field can have.
pub(super) trait Decode: Sized {
    /// Decodes the value of the field at `place`, which is not `null`; `None` once the reason is among the problems.
    fn decode(raw: &RawValue, place: &str, problems: &mut Problems) -> Option<Self>;
}

/// Adds that the value is of the wrong JSON type.
pub(super) fn wrong_type(raw: &RawValue, place: &str, expected: &str, problems: &mut Problems) {
    problems.add(place, "type", || format!("expected {expected}, found {}", describe(raw)));
}

/// The text of what must be a string.
fn string<'a>(raw: &'a RawValue, place: &str, problems: &mut Problems) -> Option<Cow<'a, str>> {
    if Kind::of(raw) != Kind::String {
        wrong_type(raw, place, "a string", problems);
        return None;
    }
    let text = text(raw);
    if text.is_none() {
        problems.add(place, "invalid", || {
            "the string has a \\u escape that is only half of a character (a lone surrogate); send UTF-8".to_owned()
        });
    }
    text
}

impl Decode for String {
    fn decode(raw: &RawValue, place: &str, problems: &mut Problems) -> Option<Self> {
        string(raw, place, problems).map(Cow::into_owned)
    }
}

impl Decode for bool {
    fn decode(raw: &RawValue, place: &str, problems: &mut Problems) -> Option<Self> {
        let value = raw.get().parse().ok();
        if value.is_none() {
            const EXPECTED: &str = "true or false without quotes (in PHP, a comparison such as $module->status == 1)";
            wrong_type(raw, place, EXPECTED, problems);
        }
        value
    }
}

/// An integer too large for 64 bits becomes the nearest one, for the range check to find.
impl Decode for i64 {
    fn decode(raw: &RawValue, place: &str, problems: &mut Problems) -> Option<Self> {
        let json = raw.get();
        let digits = json.strip_prefix('-').unwrap_or(json);
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            wrong_type(raw, place, "a whole number (in PHP, cast with (int))", problems);
            return None;
        }
        let nearest = if digits.len() < json.len() { Self::MIN } else { Self::MAX };
        Some(json.parse().unwrap_or(nearest))
    }
}

/// A list of strings: the first ones, as many as [`StringList::LOOKED_AT`]; those of another type are `None`, and among
/// the problems.
#[derive(Default)]
pub(super) struct StringList(pub(super) Vec<Option<String>>);

impl StringList {
    /// One more than a list may have, to tell that it has too many.
    const LOOKED_AT: usize = 501;
}

impl Decode for StringList {
    fn decode(raw: &RawValue, place: &str, problems: &mut Problems) -> Option<Self> {
        let example = if place == "core_compatibility" { r#"["^10.3 || ^11"]"# } else { r#"["drupal:node"]"# };
        let expected = format!("a list of strings such as {example}");
        match Kind::of(raw) {
            Kind::Array => {}
            Kind::Object => {
                let hint = format!(
                    "{expected} (PHP writes an array as an object unless its keys are 0, 1, 2, …: send array_values($array))"
                );
                wrong_type(raw, place, &hint, problems);
                return None;
            }
            _ => {
                wrong_type(raw, place, &expected, problems);
                return None;
            }
        }
        let list: FirstItems<'_, { Self::LOOKED_AT }> = serde_json::from_str(raw.get())
            .inspect_err(|error| problems.add(place, "invalid", || error.to_string()))
            .ok()?;
        let strings = list.items.iter().enumerate().map(|(i, item)| {
            let text = Some(*item).filter(|item| Kind::of(item) == Kind::String).and_then(text);
            text.map(Cow::into_owned).or_else(|| String::decode(item, &format!("{place}/{i}"), problems))
        });
        Some(Self(strings.collect()))
    }
}

/// Implements [`Decode`] for types that are written as strings: `parse` makes one of the text, or a code and a message.
macro_rules! decode_text {
    ($($type:ty: $parse:expr),* $(,)?) => {$(
        impl Decode for $type {
            fn decode(raw: &RawValue, place: &str, problems: &mut Problems) -> Option<Self> {
                let text = string(raw, place, problems)?;
                let parse: fn(&str) -> Result<Self, (&'static str, String)> = $parse;
                parse(&text).map_err(|(code, detail)| problems.add(place, code, || detail)).ok()
            }
        }
    )*};
}

decode_text! {
    MachineName: |text| Self::parse(text).map_err(|e| name_error(e, text)),
    ProjectName: |text| Self::parse(text).map_err(|e| name_error(e, text)),
    CoreVersion: |text| Self::parse(text).map_err(platform_error),
    PhpVersion: |text| Self::parse(text).map_err(platform_error),
    ModuleType: |text| Self::from_name(text).ok_or_else(|| no_choice(text, &Self::NAMES)),
    CodeSource: |text| Self::from_name(text).ok_or_else(|| no_choice(text, &Self::NAMES)),
    Extension: |text| Self::from_name(text).ok_or_else(|| no_choice(text, &Self::NAMES)),
    Scope: |text| Self::from_name(text).ok_or_else(|| no_choice(text, &Self::NAMES)),
}

fn name_error(error: NameError, text: &str) -> (&'static str, String) {
    let code = if error == NameError::Length { "length" } else { "format" };
    (code, format!("{error}; found {:?}", shorten(text)))
}

fn platform_error(error: PlatformVersionError) -> (&'static str, String) {
    let code = match error {
        PlatformVersionError::Empty { .. } | PlatformVersionError::TooLong { .. } => "length",
        PlatformVersionError::MalformedCore { .. } | PlatformVersionError::MalformedPhp { .. } => "format",
    };
    (code, error.to_string())
}

fn no_choice(text: &str, choices: &[&str]) -> (&'static str, String) {
    let choices = choices.join(", ");
    ("choice", format!("expected one of {choices}, found {:?}", shorten(text)))
}

//! The body as a whole: is it JSON, how deep is it, and what are its fields.

use serde_json::value::RawValue;

use super::decode::{Fields, wrong_type};
use super::error::RequestError;
use super::json::{Kind, for_each_member, text};
use super::problems::{Problems, escape_pointer};
use super::scan::{MAX_DEPTH, has_nul, scan};
use super::utf8::utf8;

/// The fields a report may have; all others are ignored.
pub(super) const FIELDS: [&str; 7] =
    ["site_info", "modules", "sync_timestamp", "drupal_version", "php_version", "sync_type", "facts"];

/// Longer names are not put into a pointer.
const MAX_KEY: usize = 100;

/// A JSON object, its fields not decoded yet.
pub(super) struct Body<'a> {
    pub(super) fields: Fields<'a>,
    /// Whether U+0000 is somewhere in it.
    pub(super) has_nul: bool,
}

impl<'a> Body<'a> {
    /// Reads the outermost level of `bytes`. Problems that do not keep the fields from being looked at go to `problems`.
    pub(super) fn read(bytes: &'a [u8], problems: &mut Problems) -> Result<Self, RequestError> {
        let json = utf8(bytes).map_err(RequestError::Malformed)?;
        let found = scan(json);
        if let Some(at) = found.too_deep_at {
            let detail = || format!("arrays and objects are nested deeper than {MAX_DEPTH} levels at byte {at}");
            return Err(only_problem(|problems| problems.add("", "too-deep", detail)));
        }
        if !json.trim_start().starts_with('{') {
            return Err(no_object(json));
        }
        let fields = Fields::parse(json, &FIELDS).map_err(malformed)?;
        if found.has_nul {
            find_nul(json, &fields, problems);
        }
        Ok(Self { fields, has_nul: found.has_nul })
    }
}

fn malformed(error: serde_json::Error) -> RequestError {
    RequestError::Malformed(error.to_string())
}

/// Why `json`, which does not begin like an object, is not a report.
fn no_object(json: &str) -> RequestError {
    if json.trim().is_empty() {
        return RequestError::Malformed("it is empty".to_owned());
    }
    const EXPECTED: &str = r#"an object such as {"site_info": {}, "modules": […], …}"#;
    match serde_json::from_str::<&RawValue>(json) {
        Ok(value) => only_problem(|problems| wrong_type(value, "", EXPECTED, problems)),
        Err(error) => malformed(error),
    }
}

fn only_problem(add: impl FnOnce(&mut Problems)) -> RequestError {
    let mut problems = Problems::of_body();
    add(&mut problems);
    RequestError::Invalid(problems.into_errors())
}

/// Adds that the value at `place` holds U+0000.
pub(super) fn add_nul(place: &str, problems: &mut Problems) {
    problems.add(place, "nul-character", || {
        "holds the character U+0000 (\\u0000), which cannot be stored; remove it, for example with str_replace(\"\\0\", '', $text)"
            .to_owned()
    });
}

/// Adds every field that holds U+0000, ignored ones included. The items of `modules` are looked at one by one later.
fn find_nul(json: &str, fields: &Fields<'_>, problems: &mut Problems) {
    let looked_at_later = fields.sent("modules").filter(|modules| Kind::of(modules) == Kind::Array);
    let searched = for_each_member(json, |key, value| {
        let later = looked_at_later.is_some_and(|modules| std::ptr::eq(modules, value));
        if !has_nul(key.get()) && (later || !has_nul(value.get())) {
            return;
        }
        let name = text(key).filter(|name| !name.contains('\0') && name.chars().count() <= MAX_KEY);
        add_nul(&name.map(|name| escape_pointer(&name)).unwrap_or_default(), problems);
    });
    if let Err(error) = searched {
        problems.add("", "invalid", || error.to_string());
    }
}

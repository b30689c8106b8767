//! Everything of a report but its modules.

use module_monitor_domain::{ReportHead, SiteIdentity, SiteInfo, storable};
use serde_json::value::RawValue;
use serde_path_to_error::{Path, Segment};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::decode::{Decode, Fields, wrong_type};
use super::json::{Kind, Readable, text};
use super::problems::{Problems, escape_pointer, shorten};

/// The most bytes of JSON that `site_info` may have.
const MAX_SITE_INFO: usize = 64 * 1024;

/// The most bytes of JSON that `facts` may have.
const MAX_FACTS: usize = 8 * 1024;

/// The most characters that `environment` and `url` of `site_info` may have.
const MAX_ENVIRONMENT: usize = 255;
const MAX_URL: usize = 2_048;

/// The most bytes that a pointer into a free-form object may have; beyond, it points to the object.
const MAX_POINTER: usize = 200;

/// Decodes the fields that describe the site, and the report itself; `None` once at least one reason is among the problems.
pub(super) fn read(fields: &Fields<'_>, problems: &mut Problems) -> Option<ReportHead> {
    let site_info = fields.required("site_info", problems);
    let timestamp = fields.required::<Timestamp>("sync_timestamp", problems);
    let drupal_version = fields.required("drupal_version", problems);
    let php_version = fields.required("php_version", problems);
    let scope = fields.optional("sync_type", problems).unwrap_or_default();
    let facts = fields.optional::<Facts>("facts", problems);
    Some(ReportHead {
        scope,
        sync_timestamp: timestamp?.0,
        drupal_version: drupal_version?,
        php_version: php_version?,
        site_info: site_info?,
        facts: facts.map(|facts| facts.0),
    })
}

/// An RFC 3339 time stamp with an offset, in UTC.
struct Timestamp(OffsetDateTime);

impl Decode for Timestamp {
    fn decode(raw: &RawValue, place: &str, problems: &mut Problems) -> Option<Self> {
        let text = String::decode(raw, place, problems)?;
        let Ok(local) = OffsetDateTime::parse(&text, &Rfc3339) else {
            problems.add(place, "format", || {
                format!(
                    "expected RFC 3339 with an offset, such as 2026-01-31T09:30:00Z or 2026-01-31T10:30:00+01:00 (in PHP, date(DATE_ATOM)), found {:?}",
                    shorten(&text)
                )
            });
            return None;
        };
        let utc = storable(local);
        if utc.is_none() {
            problems.add(place, "range", || "in UTC it is not in the years 0000 to 9999".to_owned());
        }
        utc.map(Self)
    }
}

impl Decode for SiteInfo {
    fn decode(raw: &RawValue, place: &str, problems: &mut Problems) -> Option<Self> {
        const EXPECTED: &str = r#"an object such as {"name": "My site", "environment": "production"}"#;
        let json = free_form(raw, place, MAX_SITE_INFO, EXPECTED, problems)?;
        Some(Self { json, identity: identity(raw, place, problems) })
    }
}

/// What the site tells of its surroundings, as JSON.
struct Facts(String);

impl Decode for Facts {
    fn decode(raw: &RawValue, place: &str, problems: &mut Problems) -> Option<Self> {
        const EXPECTED: &str = r#"an object such as {"web_server": "nginx"}"#;
        free_form(raw, place, MAX_FACTS, EXPECTED, problems).map(Self)
    }
}

/// The text of an object of any fields, in at most `max` bytes, that can be read as a whole.
fn free_form(raw: &RawValue, place: &str, max: usize, expected: &str, problems: &mut Problems) -> Option<String> {
    if is_empty_array(raw) {
        return Some("{}".to_owned());
    }
    if Kind::of(raw) != Kind::Object {
        wrong_type(raw, place, expected, problems);
        return None;
    }
    let size = raw.get().len();
    if size > max {
        problems.add(place, "too-large", || format!("may have at most {max} bytes of JSON, found {size}"));
        return None;
    }
    let mut json = serde_json::Deserializer::from_str(raw.get());
    if let Err(error) = serde_path_to_error::deserialize::<_, Readable>(&mut json) {
        problems.add(&place_of(place, error.path()), "invalid", || format!("cannot be read: {}", error.inner()));
        return None;
    }
    Some(raw.get().to_owned())
}

/// PHP writes an empty array as `[]`, whether it was meant as a list or as an object.
fn is_empty_array(raw: &RawValue) -> bool {
    let inside = raw.get().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inside.is_some_and(|inside| inside.trim().is_empty())
}

/// Who the site says it is; what is not a string says nothing.
fn identity(site_info: &RawValue, place: &str, problems: &mut Problems) -> SiteIdentity {
    let Ok(fields) = Fields::parse(site_info.get(), &["environment", "url"]) else {
        return SiteIdentity::default();
    };
    let mut said = |name, most| {
        let text = fields.sent(name).filter(|raw| Kind::of(raw) == Kind::String).and_then(text)?;
        let found = text.chars().count();
        if found > most {
            let detail = || format!("may have at most {most} characters, found {found}");
            problems.add(&format!("{place}/{name}"), "length", detail);
        }
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    SiteIdentity { environment: said("environment", MAX_ENVIRONMENT), url: said("url", MAX_URL) }
}

fn place_of(field: &str, path: &Path) -> String {
    let mut place = field.to_owned();
    for segment in path {
        match segment {
            Segment::Seq { index } => place.push_str(&format!("/{index}")),
            Segment::Map { key } => place.push_str(&format!("/{}", escape_pointer(key))),
            Segment::Enum { .. } | Segment::Unknown => break,
        }
        if place.len() > MAX_POINTER {
            return field.to_owned();
        }
    }
    place
}

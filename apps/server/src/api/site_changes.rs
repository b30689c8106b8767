//! What may be said of a site when it is registered or changed.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use module_monitor_domain::{Environment, SiteName, SiteUrl, Tag, Tags};
use module_monitor_ingestion::FieldError;
use module_monitor_storage::SiteChange;
use serde::{Deserialize, Serialize};
use utoipa::openapi::{AllOfBuilder, ObjectBuilder, Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::fields::{Faults, given, nested};
use super::words;

/// How many syncs in a window a site can be allowed.
const RATE_LIMITS: RangeInclusive<u32> = 1..=1_000_000;
/// After how many seconds without a report a site can be called silent: from a minute to a year.
const SILENT_AFTER: RangeInclusive<u32> = 60..=31_536_000;

/// What may be changed. A field that is left out stays; one that is misspelt must not look as if it had been changed.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SiteChanges)]
pub(crate) struct Changes {
    /// What people call the site, on one line.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
    )]
    #[schema(value_type = String, required = false)]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// The site's address.
    #[schema(value_type = Option<String>, max_length = 2048)]
    #[schema(pattern = r"^https?://[^/\s\u0000-\u001f\u007f-\u009f][^\s\u0000-\u001f\u007f-\u009f]*$")]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<Option<String>>,
    /// What the site is for, such as `production`; `null` for what it reports itself.
    #[schema(
        value_type = Option<String>,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
    )]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) environment: Option<Option<String>>,
    #[schema(required = false, schema_with = words::tags_or_null)]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) tags: Option<Option<Vec<String>>>,
    /// Whether the site may report.
    #[schema(value_type = bool, required = false)]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) active: Option<bool>,
    /// How many syncs the site may send in a window; `null` for the server's default.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1_000_000)]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) rate_limit: Option<Option<u32>>,
    /// Seconds without a report after which the site is silent; `null` for 26 hours.
    #[schema(value_type = Option<u32>, minimum = 60, maximum = 31_536_000)]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) silent_after: Option<Option<u32>>,
    /// Whether reports that come from another environment or URL are refused instead of warned about.
    #[schema(value_type = bool, required = false)]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) strict_identity: Option<bool>,
    #[schema(required = false, schema_with = words::acknowledgement)]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) mass_removal: Option<bool>,
    #[schema(required = false, schema_with = words::acknowledgement)]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) conflict: Option<bool>,
}

impl Changes {
    /// The change, where all of its values are allowed.
    pub(crate) fn checked(&self) -> Result<SiteChange, Vec<FieldError>> {
        let mut faults = Faults::default();
        let change = SiteChange {
            name: self.name.as_deref().and_then(|name| faults.check("/name", SiteName::parse(name))),
            url: nested(&self.url, |url| faults.check("/url", SiteUrl::parse(url))),
            environment: nested(&self.environment, |text| faults.check("/environment", Environment::parse(text))),
            tags: self.tags.as_ref().and_then(|tags| check_tags(tags.as_deref().unwrap_or_default(), &mut faults)),
            active: self.active,
            strict_identity: self.strict_identity,
            rate_limit: nested(&self.rate_limit, |n| faults.check("/rate_limit", within(*n, RATE_LIMITS))),
            silent_after: nested(&self.silent_after, |n| faults.check("/silent_after", within(*n, SILENT_AFTER))),
            mass_removal: self.mass_removal,
            conflict: self.conflict,
        };
        for (pointer, raised) in [("/mass_removal", self.mass_removal), ("/conflict", self.conflict)] {
            if raised == Some(true) {
                faults.check(pointer, Err::<(), _>("only false, which acknowledges, can be set"));
            }
        }
        faults.finish()?;
        Ok(change)
    }

    /// For the administrators' log.
    pub(crate) fn summary(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn within(number: u32, range: RangeInclusive<u32>) -> Result<u32, String> {
    if range.contains(&number) {
        return Ok(number);
    }
    Err(format!("it must be from {} to {}", range.start(), range.end()))
}

fn check_tags(given: &[String], faults: &mut Faults) -> Option<Tags> {
    let mut tags = BTreeSet::new();
    for (n, tag) in given.iter().enumerate() {
        tags.extend(faults.check(&format!("/tags/{n}"), Tag::parse(tag)));
    }
    faults.check("/tags", Tags::new(tags))
}

/// What a site is registered with: a change of it that has a name.
pub(crate) struct NewSite;

impl PartialSchema for NewSite {
    fn schema() -> RefOr<Schema> {
        AllOfBuilder::new()
            .item(Ref::from_schema_name(Changes::name()))
            .item(ObjectBuilder::new().required("name"))
            .into()
    }
}

impl ToSchema for NewSite {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Changes::name().into_owned(), Changes::schema()));
        Changes::schemas(schemas);
    }
}

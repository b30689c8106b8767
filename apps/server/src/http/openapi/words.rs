//! Schemas of values that stand in several places.

use serde_json::Value;
use utoipa::openapi::schema::{Object, SchemaType};
use utoipa::openapi::{ObjectBuilder, Type};

use super::operation::{object, one_of};

const UPDATE_STATUSES: [&str; 8] =
    ["not_secure", "revoked", "not_supported", "not_current", "current", "not_checked", "unknown", "not_fetched"];

/// What kind of code a module is.
pub(crate) fn module_type() -> Object {
    one_of(["core", "contrib", "custom"]).build()
}

/// Module, theme or profile.
pub(crate) fn extension() -> Object {
    one_of(["module", "theme", "profile"]).build()
}

/// How a version stands against drupal.org's releases.
pub(crate) fn update_status() -> Object {
    one_of(UPDATE_STATUSES).build()
}

/// The same, or nothing.
pub(crate) fn update_status_or_null() -> Object {
    let values = UPDATE_STATUSES.map(Value::from).into_iter().chain([Value::Null]);
    let types = SchemaType::from_iter([Type::String, Type::Null]);
    ObjectBuilder::new().schema_type(types).enum_values(Some(values)).build()
}

/// What can happen to a module on a site.
pub(crate) fn module_event() -> Object {
    one_of(["installed", "version_changed", "enabled", "disabled", "removed", "restored"]).build()
}

/// `sync_` and a UUID.
pub(crate) fn sync_id() -> Object {
    object(Type::String).pattern(Some("^sync_[0-9a-f-]{36}$")).build()
}

/// What became of a report that was taken.
pub(crate) fn sync_status() -> Object {
    one_of(["succeeded"]).build()
}

/// What became of one that was not.
pub(crate) fn rejected() -> Object {
    one_of(["rejected"]).build()
}

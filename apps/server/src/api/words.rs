//! Schemas of values that stand in several places.

use module_monitor_domain::{
    AdminAction, BranchSide, CodeSource, CoverageClass, CoverageState, EventKind, Extension, Feed, ModuleType,
    Reporting, Scope, SiteEventKind, UnknownReason, UpdateStatus, WebhookEvent,
};
use module_monitor_storage::JobState;
use serde_json::Value;
use utoipa::openapi::schema::{Array, ArrayBuilder, Object, SchemaType};
use utoipa::openapi::{KnownFormat, ObjectBuilder, Ref, SchemaFormat, Type};

/// A PHP identifier. The classes name what is no part of one, because every character beyond ASCII is.
const MACHINE_NAME: &str = r"^[^\x00-@\[-^`{-~][^\x00-/:-@\[-^`{-~]*$";

/// The grammar of `DrupalVersion`: a release or wildcard, a branch, or commits since a release.
const VERSION: &str = concat!(
    r"^([0-9]+\.x-)?(",
    r"([0-9]+(\.[0-9]+){0,2}|([0-9]+\.){0,2}\*)(-[A-Za-z0-9_]+)?",
    r"|[0-9]+(\.[0-9]+)?\.x-[Dd][Ee][Vv]",
    r"|[0-9]+(\.[0-9]+){0,2}(-(?![Dd][Ee][Vv]\+)[A-Za-z0-9_]+)?\+[0-9]+-dev",
    r")$"
);

/// The grammar of `CoreVersion`: three numbers, a release of Drupal 7, or a branch.
const CORE_VERSION: &str = concat!(
    r"^([0-9]+\.[0-9]+\.[0-9]+(-[A-Za-z0-9_]+)?",
    r"|[0-9]+\.[0-9]+\.[0-9]+(-(?![Dd][Ee][Vv]\+)[A-Za-z0-9_]+)?\+[0-9]+-dev",
    r"|7\.[0-9]+|[0-9]+\.[0-9]+-[Dd][Ee][Vv])$"
);

/// The grammar of `PhpVersion`.
const PHP_VERSION: &str = r"^[0-9]+\.[0-9]+\.[0-9]+([A-Za-z+~_-][A-Za-z0-9.+~_-]*)?$";

/// A schema of that type, to be narrowed down.
pub(crate) fn object(schema_type: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Type(schema_type))
}

/// Text.
pub(crate) fn string() -> ObjectBuilder {
    object(Type::String)
}

/// `true` or `false`.
pub(crate) fn boolean() -> ObjectBuilder {
    object(Type::Boolean)
}

/// One of these words.
pub(crate) fn one_of<const N: usize>(words: [&'static str; N]) -> ObjectBuilder {
    string().enum_values(Some(words))
}

/// One of these words, or `null`.
pub(crate) fn one_of_or_null<const N: usize>(words: [&'static str; N]) -> ObjectBuilder {
    let values = words.map(Value::from).into_iter().chain([Value::Null]);
    ObjectBuilder::new().schema_type(or_null(Type::String)).enum_values(Some(values))
}

fn object_of(schema_type: SchemaType) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(schema_type)
}

fn or_null(schema_type: Type) -> SchemaType {
    SchemaType::from_iter([schema_type, Type::Null])
}

/// What kind of code a module is.
pub(crate) fn module_type() -> Object {
    one_of(ModuleType::NAMES).build()
}

/// What the administrators' log tells of.
pub(crate) fn admin_action() -> Object {
    one_of(AdminAction::NAMES).build()
}

/// A class that asks for something.
pub(crate) fn unsettled_class() -> Object {
    one_of(["insecure", "unsupported", "unknown"]).build()
}

/// The same as a filter.
pub(crate) fn class_filter() -> Object {
    one_of(["insecure", "unsupported", "unknown", "all"]).build()
}

/// Why something could not be judged, or nothing.
pub(crate) fn unknown_reason_or_null() -> Object {
    one_of_or_null(UnknownReason::NAMES).build()
}

/// The class of an extension, or none.
pub(crate) fn class_or_null() -> Object {
    one_of_or_null(CoverageClass::NAMES).build()
}

/// `true` and nothing else.
pub(crate) fn only_true() -> Object {
    boolean().enum_values(Some([true])).build()
}

/// Module, theme or profile.
pub(crate) fn extension() -> Object {
    one_of(Extension::NAMES).build()
}

/// How a version stands against drupal.org's releases.
pub(crate) fn update_status() -> Object {
    one_of(UpdateStatus::NAMES).build()
}

/// The same, or nothing.
pub(crate) fn update_status_or_null() -> Object {
    one_of_or_null(UpdateStatus::NAMES).build()
}

/// How a version stands to the branch of a bound, or nothing.
pub(crate) fn branch_or_null() -> Object {
    one_of_or_null(BranchSide::NAMES).build()
}

/// The id of a site.
pub(crate) fn site_id() -> Object {
    object(Type::Integer).minimum(Some(1)).build()
}

/// The short name of a drupal.org project.
pub(crate) fn project() -> Object {
    string().pattern(Some("^[a-z0-9_]{1,128}$")).examples(["webform"]).build()
}

/// A feed of drupal.org's release history.
pub(crate) fn feed() -> Object {
    one_of(Feed::NAMES).build()
}

/// What a project is that will be asked for.
pub(crate) fn scheduled() -> Object {
    one_of(["scheduled"]).build()
}

/// Feeds of a project.
pub(crate) fn feeds() -> Array {
    ArrayBuilder::new().items(feed()).build()
}

/// Releases that fix a security problem of an installed version, newest first.
pub(crate) fn security_releases() -> Array {
    let at = object_of(or_null(Type::String)).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    let release = object(Type::Object)
        .property("version", string())
        .property("released_at", at)
        .property("release_link", string())
        .required("version")
        .required("released_at")
        .required("release_link");
    ArrayBuilder::new().items(release).build()
}

/// Until when a Drupal core gets security releases, or `null`.
pub(crate) fn core_coverage_or_null() -> Object {
    let until = "The version whose release ends it, or a day or month; `null` where drupal.org has dropped the minor.";
    object_of(or_null(Type::Object))
        .property("state", one_of(CoverageState::NAMES))
        .property("until", object_of(or_null(Type::String)).description(Some(until)))
        .required("state")
        .required("until")
        .build()
}

/// What can happen to a module on a site.
pub(crate) fn module_event() -> Object {
    one_of(EventKind::NAMES).build()
}

/// What administrators file a site under.
pub(crate) fn tag() -> Object {
    string().pattern(Some("^[a-z0-9][a-z0-9._:-]{0,63}$")).examples(["customer:acme"]).build()
}

/// The same, or nothing.
pub(crate) fn tag_or_null() -> Object {
    object_of(or_null(Type::String)).pattern(Some("^[a-z0-9][a-z0-9._:-]{0,63}$")).examples(["customer:acme"]).build()
}

/// What a webhook is told of.
pub(crate) fn webhook_events() -> Array {
    ArrayBuilder::new().items(one_of(WebhookEvent::NAMES).build()).min_items(Some(1)).build()
}

/// What can happen to a site as a whole.
pub(crate) fn site_event() -> Object {
    one_of(SiteEventKind::NAMES).build()
}

/// All of a site's tags, or `null` for none.
pub(crate) fn tags_or_null() -> Array {
    let about = "All of the site's tags, to file it under.";
    let tags = ArrayBuilder::new().schema_type(or_null(Type::Array)).items(tag()).max_items(Some(32));
    tags.description(Some(about)).build()
}

/// What is set to `false` once somebody has seen to it.
pub(crate) fn acknowledgement() -> Object {
    boolean().enum_values(Some([false])).description(Some("`false` acknowledges it.")).build()
}

/// How a site's reports fare.
pub(crate) fn reporting() -> Object {
    one_of(Reporting::NAMES).build()
}

/// `sync_` and a UUID.
pub(crate) fn sync_id() -> Object {
    string().pattern(Some("^sync_[0-9a-f-]{36}$")).build()
}

/// What has become of a report that was taken.
pub(crate) fn sync_status() -> Object {
    one_of(JobState::NAMES).build()
}

/// What became of one that was not.
pub(crate) fn rejected() -> Object {
    one_of(["rejected"]).build()
}

/// The machine name of a module, theme or profile.
pub(crate) fn machine_name() -> Object {
    string().min_length(Some(1)).max_length(Some(255)).pattern(Some(MACHINE_NAME)).examples(["webform"]).build()
}

/// The same, or `null`.
pub(crate) fn machine_name_or_null() -> Object {
    let name = string().min_length(Some(1)).max_length(Some(255)).pattern(Some(MACHINE_NAME));
    name.schema_type(or_null(Type::String)).build()
}

/// How Composer brought a module, or `null`.
pub(crate) fn code_source() -> Object {
    one_of_or_null(CodeSource::NAMES).build()
}

/// A version of a module as a site reports it, or `null`.
pub(crate) fn reported_version() -> Object {
    let about = "A Drupal version; `null` where the site does not know it (custom code, git checkouts). `VERSION`, a branch \
                 (`2.x`, `8.x-1.x`) and, for custom code without `project`, any text are taken as not known.";
    string()
        .schema_type(or_null(Type::String))
        .min_length(Some(1))
        .max_length(Some(50))
        .description(Some(about))
        .build()
}

/// A version of a module, or `null`.
pub(crate) fn version_or_null() -> Object {
    version().schema_type(or_null(Type::String)).build()
}

/// A version of a module.
pub(crate) fn version() -> ObjectBuilder {
    string().min_length(Some(1)).max_length(Some(50)).pattern(Some(VERSION)).examples(["8.x-1.0-beta2"])
}

/// The version of a Drupal core.
pub(crate) fn core_version() -> Object {
    string().max_length(Some(50)).pattern(Some(CORE_VERSION)).examples(["10.3.6"]).build()
}

/// The version of a PHP.
pub(crate) fn php_version() -> Object {
    string().max_length(Some(100)).pattern(Some(PHP_VERSION)).examples(["8.3.15"]).build()
}

/// Free-form facts of a site.
pub(crate) fn site_info() -> Object {
    let about = "What the site tells about itself, at most 64 KiB: `environment` and `url` are shown with the site, the \
                 rest is kept. PHP's empty array, `[]`, is taken for `{}`.";
    // What is not a string is ignored, and no mistake.
    let text = |most| object_of(SchemaType::AnyValue).max_length(Some(most));
    object(Type::Object).property("environment", text(255)).property("url", text(2048)).description(Some(about)).build()
}

/// Free-form facts of a site's surroundings.
pub(crate) fn facts() -> Object {
    let about = "What the site tells of its surroundings, at most 8 KiB: its database, its web server and the like. \
                 Shown with the site as they were sent; where a report has none, the last ones stay. PHP's empty array, `[]`, is taken for `{}`.";
    object_of(or_null(Type::Object)).description(Some(about)).build()
}

/// How much of the site a report covers.
pub(crate) fn sync_type() -> Object {
    let about = "Of a `full` report, what is missing has been removed; a `partial` one says nothing of what it does not \
                 name.";
    one_of_or_null(Scope::NAMES).default(Some("full".into())).description(Some(about)).build()
}

/// The same, of a report that was accepted.
pub(crate) fn applied_sync_type() -> Object {
    one_of(Scope::NAMES).build()
}

/// What an item of a report is.
pub(crate) fn reported_extension() -> Object {
    one_of_or_null(Extension::NAMES).default(Some("module".into())).build()
}

/// A list of short texts, or `null`.
pub(crate) fn short_strings() -> Array {
    let item = string().max_length(Some(255));
    ArrayBuilder::new().schema_type(or_null(Type::Array)).items(item).max_items(Some(500)).build()
}

/// A part of a list of the shape `item`.
pub(crate) fn list_of(item: &str) -> ObjectBuilder {
    let about = "The `cursor` for the next part; `null` where this is the last.";
    let cursor = string().schema_type(or_null(Type::String)).description(Some(about));
    object(Type::Object)
        .property("items", ArrayBuilder::new().items(Ref::from_schema_name(item)))
        .property("next_cursor", cursor)
        .required("items")
        .required("next_cursor")
}

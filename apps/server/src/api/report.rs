//! The shapes of a report and of its answer. They are read and written in the ingestion crate, which knows no OpenAPI;
//! the tests below hold the two together.

use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::coverage::{Accepted, Classes, UnknownReasons};
use super::words;

/// What a site reports. Fields that are not listed are ignored; U+0000 is allowed nowhere, and nesting ends at 32.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is a shape")]
pub(crate) struct Report {
    #[schema(schema_with = words::site_info)]
    site_info: Value,
    /// What is installed. Of a name that appears twice the last item counts.
    #[schema(min_items = 1, max_items = 2000)]
    modules: Vec<ReportedModule>,
    /// When the list was made; at most 10 minutes in the future.
    sync_timestamp: OffsetDateTime,
    #[schema(schema_with = words::core_version)]
    drupal_version: String,
    #[schema(schema_with = words::php_version)]
    php_version: String,
    #[schema(required = false, schema_with = words::facts)]
    facts: Option<Value>,
    #[schema(required = false, schema_with = words::sync_type)]
    sync_type: Option<String>,
}

/// One of the modules, themes and profiles.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is a shape")]
pub(crate) struct ReportedModule {
    #[schema(schema_with = words::machine_name)]
    machine_name: String,
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    #[schema(schema_with = words::module_type)]
    r#type: String,
    #[schema(required = true, schema_with = words::reported_version)]
    version: Option<String>,
    /// Whether it is enabled.
    status: bool,
    #[schema(required = false, schema_with = words::reported_extension)]
    extension: Option<String>,
    schema_version: Option<i32>,
    #[schema(max_length = 255)]
    package: Option<String>,
    /// The drupal.org project that it came with.
    #[schema(pattern = "^[a-z0-9_]{1,128}$")]
    project: Option<String>,
    #[schema(required = false, schema_with = words::short_strings)]
    core_compatibility: Option<Vec<String>>,
    #[schema(required = false, schema_with = words::short_strings)]
    dependencies: Option<Vec<String>>,
    #[schema(max_length = 10000)]
    description: Option<String>,
    #[schema(max_length = 2048)]
    project_link: Option<String>,
    #[schema(default = true)]
    security_coverage: Option<bool>,
    /// When drupal.org packaged the release, in Unix seconds: development releases are judged by it.
    #[schema(minimum = 0, maximum = 4_102_444_800_i64)]
    datestamp: Option<i64>,
    /// Where the extension is, relative to Drupal's folder.
    #[schema(max_length = 512)]
    path: Option<String>,
    #[schema(max_length = 255)]
    composer_name: Option<String>,
    /// Taken as the version where `version` says none, unless a `dist` has a release as its reference.
    #[schema(max_length = 255)]
    composer_version: Option<String>,
    /// The commit or tag. That of a `dist` is taken as the version where `version` says none and it is one.
    #[schema(max_length = 255)]
    composer_reference: Option<String>,
    #[schema(required = false, schema_with = words::code_source)]
    source: Option<String>,
    #[schema(required = false, schema_with = words::machine_name_or_null)]
    base_theme: Option<String>,
    /// Whether Drupal keeps it out of its lists.
    hidden: Option<bool>,
    /// Whether it is enabled without its code being there; its `version` is `null`.
    missing: Option<bool>,
}

/// What a report did.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is a shape")]
pub(crate) struct SyncResult {
    /// Always true: the report has been applied.
    success: bool,
    #[schema(schema_with = words::sync_id)]
    sync_id: String,
    site_id: i64,
    /// Distinct modules accepted.
    processed_count: usize,
    /// Modules that were not on the site before, restored ones included.
    new_modules: usize,
    /// Modules whose version changed.
    updated_modules: usize,
    /// Modules that were present before and are missing from a full report.
    removed_modules: usize,
    /// Extensions in use that need a security update.
    security_updates_found: i32,
    /// Distinct projects of those.
    security_projects: i32,
    /// Extensions in use that nobody publishes security updates for any more.
    security_unsupported: i32,
    /// Extensions in use that could not be judged.
    security_unknown: i32,
    unknown_reasons: UnknownReasons,
    coverage: Classes,
    /// Of those in `secure`, how many nobody publishes advisories for.
    not_covered: i32,
    accepted: Accepted,
    /// The age of the release data behind these figures.
    security_data_as_of: Option<OffsetDateTime>,
    /// Whether the figures are about to be counted again, because something behind them has changed.
    recounting: bool,
    /// What the people who look after the site should know, in at most 16 KiB; what is more is counted in the last line.
    #[schema(max_items = 50)]
    warnings: Vec<String>,
    /// One line for each entry of `rejected`.
    #[schema(max_items = 200)]
    errors: Vec<String>,
    /// The modules that lenient handling left out, one entry for each problem, in at most 64 KiB; left out itself when
    /// empty. A warning says how many modules have no entry.
    #[schema(required = false, max_items = 200)]
    rejected: Vec<RejectedModule>,
    /// From receipt until the result was written.
    processing_time_ms: i64,
    /// When the site should report next.
    next_sync_after: OffsetDateTime,
}

/// A module that was left out.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is a shape")]
pub(crate) struct RejectedModule {
    /// JSON pointer to the value that is wrong.
    pointer: String,
    /// Its name, where it could be read.
    machine_name: Option<String>,
    /// What kind of fault it is.
    code: String,
    /// What is wrong, for people.
    #[schema(max_length = 501)]
    detail: String,
}

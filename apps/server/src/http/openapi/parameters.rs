//! The parameters in paths: one name means one thing, wherever it stands.

use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Required, Type};

use crate::api::words::object;
use crate::http::code::Code;

/// A parameter in a path.
pub(super) struct PathParameter {
    about: &'static str,
    example: &'static str,
    schema: ObjectBuilder,
    /// What a request fails with that names something which is not there.
    pub(super) missing: Code,
}

/// What `name` stands for in a path; `None` where this table lacks it, which a test does not let pass.
pub(super) fn path_parameter(name: &str) -> Option<PathParameter> {
    let parameter = |about, example, schema, missing| Some(PathParameter { about, example, schema, missing });
    let text = || object(Type::String);
    match name {
        "site_id" => parameter("The id of a site.", "17", text(), Code::SiteNotFound),
        "machine_name" => parameter("The machine name of a module.", "webform", text(), Code::ModuleNotFound),
        "key_id" => parameter("The middle part of a key.", "5c0a1e7f42d9b836", text(), Code::KeyNotFound),
        "sync_id" => parameter(
            "The `sync_id` that a report was answered with.",
            "sync_01890a5d-ac96-774b-bcce-b302099a8057",
            text(),
            Code::SyncNotFound,
        ),
        "project" => parameter("The short name of a drupal.org project.", "webform", text(), Code::ProjectNotFound),
        "acceptance_id" => parameter(
            "The id of an accepted risk.",
            "01890a5e-7a10-7e2f-8d4b-90c1f3a55e17",
            text(),
            Code::AcceptanceNotFound,
        ),
        "dead_letter_id" => parameter(
            "The `sync_id` of a dead letter.",
            "sync_01890a5e-1f2b-7c51-9a63-2f6d7c1e8b44",
            text(),
            Code::DeadLetterNotFound,
        ),
        "webhook_id" => parameter("The id of a webhook.", "3", text(), Code::WebhookNotFound),
        _ => None,
    }
}

impl PathParameter {
    pub(super) fn described(self, name: &str) -> Parameter {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some(self.about))
            .schema(Some(self.schema.min_length(Some(1))))
            .example(Some(self.example.into()))
            .build()
    }
}

/// The names of the parameters in `path`.
pub(super) fn names_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

//! How problems are described.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use super::headers;
use crate::api::words::{self, string};
use crate::http::code::Code;

/// An error, as RFC 9457 shapes it.
#[derive(ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "it is the shape that `problem::Body` writes, and a test compares them")]
pub(super) struct ProblemSchema {
    /// `urn:module-monitor:problem:` and the code.
    #[schema(format = "uri")]
    r#type: String,
    /// The same words for every problem of the code.
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened, and what to do about it.
    detail: String,
    /// The path of the request.
    instance: String,
    /// What programs should look at: it stays as it is.
    #[schema(schema_with = all_codes)]
    code: String,
    /// The id of the request in the server's log.
    request_id: String,
    /// The sync it is about, where that had been accepted; then `GET /api/v1/syncs/{sync_id}` shows it.
    #[schema(required = false, schema_with = words::sync_id)]
    sync_id: String,
    /// Everything that is wrong with what was sent; only with `validation-failed`.
    #[schema(required = false)]
    errors: Vec<FieldErrorSchema>,
}

/// One thing that is wrong with a request.
#[derive(ToSchema)]
#[schema(as = FieldError)]
#[expect(dead_code, reason = "it is the shape of the ingestion crate's FieldError")]
pub(super) struct FieldErrorSchema {
    /// JSON pointer to the value in the body, or to where it is missing; `/query/NAME` and `/header/NAME` elsewhere.
    #[schema(example = "/modules/0/version")]
    pointer: String,
    /// What kind of fault it is: `required`, `type`, `length`, `format`, ...
    #[schema(example = "format")]
    code: String,
    /// What was found and what is expected, for people.
    detail: String,
}

fn all_codes() -> Object {
    string().enum_values(Some(Code::ALL.iter().map(|code| code.as_str()))).build()
}

/// One example for each code.
pub(super) fn examples() -> Map<String, Value> {
    Code::ALL
        .iter()
        .map(|code| (code.as_str().to_owned(), json!({"summary": code.title(), "value": example(*code)})))
        .collect()
}

fn example(code: Code) -> Value {
    let mut problem = json!({
        "type": format!("urn:module-monitor:problem:{}", code.as_str()),
        "title": code.title(),
        "status": code.status().as_u16(),
        "detail": code.title(),
        "instance": "/api/v1/sites",
        "code": code.as_str(),
        "request_id": "0d1f7a52-5b0c-4e6c-8a3e-7c2b8c9f1d11",
    });
    if code == Code::ValidationFailed {
        let error = json!({"pointer": "/modules/0/version", "code": "required", "detail": "version is missing"});
        problem["errors"] = json!([error]);
    }
    problem
}

/// The answers to requests that fail with one of `codes`, by status; `more` are headers they carry beside the usual
/// ones, once the caller is known.
pub(super) fn answers(codes: &[Code], more: &[&'static str]) -> Map<String, Value> {
    let mut by_status: BTreeMap<StatusCode, Vec<Code>> = BTreeMap::new();
    for code in codes {
        let listed = by_status.entry(code.status()).or_default();
        if !listed.contains(code) {
            listed.push(*code);
        }
    }
    by_status.into_iter().map(|(status, codes)| (status.as_str().to_owned(), answer(status, &codes, more))).collect()
}

fn answer(status: StatusCode, codes: &[Code], more: &[&'static str]) -> Value {
    let names: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    let lines: Vec<String> = codes.iter().map(|code| format!("`{}`: {}.", code.as_str(), code.title())).collect();
    let examples: Map<String, Value> = names
        .iter()
        .map(|name| ((*name).to_owned(), json!({"$ref": format!("#/components/examples/{name}")})))
        .collect();
    let own = json!({"properties": {"status": {"const": status.as_u16()}, "code": {"enum": names}}});
    let more = if status == StatusCode::UNAUTHORIZED { &[] } else { more };
    json!({
        "description": lines.join("\n"),
        "headers": headers::references(headers::of_status(status).into_iter().chain(more.iter().copied())),
        "content": {"application/problem+json": {
            "schema": {"allOf": [{"$ref": "#/components/schemas/Problem"}, own]},
            "examples": examples,
        }},
    })
}

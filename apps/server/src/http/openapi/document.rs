//! The document, put together from what the routes say of themselves.

use serde_json::{Map, Value, json};
use utoipa::openapi::HttpMethod;
use utoipa::{PartialSchema, ToSchema};

use super::operation::{Access, Answer, Named, Operation};
use super::parameters::{names_in, path_parameter};
use super::problems::ProblemSchema;
use super::routes::Described;
use super::{headers, problems};
use crate::http::code::Code;

/// The headings, in the order in which a newcomer meets them.
const HEADINGS: &[(&str, &str)] = &[
    ("Reports", "What a site sends, and what became of it."),
    ("Inventory", "What a site has installed, and what happened to it."),
    ("Sites", "The sites that report, for administrators."),
    ("Keys", "Who may call, for administrators."),
    ("Registry", "The modules that all sites share, for administrators."),
    ("Security", "Which sites need a security update, for administrators."),
    ("Releases", "What drupal.org has released, for administrators."),
    ("Queue", "Reports that wait, and those that could not be applied, for administrators."),
    ("Webhooks", "Being told instead of asking, for administrators."),
    ("Audit", "Who did what, for administrators."),
    ("Server", "Health, metrics and this document."),
];

const ABOUT: &str = "\
Drupal sites report the modules they have installed; administrators ask what that means.

- JSON in UTF-8; times are RFC 3339 in UTC.
- A key goes in `X-API-Key` or in `Authorization: Bearer`. A site's key is for that site alone: everything else answers \
as if it did not exist. An admin key may do for any site what its own key may.
- Every error is an `application/problem+json` (RFC 9457) with a stable `code`.
- Lists come in parts: `limit` says how many items at most, `next_cursor` of an answer is the `cursor` for the next \
part. A part of large items ends early, once they have about 1 MiB of text.
- Unknown query parameters are refused, so that a misspelt filter does not show everything.
- `HEAD` is answered wherever `GET` is, and what an address does not take is a 405 with `Allow`.";

/// The whole document.
pub(crate) fn document(routes: Vec<Described>) -> Value {
    let mut given: Vec<Named> = vec![(ProblemSchema::name().into_owned(), ProblemSchema::schema())];
    ProblemSchema::schemas(&mut given);
    let mut taken = Vec::new();
    let mut paths = Map::new();
    let mut used = Vec::new();
    for mut route in routes {
        given.append(&mut route.operation.given);
        taken.append(&mut route.operation.taken);
        used.push(route.group);
        let item = paths.entry(route.path.as_str()).or_insert_with(|| json!({}));
        item[method_name(&route.method)] = operation(&route);
    }
    let tags = HEADINGS.iter().filter(|(name, _)| used.contains(name));
    let tags: Vec<Value> = tags.map(|(name, about)| json!({"name": name, "description": about})).collect();
    json!({
        "openapi": "3.1.1",
        "info": {"title": "module-monitor", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT},
        "servers": [{"url": "/"}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas(taken, given),
            "headers": headers::components(),
            "examples": problems::examples(),
            "securitySchemes": {
                "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A site's or an admin's key."},
                "Bearer": {"type": "http", "scheme": "bearer", "description": "The same keys."},
            },
        },
    })
}

fn method_name(method: &HttpMethod) -> &'static str {
    match method {
        HttpMethod::Post => "post",
        HttpMethod::Put => "put",
        HttpMethod::Patch => "patch",
        HttpMethod::Delete => "delete",
        _ => "get",
    }
}

fn operation(route: &Described) -> Value {
    let Operation { id, summary, about, access, parameters, body, answers, .. } = &route.operation;
    let mut codes = route.operation.codes.clone();
    let mut all = Vec::new();
    for name in names_in(&route.path) {
        if let Some(parameter) = path_parameter(name) {
            codes.push(parameter.missing);
            all.push(parameter.described(name));
        }
    }
    all.extend(parameters.iter().cloned());
    let rate_limited = codes.contains(&Code::RateLimited);
    let limits: &[&str] = if rate_limited { &["RateLimit", "RateLimit-Policy"] } else { &[] };
    let mut responses: Map<String, Value> =
        answers.iter().map(|a| (a.status.as_str().to_owned(), answer(a, limits))).collect();
    responses.extend(problems::answers(&codes, limits));
    let mut described = json!({
        "operationId": id,
        "tags": [route.group],
        "summary": summary,
        "parameters": all,
        "responses": responses,
    });
    if !about.is_empty() {
        described["description"] = json!(about);
    }
    if let Some(content) = body {
        described["requestBody"] = json!({"required": true, "content": {"application/json": content}});
    }
    described["security"] = match access {
        Access::Open => json!([]),
        Access::Site | Access::Admin => json!([{"ApiKey": []}, {"Bearer": []}]),
    };
    described
}

fn answer(answer: &Answer, limits: &[&'static str]) -> Value {
    let names = headers::of_status(answer.status).into_iter().chain(answer.headers.iter().copied());
    let mut described = json!({
        "description": answer.about,
        "headers": headers::references(names.chain(limits.iter().copied())),
    });
    if !answer.content.is_empty() {
        let content = answer.content.iter().map(|(media_type, content)| ((*media_type).to_owned(), json!(content)));
        described["content"] = Value::Object(content.collect());
    }
    described
}

/// Schemas by name.
fn schemas(taken: Vec<Named>, given: Vec<Named>) -> Map<String, Value> {
    let taken = taken.into_iter().map(|(name, schema)| (name, json!(schema)));
    let given = given.into_iter().map(|(name, schema)| {
        let mut schema = json!(schema);
        require_nullable(&mut schema);
        (name, schema)
    });
    taken.chain(given).collect()
}

/// What an answer may leave empty is `null` in it and never missing, but `utoipa` takes an `Option` to be either.
fn require_nullable(schema: &mut Value) {
    for part in schema.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
        require_nullable(part);
    }
    let nullable = |schema: &Value| {
        let null = json!("null");
        let types = schema["type"].as_array().is_some_and(|types| types.contains(&null));
        types || schema["oneOf"].as_array().is_some_and(|some| some.iter().any(|one| one["type"] == null))
    };
    let Some(properties) = schema["properties"].as_object() else { return };
    let names: Vec<Value> = properties.iter().filter(|(_, p)| nullable(p)).map(|(name, _)| json!(name)).collect();
    let required = schema.as_object_mut().map(|s| s.entry("required").or_insert_with(|| json!([])));
    if let Some(Value::Array(required)) = required {
        required.extend(names);
        required.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        required.dedup();
    }
}

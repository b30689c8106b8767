//! The server's description of itself, to hold its answers against: every answer that a test sees is one that the
//! OpenAPI document describes.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use module_monitor_server::openapi_document;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::Answer;

/// The components of the document, with all objects closed: an answer must not have a field that is not described.
static COMPONENTS: LazyLock<Value> = LazyLock::new(|| {
    let mut components = openapi_document()["components"].clone();
    let text = openapi_document().to_string();
    for (name, schema) in components["schemas"].as_object_mut().expect("schemas") {
        // A part of another schema must leave room for the rest of it.
        let is_part = text.contains(&format!(r##""allOf":[{{"$ref":"#/components/schemas/{name}"}}"##));
        let has_fields = schema.get("properties").is_some() || schema.get("allOf").is_some();
        if has_fields && !is_part {
            schema["unevaluatedProperties"] = json!(false);
        }
    }
    components
});

/// Fails where the document does not describe this answer: its status, its headers, its media type or its body.
pub fn check(method: &Method, path: &str, answer: &Answer) {
    let at = format!("{method} {path} -> {}: {}", answer.status, answer.text);
    let document = openapi_document();
    let Some(template) = template_of(path) else {
        assert_eq!(answer.status, 404, "an address that is not described: {at}");
        return;
    };
    let item = &document["paths"][template];
    let Some(operation) = item.get(described_method(method.as_str())) else {
        assert_eq!(answer.status, 405, "a method that is not described: {at}");
        return;
    };
    let Some(described) = operation["responses"].get(answer.status.to_string()) else {
        panic!("a status that is not described: {at}");
    };
    for (name, header) in described["headers"].as_object().expect("headers") {
        let component = header["$ref"].as_str().and_then(|path| path.rsplit('/').next()).expect("a reference");
        if document["components"]["headers"][component]["required"] == true {
            assert!(answer.header(name).is_some(), "no {name}: {at}");
        }
    }
    let content_type = answer.header("content-type").unwrap_or_default();
    let Some(contents) = described.get("content").and_then(Value::as_object) else {
        assert!(answer.text.is_empty(), "a body that is not described: {at}");
        return;
    };
    let essence = |media_type: &str| media_type.split(';').next().unwrap_or_default().trim().to_owned();
    let found = contents.iter().find(|(media_type, _)| essence(media_type) == essence(content_type));
    let (_, content) = found.unwrap_or_else(|| panic!("{content_type} is not described: {at}"));
    if method != Method::HEAD && essence(content_type).ends_with("json") {
        let errors = errors(&content["schema"], &answer.json());
        assert!(errors.is_empty(), "{errors:#?}: {at}");
    }
}

/// Fails where the metrics count an answer that is not described. `/metrics` counts what no client of ours has seen, too.
pub fn check_counted(metrics: &str) {
    let counted = metrics.lines().filter_map(|line| line.strip_prefix("module_monitor_http_requests_total{"));
    for line in counted {
        let label = |name: &str| {
            let (_, rest) = line.split_once(&format!("{name}=\"")).unwrap_or_else(|| panic!("no {name}: {line}"));
            rest.split('"').next().unwrap_or_default()
        };
        let (method, route, status) = (label("method"), label("route"), label("status"));
        // No route, no such method there, and nobody waited for the answer: no operation has these.
        if route == "none" || status == "405" || status == "499" {
            continue;
        }
        let responses = &openapi_document()["paths"][route][described_method(method)]["responses"];
        assert!(responses.get(status).is_some(), "{method} {route} -> {status} is not described");
    }
}

/// What is wrong with `value`, in the eyes of a schema of the document.
pub fn errors(schema: &Value, value: &Value) -> Vec<String> {
    static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let mut validators = VALIDATORS.lock().expect("no check has failed to compile a schema");
    let validator = validators.entry(schema.to_string()).or_insert_with(|| {
        let root = json!({"components": &*COMPONENTS, "allOf": [schema], "unevaluatedProperties": closed(schema)});
        let compiled = jsonschema::draft202012::options().should_validate_formats(true).build(&root);
        Arc::new(compiled.unwrap_or_else(|error| panic!("{error}: {schema}")))
    });
    let validator = Arc::clone(validator);
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Schemas that are put together where they stand are closed there.
fn closed(schema: &Value) -> Value {
    if schema.get("allOf").is_some() { json!(false) } else { json!(true) }
}

fn described_method(method: &str) -> String {
    if method == "HEAD" { "get".to_owned() } else { method.to_lowercase() }
}

/// The path of the document that `path` is an instance of, the one with fewer parameters first.
fn template_of(path: &str) -> Option<&'static String> {
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |template: &&String| {
        let segments: Vec<&str> = template.split('/').collect();
        let same = |(segment, part): (&&str, &&str)| segment == part || (segment.starts_with('{') && !part.is_empty());
        segments.len() == parts.len() && segments.iter().zip(&parts).all(same)
    };
    let paths = openapi_document()["paths"].as_object().expect("paths");
    paths.keys().filter(fits).min_by_key(|template| template.matches('{').count())
}

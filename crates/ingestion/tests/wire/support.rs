//! Bodies to start from, and short ways to ask what is wrong with them.

use module_monitor_domain::ReportedModule;
use module_monitor_ingestion::{FieldError, Handling, RequestError, SyncRequest};
use serde_json::{Value, json};

/// The smallest item there is.
pub(crate) fn item(name: &str) -> Value {
    json!({"machine_name": name, "name": "A module", "type": "contrib", "version": "1.0.0", "status": true})
}

/// A body with `items` and nothing optional.
pub(crate) fn body(items: Vec<Value>) -> Value {
    json!({
        "site_info": {},
        "modules": items,
        "sync_timestamp": "2026-01-31T09:30:00Z",
        "drupal_version": "10.3.6",
        "php_version": "8.3.0",
    })
}

/// A body with one item of which one field has that value.
pub(crate) fn body_with_field(field: &str, value: Value) -> Value {
    let mut item = item("token");
    item[field] = value;
    body(vec![item])
}

/// A body of which one top-level field has that value.
pub(crate) fn body_with(field: &str, value: Value) -> Value {
    let mut body = body(vec![item("token")]);
    body[field] = value;
    body
}

pub(crate) fn strict(body: &Value) -> Result<SyncRequest, RequestError> {
    SyncRequest::from_json(body.to_string().as_bytes(), Handling::Strict)
}

pub(crate) fn lenient(body: &Value) -> Result<SyncRequest, RequestError> {
    SyncRequest::from_json(body.to_string().as_bytes(), Handling::Lenient)
}

/// The one module of an accepted body.
pub(crate) fn only_module(body: &Value) -> ReportedModule {
    let report = strict(body).unwrap_or_else(|error| panic!("refused: {error:?}")).report;
    assert_eq!(report.modules().len(), 1);
    report.modules()[0].clone()
}

/// All errors of a body that is refused as not valid.
pub(crate) fn errors(result: Result<SyncRequest, RequestError>) -> Vec<FieldError> {
    match result {
        Err(RequestError::Invalid(errors)) => {
            let widest = errors.iter().map(|e| e.detail.chars().count().max(e.pointer.chars().count())).max();
            assert!(widest.is_some_and(|n| (1..=600).contains(&n)), "{errors:?}");
            errors
        }
        other => panic!("expected errors, got {other:?}"),
    }
}

/// Pointer and code of every error of a body, strictly handled.
pub(crate) fn problems(body: &Value) -> Vec<(String, String)> {
    problems_of(body.to_string().as_bytes())
}

/// The same, of a body as bytes.
pub(crate) fn problems_of(body: &[u8]) -> Vec<(String, String)> {
    let errors = errors(SyncRequest::from_json(body, Handling::Strict));
    errors.into_iter().map(|e| (e.pointer, e.code)).collect()
}

/// Asserts that the body has exactly these problems.
#[track_caller]
pub(crate) fn assert_problems(body: &Value, expected: &[(&str, &str)]) {
    let found = problems(body);
    let found: Vec<_> = found.iter().map(|(pointer, code)| (pointer.as_str(), code.as_str())).collect();
    assert_eq!(found, expected);
}

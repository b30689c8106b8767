//! The document that describes the interface.

use module_monitor_domain::{CoreVersion, DrupalVersion, MachineName, PhpVersion};
use module_monitor_server::openapi_document;
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::openapi::errors;
use module_monitor_tests::server::TestServer;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Every value of the document, with the pointer to it.
fn walk<'a>(value: &'a Value, at: &str, visit: &mut impl FnMut(&str, &'a Value)) {
    visit(at, value);
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                walk(field, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), visit);
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                walk(item, &format!("{at}/{i}"), visit);
            }
        }
        _ => {}
    }
}

fn operations() -> impl Iterator<Item = (&'static String, &'static String, &'static Value)> {
    let paths = openapi_document()["paths"].as_object().expect("paths");
    paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("operations");
        methods.iter().map(move |(method, operation)| (path, method, operation))
    })
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    let document = openapi_document();
    let mut used = Vec::new();
    walk(document, "", &mut |at, value| {
        let Some(target) = value.get("$ref").and_then(Value::as_str) else { return };
        let pointer = target.strip_prefix('#').unwrap_or_else(|| panic!("{target} at {at}"));
        assert!(document.pointer(pointer).is_some(), "{target} at {at} leads nowhere");
        used.push(target.to_owned());
    });
    for name in document["components"]["schemas"].as_object().expect("components").keys() {
        assert!(used.contains(&format!("#/components/schemas/{name}")), "nothing refers to {name}");
    }
}

#[test]
fn every_body_and_every_answer_has_an_example_that_fits_its_schema() {
    let examples = &openapi_document()["components"]["examples"];
    let mut seen = 0;
    walk(openapi_document(), "", &mut |at, value| {
        let Some(content) = value.get("content").and_then(Value::as_object) else { return };
        for (media_type, content) in content {
            if media_type == "application/problem+json" {
                for name in content["examples"].as_object().expect("examples").keys() {
                    let errors = errors(&content["schema"], &examples[name]["value"]);
                    assert!(errors.is_empty(), "{name} at {at}: {errors:#?}");
                }
                continue;
            }
            let example = content.get("example").unwrap_or_else(|| panic!("no example that is JSON at {at}"));
            let errors = errors(&content["schema"], example);
            assert!(errors.is_empty(), "{at}: {errors:#?}");
            seen += 1;
        }
    });
    assert!(seen > 10, "{seen}");
}

#[test]
fn every_operation_says_what_a_reader_needs() {
    let mut ids = Vec::new();
    for (path, method, operation) in operations() {
        let at = format!("{method} {path}");
        for field in ["operationId", "summary"] {
            assert!(operation[field].as_str().is_some_and(|text| !text.is_empty()), "{field} of {at}");
        }
        ids.push(operation["operationId"].to_string());
        let tags: Vec<&Value> =
            openapi_document()["tags"].as_array().expect("tags").iter().map(|t| &t["name"]).collect();
        assert!(tags.contains(&&operation["tags"][0]), "the heading of {at} is not among those of document.rs");
        let named = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let parameters = operation["parameters"].as_array().expect("parameters");
        for name in named {
            let described = |p: &&Value| p["in"] == "path" && p["name"] == name && p["required"] == true;
            assert!(parameters.iter().any(|p| described(&p)), "{name} of {at} is missing in parameters.rs");
        }
        for parameter in parameters {
            assert!(parameter["description"].is_string(), "{parameter} of {at}");
        }
        let responses = operation["responses"].as_object().expect("responses");
        assert!(responses.keys().any(|status| status.starts_with('2')), "{at}");
        assert_eq!(responses.contains_key("401"), operation["security"] != json!([]), "{at}");
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "an operationId is used twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_and_its_page_are_served_and_fetch_nothing() {
    let database = TestDatabase::new(Backend::Sqlite).await.expect("SQLite is always there");
    let server = TestServer::start(&database).await;
    let served = server.api.get_open("/api/openapi.json").await;
    assert_eq!(&served.ok(), openapi_document());
    assert_eq!(served.ok()["openapi"], "3.1.1");

    let page = server.api.get_open("/api/docs").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    // Addresses in examples are text; one in an attribute or a style sheet would be fetched or followed.
    for outside in ["\"http", "'http", "=http", "(http", "src=", "<script", "<link", "@import", "url("] {
        assert!(!page.text.contains(outside), "{outside}");
    }
    for (path, _, operation) in operations() {
        assert!(page.text.contains(&format!("<code>{path}</code>")), "{path}");
        assert!(page.text.contains(operation["operationId"].as_str().expect("an id")), "{path}");
    }
    server.stop().await;
}

/// What a text must be like to be a field of a report's module, or of the report itself.
fn accepted(schema: &str, field: &str, text: &str) -> bool {
    let schema = &openapi_document()["components"]["schemas"][schema]["properties"][field];
    errors(schema, &json!(text)).is_empty()
}

proptest! {
    /// The document has the grammars as patterns, the domain as parsers.
    #[test]
    fn the_patterns_of_the_document_accept_what_the_parsers_accept(
        version in r"([0-9]{1,2}\.x-)?([0-9]{1,2}|x|\*|v1)?(\.([0-9]{1,2}|x|\*)){0,3}(-(dev|DEV|beta2|rc|a_b|1|-))?(\+[0-9]{0,2}(-dev)?)?",
        php in r"[0-9]{0,2}(\.[0-9]{0,2}){1,3}([-+~._]|RC1|deb12u1|é){0,3}",
        name in r"[a-zA-Z0-9_ \-.\[^`{~\x7fé\u{10000}]{0,6}",
    ) {
        prop_assert_eq!(accepted("AcceptedVersions", "from", &version), DrupalVersion::parse(&version).is_ok(), "{}", version);
        prop_assert_eq!(accepted("Report", "drupal_version", &version), CoreVersion::parse(&version).is_ok(), "{}", version);
        prop_assert_eq!(accepted("Report", "php_version", &php), PhpVersion::parse(&php).is_ok(), "{}", php);
        prop_assert_eq!(accepted("ReportedModule", "machine_name", &name), MachineName::parse(&name).is_ok(), "{}", name);
    }
}

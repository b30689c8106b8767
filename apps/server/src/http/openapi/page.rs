//! The document as a page for people: plain HTML that needs no script and fetches nothing.

use std::fmt::Write;

use serde_json::{Map, Value};

/// Nothing is fetched, and nothing runs.
pub(crate) const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = include_str!("page.css");

/// The page that shows `document`.
pub(crate) fn page(document: &Value) -> String {
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>module-monitor API</title>\
         <style>{STYLE}</style></head><body>\n<h1>module-monitor API {}</h1>\n",
        escape(text(&document["info"]["version"]))
    );
    html.push_str(&prose(text(&document["info"]["description"])));
    html.push_str("<p>The same for programs: <a href=\"openapi.json\">openapi.json</a>.</p>\n<nav>");
    let groups = || document["tags"].as_array().into_iter().flatten();
    for group in groups() {
        let name = text(&group["name"]);
        let _ = write!(html, "<a href=\"#{name}\">{name}</a> ");
    }
    html.push_str("<a href=\"#schemas\">Schemas</a> <a href=\"#problems\">Problems</a></nav>\n");
    for group in groups() {
        let name = text(&group["name"]);
        let _ = writeln!(html, "<h2 id=\"{name}\">{name}</h2>\n{}", prose(text(&group["description"])));
        for (path, method, operation) in operations(document).filter(|(_, _, o)| o["tags"][0] == name) {
            operation_section(&mut html, path, method, operation);
        }
    }
    schemas_section(&mut html, &document["components"]["schemas"]);
    problems_section(&mut html, &document["components"]["examples"]);
    html.push_str("</body></html>\n");
    html
}

/// Every operation with its path and method.
pub(super) fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    entries(&document["paths"])
        .flat_map(|(path, item)| entries(item).map(move |(method, operation)| (path, method, operation)))
}

fn operation_section(html: &mut String, path: &str, method: &str, operation: &Value) {
    let _ = writeln!(
        html,
        "<details id=\"{}\"><summary><b class=\"{method}\">{}</b> <code>{}</code> {}</summary>",
        text(&operation["operationId"]),
        method.to_uppercase(),
        escape(path),
        escape(text(&operation["summary"])),
    );
    html.push_str(&prose(text(&operation["description"])));
    if operation["security"].as_array().is_some_and(Vec::is_empty) {
        html.push_str("<p>No key is needed.</p>\n");
    }
    parameters_table(html, operation);
    if let Some(content) = operation.get("requestBody").map(|body| &body["content"]) {
        html.push_str("<h4>Body</h4>\n");
        content_section(html, content);
    }
    html.push_str("<h4>Answers</h4>\n<dl>\n");
    for (status, answer) in entries(&operation["responses"]) {
        let _ = write!(html, "<dt>{status}</dt><dd>{}", prose(text(&answer["description"])));
        let headers: Vec<&str> = entries(&answer["headers"]).map(|(name, _)| name).collect();
        let _ = write!(html, "<p class=\"headers\">{}</p>", headers.join(", "));
        if answer["content"].get("application/problem+json").is_none() {
            content_section(html, &answer["content"]);
        }
        html.push_str("</dd>\n");
    }
    html.push_str("</dl></details>\n");
}

fn parameters_table(html: &mut String, operation: &Value) {
    let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
    if parameters.is_empty() {
        return;
    }
    html.push_str("<h4>Parameters</h4>\n<table>\n");
    for parameter in parameters {
        let _ = writeln!(
            html,
            "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>",
            text(&parameter["name"]),
            text(&parameter["in"]),
            rules(&parameter["schema"]),
            inline(text(&parameter["description"])),
        );
    }
    html.push_str("</table>\n");
}

fn content_section(html: &mut String, content: &Value) {
    for (media_type, content) in entries(content) {
        let _ = writeln!(html, "<p><code>{media_type}</code> {}</p>", rules(&content["schema"]));
        let example = match &content["example"] {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            example => serde_json::to_string_pretty(example).unwrap_or_default(),
        };
        let _ = writeln!(html, "<pre>{}</pre>", escape(&example));
    }
}

fn schemas_section(html: &mut String, schemas: &Value) {
    html.push_str("<h2 id=\"schemas\">Schemas</h2>\n");
    for (name, schema) in entries(schemas) {
        let _ = writeln!(html, "<h3 id=\"schema-{name}\">{name}</h3>{}", prose(text(&schema["description"])));
        let one_of = schema["oneOf"].as_array().into_iter().flatten();
        let alternatives: Vec<String> = one_of.map(rules).collect();
        if !alternatives.is_empty() {
            let _ = writeln!(html, "<p>{}</p>", alternatives.join(" or "));
        }
        for part in [schema].into_iter().chain(schema["allOf"].as_array().into_iter().flatten()) {
            properties_table(html, part);
        }
    }
}

fn properties_table(html: &mut String, schema: &Value) {
    if schema.get("$ref").is_some() {
        let _ = writeln!(html, "<p>All of {}, and:</p>", rules(schema));
    }
    if entries(&schema["properties"]).next().is_none() {
        return;
    }
    html.push_str("<table>\n");
    for (name, property) in entries(&schema["properties"]) {
        let required = schema["required"].as_array().is_some_and(|names| names.iter().any(|n| n == name));
        let _ = writeln!(
            html,
            "<tr><td><code>{name}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>",
            if required { "required" } else { "" },
            rules(property),
            inline(text(&property["description"])),
        );
    }
    html.push_str("</table>\n");
}

fn problems_section(html: &mut String, examples: &Value) {
    html.push_str("<h2 id=\"problems\">Problems</h2>\n<table>\n");
    for (code, example) in entries(examples) {
        let status = &example["value"]["status"];
        let title = escape(text(&example["summary"]));
        let _ = writeln!(html, "<tr><td>{status}</td><td><code>{code}</code></td><td>{title}</td></tr>");
    }
    html.push_str("</table>\n");
}

/// What a schema asks for, in a line.
fn rules(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    let mut said = Vec::new();
    match &schema["type"] {
        Value::Array(types) => said.push(types.iter().map(text).collect::<Vec<_>>().join(" or ")),
        one => said.push(text(one).to_owned()),
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        said.push(choices.iter().map(rules).collect::<Vec<_>>().join(" or "));
    }
    if let Some(items) = schema.get("items") {
        said.push(format!("of {}", rules(items)));
    }
    if let Some(values) = schema["enum"].as_array().filter(|values| values.len() <= 12) {
        said.push(values.iter().map(|value| escape(&value.to_string())).collect::<Vec<_>>().join(", "));
    }
    for name in ["format", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern", "default"]
    {
        if let Some(value) = schema.get(name) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            said.push(format!("<span>{name} <code>{}</code></span>", escape(&value)));
        }
    }
    said.retain(|part| !part.is_empty());
    said.join(" ")
}

/// Lines that begin with `- ` as a list, the others as paragraphs.
fn prose(markdown: &str) -> String {
    markdown.lines().filter(|line| !line.is_empty()).fold(String::new(), |mut html, line| {
        let _ = match line.strip_prefix("- ") {
            Some(item) => writeln!(html, "<p class=\"item\">{}</p>", inline(item)),
            None => writeln!(html, "<p>{}</p>", inline(line)),
        };
        html
    })
}

/// What stands between backticks as code.
fn inline(markdown: &str) -> String {
    let parts = escape(markdown);
    let parts = parts.split('`').enumerate();
    parts.map(|(i, part)| if i % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }).collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter).map(|(name, value)| (name.as_str(), value))
}

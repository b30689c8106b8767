//! The headers of answers.

use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};

/// A header: its name, whether an answer that is described with it always carries it, an example, and what it says.
type Header = (&'static str, bool, &'static str, &'static str);

const HEADERS: &[Header] = &[
    (
        "X-Request-Id",
        true,
        "0d1f7a52-5b0c-4e6c-8a3e-7c2b8c9f1d11",
        "The id of the request in the server's log: the one that was sent in `X-Request-Id`, where that is 1 to 64 of `A-Z a-z 0-9 . _ -`, else a new one.",
    ),
    ("X-Content-Type-Options", true, "nosniff", "Keeps browsers from guessing another media type."),
    ("Cache-Control", true, "no-store", "Answers are not to be kept by caches."),
    ("WWW-Authenticate", true, "Bearer realm=\"module-monitor\"", "How to authenticate."),
    ("Retry-After", true, "5", "Seconds until it makes sense to try again."),
    (
        "RateLimit",
        false,
        "\"sync\";r=42;t=1200",
        "What is left of the limit, `sync` of the site or `read` of the key (`r`), and the seconds until more is (`t`). Missing where the request was refused before it was counted.",
    ),
    (
        "RateLimit-Policy",
        false,
        "\"sync\";q=60;w=3600",
        "The limit: `q` syncs of the site, or reads with the key, in any window of `w` seconds.",
    ),
    ("Preference-Applied", false, "handling=lenient", "The preferences of `Prefer` that were honoured."),
    (
        "Idempotent-Replayed",
        false,
        "true",
        "`true` where this is the stored answer to an earlier request with the same `Idempotency-Key`.",
    ),
    ("Location", true, "/api/v1/sites/17", "Where to find what was made."),
    ("Content-Disposition", false, "attachment; filename=\"sites.csv\"", "The name of the file; only with CSV."),
    ("Vary", true, "Accept", "That the same address answers in other media types, too."),
    ("Accept", false, "application/json", "The media type that the server takes."),
    ("Accept-Encoding", false, "gzip, br, zstd, identity", "The encodings that the server takes."),
];

/// The headers as components of the document.
pub(super) fn components() -> Map<String, Value> {
    let component = |&(name, required, example, about): &Header| {
        let header = json!({
            "description": about, "required": required, "schema": {"type": "string"}, "example": example,
        });
        (name.to_owned(), header)
    };
    HEADERS.iter().map(component).collect()
}

/// References to those headers.
pub(super) fn references<'a>(names: impl IntoIterator<Item = &'a str>) -> Value {
    let reference = |name: &str| (name.to_owned(), json!({"$ref": format!("#/components/headers/{name}")}));
    Value::Object(names.into_iter().map(reference).collect())
}

/// What every answer of that status carries.
pub(super) fn of_status(status: StatusCode) -> Vec<&'static str> {
    let own: &[&str] = match status {
        StatusCode::UNAUTHORIZED => &["WWW-Authenticate"],
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => &["Retry-After"],
        StatusCode::UNSUPPORTED_MEDIA_TYPE => &["Accept", "Accept-Encoding"],
        _ => &[],
    };
    [&["X-Request-Id", "X-Content-Type-Options", "Cache-Control"], own].concat()
}

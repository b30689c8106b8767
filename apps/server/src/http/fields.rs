//! Bodies that administrators send: small JSON objects without room for typing errors.

use actix_web::{HttpRequest, web};
use module_monitor_ingestion::{FieldError, escape_pointer};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use super::auth::Caller;
use super::body::{hold_decoded, read_json};
use super::code::Code;
use super::problem::Problem;
use crate::state::AppState;

/// Reads the body of a request of `caller` as a `T`, which should refuse fields that it does not know.
pub(crate) async fn read_fields<T: DeserializeOwned>(
    caller: &Caller,
    request: &HttpRequest,
    payload: web::Payload,
    state: &AppState,
) -> Result<T, Problem> {
    let mut room = state.body_memory.room(&caller.key_id);
    let json = read_json(request, payload, &mut room).await?.json;
    hold_decoded(&json, &mut room)?;
    parse(&json)
}

fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, Problem> {
    // Serde would take a list of the fields' values, too.
    if json.trim_ascii_start().first().is_some_and(|first| *first != b'{') {
        serde_json::from_slice::<IgnoredAny>(json).map_err(|error| malformed(&error))?;
        return Err(invalid(String::new(), "the body must be an object".to_owned()));
    }
    let mut reader = serde_json::Deserializer::from_slice(json);
    let fields = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let (pointer, error) = (pointer(error.path()), error.into_inner());
        match error.classify() {
            Category::Data => invalid(pointer + &missing_field(&error), error.to_string()),
            _ => malformed(&error),
        }
    })?;
    reader.end().map_err(|error| malformed(&error))?;
    Ok(fields)
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new(Code::MalformedJson, error.to_string())
}

fn invalid(pointer: String, detail: String) -> Problem {
    Problem::invalid(vec![FieldError { pointer, code: "invalid".to_owned(), detail }])
}

/// The last part of the pointer to a field that is missing: serde knows its name and stops at the object around it.
fn missing_field(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let name = text.strip_prefix("missing field `").and_then(|rest| rest.split_once('`'));
    name.map(|(name, _)| format!("/{}", escape_pointer(name))).unwrap_or_default()
}

fn pointer(path: &Path) -> String {
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", escape_pointer(key)),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    };
    path.iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::fields::given;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Example {
        #[serde(default, deserialize_with = "given")]
        flag: Option<bool>,
        #[serde(default, deserialize_with = "given")]
        words: Option<Option<Vec<String>>>,
        part: Option<Part>,
    }

    #[derive(Debug, serde::Deserialize)]
    struct Part {
        until: String,
    }

    fn fault(json: &str) -> (&'static str, String) {
        let problem = parse::<Example>(json.as_bytes()).unwrap_err();
        (problem.code().as_str(), problem.errors().first().map(|e| e.pointer.clone()).unwrap_or_default())
    }

    #[test]
    fn null_is_not_the_same_as_left_out() {
        let read = |json: &str| parse::<Example>(json.as_bytes()).unwrap();
        assert_eq!((read("{}").flag, read("{}").words), (None, None));
        assert_eq!(read(r#"{"flag": false, "words": null}"#).words, Some(None));
        assert_eq!(fault(r#"{"flag": null}"#), ("validation-failed", "/flag".to_owned()));
    }

    #[test]
    fn faults_are_pointed_at() {
        assert_eq!(fault(r#"{"flag": "yes"}"#), ("validation-failed", "/flag".to_owned()));
        assert_eq!(fault(r#"{"words": ["a", 1]}"#), ("validation-failed", "/words/1".to_owned()));
        assert_eq!(fault(r#"{"flog": true}"#).0, "validation-failed");
        assert_eq!(fault(r#"{"part": {}}"#), ("validation-failed", "/part/until".to_owned()));
        let whole = parse::<Example>(br#"{"part": {"until": "then"}}"#).unwrap();
        assert_eq!(whole.part.unwrap().until, "then");
        assert_eq!(fault(r#"{"flag": true, "flag": true}"#).0, "validation-failed");
        for list in ["[]", "[true]", "[true, null]"] {
            assert_eq!(fault(list).0, "validation-failed", "{list}");
        }
        for broken in ["", "{", "{}x", "[", "[]x", "nul", "{\"flag\": tru"] {
            assert_eq!(fault(broken).0, "malformed-json", "{broken}");
        }
    }
}

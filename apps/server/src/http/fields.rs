//! The fields of a JSON object that somebody sent.

use module_monitor_ingestion::FieldError;
use serde_json::{Map, Value};

use super::problem::{Code, Problem};

/// The most unknown fields that an answer lists.
const MAX_UNKNOWN: usize = 20;

/// The fields of an object. Each is taken once; what is wrong is collected, and [`Fields::finish`] tells all of it.
/// `null` equals absent.
#[derive(Default)]
pub(crate) struct Fields {
    base: String,
    values: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Fields {
    /// The object that `json` is. Fails where it is not JSON, or something else than an object.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, Problem> {
        match serde_json::from_slice(json) {
            Ok(Value::Object(values)) => Ok(Self { values, ..Self::default() }),
            Ok(_) => {
                let mut nothing = Self::default();
                nothing.add(String::new(), "type", "it must be an object".to_owned());
                Err(Problem::invalid(nothing.errors))
            }
            Err(error) => Err(Problem::new(Code::MalformedJson, error.to_string())),
        }
    }

    /// Takes a field that may be left out; `expected` says what `parse` accepts.
    pub(crate) fn optional<T>(&mut self, name: &str, expected: &str, parse: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let value = self.take(name)?;
        let parsed = parse(&value);
        if parsed.is_none() {
            self.complain(name, "invalid", format!("it must be {expected}"));
        }
        parsed
    }

    /// Takes a field that must be there.
    pub(crate) fn required<T>(&mut self, name: &str, expected: &str, parse: impl Fn(&Value) -> Option<T>) -> Option<T> {
        if self.values.get(name).is_none_or(Value::is_null) {
            self.values.remove(name);
            self.complain(name, "required", format!("it is missing; it must be {expected}"));
            return None;
        }
        self.optional(name, expected, parse)
    }

    /// Takes an object that may be left out. Give it back to [`Fields::absorb`].
    pub(crate) fn object(&mut self, name: &str) -> Option<Self> {
        match self.take(name)? {
            Value::Object(values) => Some(Self { base: self.pointer(name), values, errors: Vec::new() }),
            _ => {
                self.complain(name, "type", "it must be an object".to_owned());
                None
            }
        }
    }

    /// Takes over what is wrong with an object within this one.
    pub(crate) fn absorb(&mut self, object: Self) {
        self.errors.extend(object.finish());
    }

    /// Notes that something is wrong with a field.
    pub(crate) fn complain(&mut self, name: &str, code: &str, detail: String) {
        self.add(self.pointer(name), code, detail);
    }

    /// Everything that is wrong. What nobody took is: a misspelt field must not look as if it had been heeded.
    pub(crate) fn finish(mut self) -> Vec<FieldError> {
        for (name, _) in std::mem::take(&mut self.values).into_iter().take(MAX_UNKNOWN) {
            self.complain(&name, "unknown-field", "there is no such field here".to_owned());
        }
        self.errors
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.values.remove(name).filter(|value| !value.is_null())
    }

    fn pointer(&self, name: &str) -> String {
        format!("{}/{}", self.base, name.replace('~', "~0").replace('/', "~1"))
    }

    fn add(&mut self, pointer: String, code: &str, detail: String) {
        self.errors.push(FieldError { pointer, code: code.to_owned(), detail });
    }
}

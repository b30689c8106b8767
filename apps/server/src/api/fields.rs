//! Fields of what administrators send: which were given, and what is wrong with them.

use std::fmt::Display;

use module_monitor_ingestion::FieldError;
use serde::de::{Deserialize, Deserializer};

/// For fields that may be left out but not `null`.
pub(crate) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

/// A value that may be cleared: what was given, checked, or cleared.
pub(crate) fn nested<T, U>(given: &Option<Option<T>>, check: impl FnOnce(&T) -> Option<U>) -> Option<Option<U>> {
    given.as_ref().map(|value| value.as_ref().and_then(check))
}

/// Collects what is wrong with values that have the right type.
#[derive(Default)]
pub(crate) struct Faults(Vec<FieldError>);

impl Faults {
    /// The value, or `None` where it is refused.
    pub(crate) fn check<T>(&mut self, pointer: &str, checked: Result<T, impl Display>) -> Option<T> {
        checked.map_err(|error| self.0.push(fault(pointer, error.to_string()))).ok()
    }

    /// The one thing that is wrong.
    pub(crate) fn one(pointer: &str, detail: &str) -> Vec<FieldError> {
        vec![fault(pointer, detail.to_owned())]
    }

    /// Fails where anything was refused.
    pub(crate) fn finish(self) -> Result<(), Vec<FieldError>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}

fn fault(pointer: &str, detail: String) -> FieldError {
    FieldError { pointer: pointer.to_owned(), code: "invalid".to_owned(), detail }
}

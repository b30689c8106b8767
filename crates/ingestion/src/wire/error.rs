//! What a body that is no report is answered with.

use super::problems::FieldError;

/// Why a body is not a report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// It is not JSON; the text says where.
    #[error("the body is not JSON: {0}")]
    Malformed(String),
    /// It is JSON and breaks rules of the contract: the first 100 of them, and a last entry that counts the rest.
    #[error("the body is not a valid report")]
    Invalid(Vec<FieldError>),
}

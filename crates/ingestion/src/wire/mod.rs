//! The wire contract: what a report looks like as JSON, and what the answer does.
//!
//! A body is read level by level: `scan` bounds its nesting, `body` finds the fields of the outermost object, `head` and
//! `modules` decode them, and `item` decodes each module on its own. No level is kept as a tree, so memory is bounded by
//! the body and the limits of the contract; and whatever is wrong is collected in `problems`, so that a client learns
//! everything at once.

mod body;
mod decode;
mod head;
mod item;
mod json;
mod modules;
mod problems;
mod response;
mod rules;
mod scan;

use module_monitor_domain::Report;
use module_monitor_storage::IdempotencyKey;
use sha2::{Digest, Sha256};

use body::Body;
use head::Head;
use modules::Modules;
use problems::Problems;

pub use problems::FieldError;
pub use response::SyncResponse;

/// The most errors in one answer; one more then counts the rest.
const MAX_ERRORS: usize = 100;

/// What happens to a report of which some modules are not valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Handling {
    /// It is refused.
    #[default]
    Strict,
    /// The valid modules are applied and the others listed (`Prefer: handling=lenient`).
    Lenient,
}

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

/// A checked report, and what its sender should know about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncRequest {
    /// The report.
    pub report: Report,
    /// Such as names that were listed twice.
    pub warnings: Vec<String>,
    /// Set by [`SyncRequest::with_idempotency_key`].
    pub idempotency: Option<IdempotencyKey>,
}

impl SyncRequest {
    /// Reads the JSON body of a sync. Fails with everything that is wrong; with [`Handling::Lenient`] modules that are
    /// wrong go to [`Report::rejected`] instead, as long as the rest is right and one module can be applied.
    pub fn from_json(body: &[u8], handling: Handling) -> Result<Self, RequestError> {
        let mut problems = Problems::of(String::new(), MAX_ERRORS);
        let body = Body::read(body, &mut problems)?;
        let head = Head::read(&body.fields, &mut problems);
        let may_be_rejected = handling == Handling::Lenient && problems.is_empty();
        let modules = Modules::read(&body, may_be_rejected, &mut problems);
        match head {
            Some(head) if problems.is_empty() && !modules.is_empty() => Ok(Self::new(head, modules)),
            _ => {
                modules.add_problems_to(&mut problems);
                Err(RequestError::Invalid(problems.into_errors()))
            }
        }
    }

    /// The same request under a key of the client's choice: within 24 hours, a request of the site with the same key and
    /// the same body is answered with what the first one did, and one with another body is refused.
    pub fn with_idempotency_key(mut self, key: String, body: &[u8]) -> Self {
        self.idempotency = Some(IdempotencyKey { key, body_hash: Sha256::digest(body).into() });
        self
    }

    fn new(head: Head, modules: Modules) -> Self {
        let warnings = modules.warnings();
        let (accepted, rejected) = modules.into_parts();
        let Head { scope, sync_timestamp, drupal_version, php_version, site_info } = head;
        let report = Report::new(scope, sync_timestamp, drupal_version, php_version, site_info, accepted);
        Self { report: report.with_rejected(rejected), warnings, idempotency: None }
    }
}

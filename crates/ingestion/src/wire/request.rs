//! A request as a whole.

use module_monitor_domain::Report;
use module_monitor_storage::IdempotencyKey;
use sha2::{Digest, Sha256};

use super::body::Body;
use super::error::RequestError;
use super::head::Head;
use super::modules::Modules;
use super::problems::Problems;

/// What happens to a report of which some modules are not valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Handling {
    /// It is refused.
    #[default]
    Strict,
    /// The valid modules are applied and the others listed (`Prefer: handling=lenient`).
    Lenient,
}

/// A checked report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncRequest {
    /// The report.
    pub report: Report,
    /// Set by [`SyncRequest::with_idempotency_key`].
    pub idempotency: Option<IdempotencyKey>,
}

impl SyncRequest {
    /// Reads the JSON body of a sync. Fails with everything that is wrong; with [`Handling::Lenient`] modules that are
    /// wrong go to [`Report::rejected`] instead, as long as the rest is right and one module can be applied.
    pub fn from_json(body: &[u8], handling: Handling) -> Result<Self, RequestError> {
        let mut problems = Problems::of_body();
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
        let (accepted, rejected) = modules.into_parts();
        let Head { scope, sync_timestamp, drupal_version, php_version, site_info, facts } = head;
        let report = Report::new(scope, sync_timestamp, drupal_version, php_version, site_info, accepted);
        Self { report: report.with_rejected(rejected).with_facts(facts), idempotency: None }
    }
}

//! A request as a whole.

use module_monitor_domain::Report;
use module_monitor_storage::{GlancedReport, IdempotencyKey};

use super::body::Body;
use super::error::RequestError;
use super::glance::{glance, modules_hash};
use super::head;
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

/// A checked report, or what a glance at one has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncRequest<R = Report> {
    /// The report.
    pub report: R,
    /// Set by [`SyncRequest::with_idempotency_key`].
    pub idempotency: Option<IdempotencyKey>,
}

impl SyncRequest {
    /// Reads the JSON body of a sync. Fails with everything that is wrong; with [`Handling::Lenient`] modules that are
    /// wrong go to [`Report::rejected`] instead, as long as the rest is right and one module can be applied.
    pub fn from_json(body: &[u8], handling: Handling) -> Result<Self, RequestError> {
        let mut problems = Problems::of_body();
        let body = Body::read(body, &mut problems)?;
        let head = head::read(&body.fields, &mut problems);
        let may_be_rejected = handling == Handling::Lenient && problems.is_empty();
        let modules = Modules::read(&body, may_be_rejected, &mut problems);
        match head {
            Some(head) if problems.is_empty() && !modules.is_empty() => {
                let (accepted, rejected) = modules.into_parts();
                let report = Report::of(head, accepted).with_rejected(rejected);
                let list = body.fields.sent("modules").filter(|_| report.is_exact());
                let report = match list {
                    Some(list) => report.with_modules_hash(modules_hash(list.get().as_bytes())),
                    None => report,
                };
                Ok(Self { report, idempotency: None })
            }
            _ => {
                modules.add_problems_to(&mut problems);
                Err(RequestError::Invalid(problems.into_errors()))
            }
        }
    }
}

impl SyncRequest<GlancedReport> {
    /// Reads everything of a body but its modules. Where the storage knows these ([`crate::SyncService::sync_glanced`]),
    /// nobody needs to read them; in all other cases, and where this is `None`, use [`SyncRequest::from_json`], which also
    /// says what is wrong.
    pub fn glance(body: &[u8]) -> Option<Self> {
        glance(body).map(|report| Self { report, idempotency: None })
    }
}

impl<R> SyncRequest<R> {
    /// The same request under a key of the client's choice: within 24 hours, a request of the site with the same key and
    /// the same body is answered with what the first one did, and one with another body is refused.
    pub fn with_idempotency_key(mut self, key: String, body: &[u8]) -> Self {
        self.idempotency = Some(IdempotencyKey { key, body_hash: blake3::hash(body).into() });
        self
    }
}

//! What became of a sync.

use module_monitor_domain::{Refusal, SyncOutcome};
use time::OffsetDateTime;

use super::command::SyncOrigin;
use super::queue::Job;

/// What became of a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncResult {
    /// It is stored.
    Applied(SyncOutcome),
    /// It was stored before, under the same idempotency key.
    Replayed(SyncOutcome),
    /// It is not, and this is why.
    Refused(Refusal),
    /// It is not yet: under the same idempotency key it is in the queue, or has been.
    Waiting(Box<Job>),
    /// It is not, because it must go to the queue; see [`crate::Via`].
    MustQueue,
    /// It is not, because the job is another worker's by now, or nobody's.
    LeaseLost,
}

/// An applied sync as the audit log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedSync {
    /// What it did.
    pub outcome: SyncOutcome,
    /// When it was received.
    pub received_at: OffsetDateTime,
    /// Who sent it.
    pub origin: SyncOrigin,
}

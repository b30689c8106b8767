//! Syncs that are applied later: accepted into the database's queue by [`Queue`], applied by a [`Worker`] of this or of
//! another process.
//!
//! The database is the queue. [`QueueSignals`] only spare the two the wait for the next poll.

mod intake;
mod job;
mod payload;
mod signals;
mod worker;

use std::time::Duration;

pub use intake::{Progress, Queue, QueueOptions, SentBody, Submission, Submitted};
pub use job::{JobEvent, JobEventKind, QueueObserver};
pub use payload::unpack;
pub use signals::QueueSignals;
pub use worker::{Worker, WorkerOptions};

/// How old a worker's sign of life may be.
pub const ALIVE: Duration = Duration::from_secs(15);

//! What runs beside requests, until the server stops.

mod housekeeping;
mod preparation;
mod relay;
mod releases;
mod repeat;
mod retention;
mod worker;

pub(crate) use housekeeping::Housekeeping;
pub(crate) use preparation::{keep_preparing, prepare};
pub(crate) use releases::Refreshing;
pub(crate) use worker::RunningWorker;
pub use worker::{WorkerError, run_worker};

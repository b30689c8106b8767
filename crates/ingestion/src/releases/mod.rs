//! Release data: taking it in, and keeping it fresh.

mod refresher;
mod schedule;
mod service;

pub use refresher::{Checked, Refresher};
pub use service::{CheckResult, FeedTarget, ReleaseService};

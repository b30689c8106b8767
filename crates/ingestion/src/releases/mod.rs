//! Release data: taking it in, and keeping it fresh.

mod refresher;
mod schedule;
mod service;

pub use refresher::{Checked, Refresher};
pub use service::{CheckResult, FeedTarget, ReleaseService};

/// Stands in until the storage has them.
pub trait Storage: module_monitor_storage::Releases + module_monitor_storage::Security {}

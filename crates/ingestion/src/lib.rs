//! Takes a Drupal site's report: checks it, applies it, and says what changed.
//!
//! [`SyncRequest::from_json`] turns a request body into a checked report or a list of everything that is wrong with it;
//! [`SyncService::sync`] applies it to any [`module_monitor_storage::Storage`]. [`queue`] is for
//! reports that are applied later. Nothing here knows of HTTP servers.

mod chain;
mod clock;
mod feed;
pub mod queue;
mod releases;
mod retry;
mod service;
mod wire;

pub use chain::Chain;
pub use clock::{Clock, SystemClock, uuid_at};
pub use feed::{
    FeedAnswer, FeedError, FeedSource, FeedUrl, HttpFeed, HttpFeedOptions, parse_any_history, parse_history,
};
pub use releases::{CheckResult, Checked, FeedTarget, Refresher, ReleaseService};
pub use retry::{stored_once, worth_repeating};
pub use service::{SyncError, SyncService, Synced};
pub use wire::{FieldError, Handling, RequestError, SyncRequest, SyncResponse, escape_pointer};

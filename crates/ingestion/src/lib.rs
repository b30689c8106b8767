//! Takes a Drupal site's report: checks it, applies it, and says what changed.
//!
//! [`SyncRequest::from_json`] turns a request body into a checked report or a list of everything that is wrong with it;
//! [`SyncService::sync`] applies it to any [`module_monitor_storage::Storage`]. [`queue`] is for
//! reports that are applied later. Nothing here knows of HTTP servers.

mod clock;
pub mod queue;
mod service;
mod wire;

pub use clock::{Clock, SystemClock, uuid_at};
pub use service::{SyncError, SyncService, Synced};
pub use wire::{FieldError, Handling, RequestError, SyncRequest, SyncResponse};

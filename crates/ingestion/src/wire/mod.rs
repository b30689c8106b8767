//! The wire contract: what a report looks like as JSON, and what the answer does.
//!
//! A body is read level by level: `scan` bounds its nesting, `body` finds the fields of the outermost object, `head` and
//! `modules` decode them, and `item` decodes each module on its own. No level is kept as a tree, so memory is bounded by
//! the body and the limits of the contract; and whatever is wrong is collected in `problems`, so that a client learns
//! everything at once.
//!
//! Nearly every body brings a list of modules that is known. `glance` reads everything but the list, which a hash of its
//! bytes stands for, so that the storage can say whether anybody has to read it.

mod body;
mod decode;
mod error;
mod glance;
mod head;
mod item;
mod json;
mod modules;
mod problems;
mod request;
mod response;
mod rules;
mod scan;
mod utf8;
mod version;

pub use error::RequestError;
pub use problems::{FieldError, escape_pointer};
pub use request::{Handling, SyncRequest};
pub use response::SyncResponse;

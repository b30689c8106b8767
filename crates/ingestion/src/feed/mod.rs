//! drupal.org's release history: the document, and where to get it.

mod error;
mod history;
mod http;
mod source;
mod xml;

pub use error::FeedError;
pub use history::{parse_any_history, parse_history};
pub use http::{FeedUrl, HttpFeed, HttpFeedOptions};
pub use source::{FeedAnswer, FeedSource};

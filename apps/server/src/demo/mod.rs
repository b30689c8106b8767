//! The demo: sample sites that report to a server over HTTP, as real ones do.
//!
//! - `samples` holds what the sites have installed.
//! - `releases` holds what drupal.org says of one of their projects.
//! - `rounds` holds what happens there, and works out what the server should answer.
//! - `play` sends the reports and compares the answers with that.
//! - `report` shows the answers, and what to try next.

mod play;
mod releases;
mod report;
mod rounds;
mod samples;

pub(crate) use play::Demo;

//! Helpers for the suites.

pub mod backends;
pub mod raw;
pub mod reports;
pub mod watch;

//! Helpers for the suites.

pub mod backends;
pub mod reports;

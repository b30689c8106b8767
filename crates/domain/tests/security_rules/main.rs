//! The rules of update statuses and of security coverage, on release histories of our own.

mod coverage;
mod decisions;
mod drupal7;
mod history;
mod properties;
mod walk;

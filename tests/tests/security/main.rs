//! What is insecure where, over HTTP and on the command line, on both databases.

mod acceptances;
mod cli;
mod field;
mod hostile;
mod kinds;
mod lists;
mod metrics;
mod projects;
mod snapshots;
mod story;
mod support;

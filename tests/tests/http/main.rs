//! The HTTP interface and the command line as their users meet them: real sockets, the real binary, both databases.

mod admin;
mod bodies;
mod cli;
mod concurrency;
mod deferred;
mod drupal;
mod glance;
mod guide;
mod hang_up;
mod keys;
mod life;
mod management;
mod openapi;
mod realistic;
mod refusals;
mod retention;
mod secrets;
mod sites;
mod snapshots;
mod validation;
mod webhooks;

//! Helpers for the suites.

pub mod api;
pub mod backends;
pub mod certificates;
pub mod clock;
pub mod feeds;
pub mod ledger;
pub mod locks;
pub mod nginx;
pub mod openapi;
pub mod payloads;
pub mod pgbouncer;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod raw;
pub mod redis;
pub mod reports;
pub mod rude;
pub mod server;
pub mod skip;
pub mod tmpfs;
pub mod watch;

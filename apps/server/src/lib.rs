//! The server and command line that Drupal sites report their modules to.
//!
//! [`Server::start`] runs a server inside this process, which is what `module-monitor serve`, the demo and the tests
//! do. A request takes three hops: a route of `http`, a service of the ingestion crate, the storage.

pub mod admin;
mod api;
mod background;
pub mod cli;
mod config;
mod demo;
mod health;
mod http;
pub mod keys;
mod limits;
pub mod logging;
mod metrics;
mod redis_address;
mod rejections;
mod server;
mod state;

pub use background::{WorkerError, run_worker};
pub use config::{QueueConfig, ReleaseRefresh, RetentionConfig, ServerConfig};
pub use http::openapi_document;
pub use redis_address::{RedisAddress, RedisUrlError};
pub use server::{RunningServer, Server, ServerError};

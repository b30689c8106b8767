//! The server and command line that Drupal sites report their modules to.
//!
//! [`Server::start`] runs a server inside this process, which is what `module-monitor serve`, the demo and the tests
//! do. A request takes three hops: a route of `http`, a service of the ingestion crate, the storage.

pub mod admin;
pub mod cli;
mod csv;
mod demo;
mod housekeeping;
mod http;
mod key_view;
mod keyring;
pub mod keys;
mod labels;
mod limits;
pub mod logging;
mod queue_view;
mod refresher;
mod rejections;
mod relay;
mod security_view;
mod server;
mod site_view;
mod worker;

pub use http::openapi_document;
pub use limits::RedisUrlError;
pub use refresher::ReleaseRefresh;
pub use server::{RunningServer, Server, ServerConfig, ServerError};
pub use worker::{QueueConfig, WorkerError, run_worker};

//! The description of the HTTP interface: OpenAPI 3.1, made from the same registration that serves the routes.
//!
//! A route file adds its routes with [`Routes::add`]; each comes with an [`Operation`], which says who may call it, what
//! it takes, what it answers and how it fails. The rest follows from those. Nothing here knows a route.

mod document;
mod headers;
mod operation;
mod page;
mod parameters;
mod problems;
mod routes;

pub(crate) use document::document;
pub(crate) use operation::{Operation, example};
pub(crate) use page::{POLICY, page};
pub(crate) use routes::{Routes, at};

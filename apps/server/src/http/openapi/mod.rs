//! The description of the HTTP interface: OpenAPI 3.1, made from the same registration that serves the routes.
//!
//! A route file adds its routes with [`Routes::add`]; each comes with an [`Operation`], which says who may call it, what
//! it takes, what it answers and how it fails. The rest follows from those.

mod document;
mod headers;
mod operation;
mod parameters;
mod problems;
mod routes;
mod sync_shapes;
pub(crate) mod words;

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::Value;
use utoipa::openapi::Type;
use utoipa::{PartialSchema, ToSchema};

pub(crate) use operation::{Operation, example};
pub(crate) use routes::{Routes, at};
pub(crate) use sync_shapes::{Report, SyncResult};
pub(crate) use words::{boolean, object};

/// The document, made once.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let routes = [super::api(), super::beside_the_api()];
    document::document(routes.into_iter().flat_map(Routes::into_described).collect())
});

/// `GET /api/openapi.json`.
pub(crate) fn configure(routes: &mut Routes) {
    let says = Operation::open("openapi", "This document").answers::<OpenApiDocument>(
        StatusCode::OK,
        "The document.",
        r#"{"openapi": "3.1.1"}"#,
    );
    routes.group("Server").add(at("/api/openapi.json").get(show, says));
}

/// OpenAPI 3.1.
struct OpenApiDocument;

impl PartialSchema for OpenApiDocument {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        object(Type::Object).into()
    }
}

impl ToSchema for OpenApiDocument {}

async fn show() -> HttpResponse {
    HttpResponse::Ok().json(&*DOCUMENT)
}

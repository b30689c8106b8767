//! The description of the HTTP interface: OpenAPI 3.1, made from the same registration that serves the routes.
//!
//! A route file adds its routes with [`Routes::add`]; each comes with an [`Operation`], which says who may call it, what
//! it takes, what it answers and how it fails. The rest follows from those.

mod document;
mod headers;
mod operation;
mod page;
mod parameters;
mod problems;
mod routes;
mod sync_shapes;
pub(crate) mod words;

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentType};
use actix_web::web::Bytes;
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

/// The OpenAPI document that a server of this version serves.
pub fn openapi_document() -> &'static Value {
    &DOCUMENT
}

/// The document as it is sent.
static JSON: LazyLock<Bytes> = LazyLock::new(|| DOCUMENT.to_string().into());

/// The page for people.
static PAGE: LazyLock<Bytes> = LazyLock::new(|| page::page(&DOCUMENT).into());

/// `GET /api/openapi.json` and `GET /api/docs`.
pub(crate) fn configure(routes: &mut Routes) {
    let says = Operation::open("openapi", "This document").answers::<OpenApiDocument>(
        StatusCode::OK,
        "The document.",
        r#"{"openapi": "3.1.1"}"#,
    );
    let page_says = Operation::open("docs", "This document, for people").answers_text(
        "text/html",
        "A page that fetches nothing else.",
        "<!doctype html>...",
    );
    routes.group("Server").add(at("/api/openapi.json").get(show, says)).add(at("/api/docs").get(show_page, page_says));
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
    HttpResponse::Ok().content_type(ContentType::json()).body(JSON.clone())
}

async fn show_page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::html())
        .insert_header((header::CONTENT_SECURITY_POLICY, page::POLICY))
        .body(PAGE.clone())
}

//! The description of the HTTP interface, for programs and for people.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentType};
use actix_web::web::Bytes;
use serde_json::Value;
use utoipa::openapi::Type;
use utoipa::{PartialSchema, ToSchema};

use super::openapi::{Operation, POLICY, Routes, at, document, page};
use crate::api::words::object;

/// The description of all routes, as it is sent.
pub(crate) struct Description {
    /// OpenAPI 3.1.
    pub(crate) document: Value,
    json: Bytes,
    page: Bytes,
}

impl Description {
    /// What `routes` say of themselves.
    pub(crate) fn of(routes: impl IntoIterator<Item = Routes>) -> Self {
        let document = document(routes.into_iter().flat_map(Routes::into_described).collect());
        let (json, page) = (document.to_string().into(), page(&document).into());
        Self { document, json, page }
    }
}

/// `GET /api/openapi.json` and `GET /api/docs`, which answer from `description`. It is first looked at when it is asked
/// for, since these routes are themselves a part of it.
pub(crate) fn configure(routes: &mut Routes, description: &'static LazyLock<Description>) {
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
    let show = async || HttpResponse::Ok().content_type(ContentType::json()).body(description.json.clone());
    let show_page = async || {
        HttpResponse::Ok()
            .content_type(ContentType::html())
            .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
            .body(description.page.clone())
    };
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

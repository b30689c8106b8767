//! Liveness and readiness, for load balancers and service managers.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::code::Code;
use super::openapi::{Operation, Routes, at};
use super::problem::Problem;
use crate::state::AppState;

/// `GET /healthz` and `GET /readyz`.
pub(crate) fn configure(routes: &mut Routes) {
    let alive_says = Operation::open("alive", "Whether the process answers")
        .about("Also while the database does not: restarting the server would not bring that back.")
        .answers::<Health>(StatusCode::OK, "It does.", r#"{"status": "alive"}"#);
    let ready_says = Operation::open("ready", "Whether the server can work")
        .about("For load balancers: the database answers, takes writes, and its schema is up to date.")
        .answers::<Health>(StatusCode::OK, "It can.", r#"{"status": "ready"}"#)
        .fails(&[Code::DatabaseUnavailable]);
    routes.group("Server").add(at("/healthz").get(alive, alive_says)).add(at("/readyz").get(ready, ready_says));
}

/// The answer to both.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `alive` or `ready`.
    status: &'static str,
}

/// The process answers; the database is none of its business, since restarting would not bring it back.
async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "alive" })
}

/// The database answers, takes writes, and its schema is up to date.
async fn ready(state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    if !state.is_migrated() {
        return Err(Problem::database_unavailable());
    }
    match state.health.check().await {
        Ok(()) => Ok(HttpResponse::Ok().json(Health { status: "ready" })),
        Err(error) => Err(Problem::not_ready(error)),
    }
}

//! Liveness and readiness, for load balancers and service managers.

use actix_web::HttpResponse;
use actix_web::web::{self, ServiceConfig};
use serde_json::json;

use super::AppState;
use super::problem::Problem;

/// `GET /healthz` and `GET /readyz`.
pub(crate) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(web::resource("/healthz").route(web::get().to(alive)).route(web::head().to(alive)));
    cfg.service(web::resource("/readyz").route(web::get().to(ready)).route(web::head().to(ready)));
}

/// The process answers; the database is none of its business, since restarting would not bring it back.
async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "alive"}))
}

/// The database answers and its schema is up to date.
async fn ready(state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    if !state.is_migrated() {
        return Err(Problem::database_unavailable());
    }
    match state.storage.check().await {
        Ok(()) => Ok(HttpResponse::Ok().json(json!({"status": "ready"}))),
        Err(error) => Err(Problem::not_ready(error)),
    }
}

//! The metrics, for Prometheus.

use actix_web::{HttpResponse, web};

use super::openapi::{Operation, Routes, at};
use super::problem::Problem;
use crate::state::AppState;

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /metrics`.
pub(crate) fn configure(routes: &mut Routes) {
    let says = Operation::open("metrics", "What the server counts, for Prometheus").answers_text(
        CONTENT_TYPE,
        "The metrics, in the OpenMetrics format.",
        "module_monitor_syncs_total{outcome=\"applied\"} 17\n",
    );
    routes.group("Server").add(at("/metrics").get(show, says));
}

async fn show(state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    let text = state.metrics.text().map_err(Problem::internal)?;
    Ok(HttpResponse::Ok().content_type(CONTENT_TYPE).body(text))
}

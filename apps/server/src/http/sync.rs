//! Taking reports, and telling what became of them.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use module_monitor_domain::{SiteId, SyncId};
use module_monitor_ingestion::{Handling, SyncError, SyncRequest, SyncResponse};
use module_monitor_storage::SyncOrigin;
use serde::Serialize;
use time::OffsetDateTime;

use super::AppState;
use super::auth::Caller;
use super::body::{Body, read_json};
use super::inventory::show_module;
use super::metrics::{ChangeLabels, Outcome, SyncLabels};
use super::prefer::{LENIENT, PREFERENCE_APPLIED, handling};
use super::problem::{Code, Problem};
use crate::logging::millis;

/// Bodies above this, in bytes, are decoded where they do not keep other requests waiting.
const DECODED_IN_PLACE: usize = 64 * 1024;

/// `POST /sites/{site_id}/modules/sync` and `GET /syncs/{sync_id}`.
pub(crate) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(
        web::resource("/sites/{site_id}/modules/sync")
            .route(web::post().to(sync))
            .route(web::get().to(show_module_named_sync))
            .route(web::head().to(show_module_named_sync)),
    );
    cfg.service(web::resource("/syncs/{sync_id}").route(web::get().to(show)).route(web::head().to(show)));
}

async fn sync(
    caller: Caller,
    site: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let site = caller.site(&site)?;
    let handling = handling(request.headers());
    let Body { json, received } = read_json(&request, payload).await?;
    let origin = SyncOrigin {
        key_id: Some(caller.key_id),
        client_address: request.peer_addr().map(|address| address.ip().to_string()),
        body_bytes: i64::try_from(received).ok(),
    };
    // A client that hangs up drops this handler, and must neither stop its sync nor hide what became of it.
    let work = run(state.clone().into_inner(), site, json, handling, origin);
    let applied = state.spawn(work).await.map_err(Problem::internal)??;
    let mut response = HttpResponse::Ok();
    if handling == Handling::Lenient {
        response.insert_header((PREFERENCE_APPLIED, LENIENT));
    }
    Ok(response.json(applied))
}

/// The single view of the inventory, where its address is ours.
async fn show_module_named_sync(
    caller: Caller,
    site: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    show_module(caller, &site, "sync", &state).await
}

/// Decodes and applies a report, and writes down how that went.
async fn run(
    state: Arc<AppState>,
    site: SiteId,
    json: Vec<u8>,
    handling: Handling,
    origin: SyncOrigin,
) -> Result<SyncResponse, Problem> {
    let started = state.clock.instant();
    let mut result = apply(&state, site, json, handling, origin).await;
    let elapsed = state.clock.instant().duration_since(started);
    count(&state, &result, elapsed);
    match &mut result {
        Ok(applied) => tracing::info!(
            %site,
            sync_id = applied.sync_id,
            processed = applied.processed_count,
            new = applied.new_modules,
            updated = applied.updated_modules,
            removed = applied.removed_modules,
            rejected = applied.rejected.len(),
            ms = millis(elapsed),
            "sync applied"
        ),
        Err(problem) => {
            problem.log_cause();
            tracing::info!(%site, code = problem.code().as_str(), ms = millis(elapsed), "sync not applied");
        }
    }
    result
}

async fn apply(
    state: &AppState,
    site: SiteId,
    json: Vec<u8>,
    handling: Handling,
    origin: SyncOrigin,
) -> Result<SyncResponse, Problem> {
    let request = if json.len() <= DECODED_IN_PLACE {
        SyncRequest::from_json(&json, handling)
    } else {
        let decoding = tokio::task::spawn_blocking(move || SyncRequest::from_json(&json, handling));
        decoding.await.map_err(Problem::internal)?
    };
    state.syncs.sync(site, request?, origin).await.map_err(Problem::from)
}

fn count(state: &AppState, result: &Result<SyncResponse, Problem>, elapsed: Duration) {
    let outcome = result.as_ref().map_or_else(outcome_of, |_| Outcome::Applied);
    let metrics = &state.metrics;
    metrics.syncs.get_or_create(&SyncLabels { outcome }).inc();
    metrics.sync_duration.observe(elapsed.as_secs_f64());
    let Ok(applied) = result else { return };
    let changes =
        [("new", applied.new_modules), ("updated", applied.updated_modules), ("removed", applied.removed_modules)];
    for (change, modules) in changes {
        metrics.sync_modules.get_or_create(&ChangeLabels { change }).inc_by(modules as u64);
    }
}

fn outcome_of(problem: &Problem) -> Outcome {
    match problem.code() {
        Code::MalformedJson | Code::ValidationFailed => Outcome::Invalid,
        code if code.status().is_server_error() => Outcome::Failed,
        _ => Outcome::Refused,
    }
}

impl From<SyncError> for Problem {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Invalid(errors) => Self::invalid(errors),
            SyncError::Refused(refusal) => refusal.into(),
            SyncError::Storage(error) => error.into(),
        }
    }
}

/// What became of a sync.
#[derive(Serialize)]
struct SyncStatus {
    sync_id: String,
    site_id: String,
    status: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    received_at: OffsetDateTime,
    result: SyncResponse,
}

async fn show(caller: Caller, id: web::Path<String>, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    let not_found = || Problem::new(Code::SyncNotFound, "There is no such sync, or this key is not for its site");
    let id: SyncId = id.parse().map_err(|_| not_found())?;
    let found = state.storage.find_sync(id).await?;
    let sync = found.filter(|sync| caller.may_see(sync.outcome.site_id)).ok_or_else(not_found)?;
    Ok(HttpResponse::Ok().json(SyncStatus {
        sync_id: sync.outcome.sync_id.to_string(),
        site_id: sync.outcome.site_id.to_string(),
        // Only applied syncs are kept.
        status: "succeeded",
        received_at: sync.received_at,
        result: sync.outcome.into(),
    }))
}

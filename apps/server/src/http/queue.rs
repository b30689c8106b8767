//! The queue, for administrators: its figures, and what it could not do.

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use module_monitor_domain::SyncId;
use uuid::Uuid;

use super::AppState;
use super::auth::Caller;
use super::problem::{Code, Problem};
use super::query::Query;
use crate::queue_view::{DeadLetterItem, DeadLetterView, QueueView, Settled};

/// `GET /queue`, `/queue/dead-letters` and what can be done to one of them.
pub(crate) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(web::resource("/queue").route(web::get().to(figures)).route(web::head().to(figures)));
    cfg.service(web::resource("/queue/dead-letters").route(web::get().to(list)).route(web::head().to(list)));
    cfg.service(
        web::resource("/queue/dead-letters/{sync_id}")
            .route(web::get().to(show))
            .route(web::head().to(show))
            .route(web::delete().to(discard)),
    );
    cfg.service(web::resource("/queue/dead-letters/{sync_id}/retry").route(web::post().to(retry)));
}

async fn figures(caller: Caller, request: HttpRequest, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    Query::of(&request).finish()?;
    Ok(HttpResponse::Ok().json(QueueView::read(state.storage.as_ref(), state.clock.now()).await?))
}

async fn list(caller: Caller, request: HttpRequest, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let mut query = Query::of(&request);
    let paging = query.take_paging::<Uuid>("dead-letters");
    query.finish()?;
    let found = state.storage.dead_letters(paging.page()).await?;
    Ok(HttpResponse::Ok().json(paging.list(found, |job| job.id.0, DeadLetterItem::from)))
}

async fn show(caller: Caller, id: web::Path<String>, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    let id = dead_letter(&caller, &id)?;
    let found = DeadLetterView::find(state.storage.as_ref(), id).await?;
    Ok(HttpResponse::Ok().json(found.ok_or_else(not_found)?))
}

async fn retry(caller: Caller, id: web::Path<String>, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    let id = dead_letter(&caller, &id)?;
    let became = state.storage.retry_dead_letter(id, state.clock.now(), &caller.key_id).await?.ok_or_else(not_found)?;
    // A worker of this node need not wait for its next look.
    state.signals.ring();
    Ok(HttpResponse::Ok().json(Settled::new(id, became)))
}

async fn discard(caller: Caller, id: web::Path<String>, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    let id = dead_letter(&caller, &id)?;
    if !state.storage.discard_dead_letter(id, state.clock.now(), &caller.key_id).await? {
        return Err(not_found());
    }
    Ok(HttpResponse::NoContent().finish())
}

/// The id in the path, for admins.
fn dead_letter(caller: &Caller, id: &str) -> Result<SyncId, Problem> {
    caller.require_admin()?;
    id.parse().map_err(|_| not_found())
}

fn not_found() -> Problem {
    let detail = "There is no such dead letter; GET /api/v1/syncs/{sync_id} tells what became of a sync";
    Problem::new(Code::DeadLetterNotFound, detail)
}

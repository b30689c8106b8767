//! The queue, for administrators: its figures, and what it could not do.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use module_monitor_domain::SyncId;
use uuid::Uuid;

use super::auth::Caller;
use super::code::Code;
use super::openapi::{Operation, Routes, at, example};
use super::problem::Problem;
use super::query::Query;
use crate::api::queue::{DeadLetterItem, DeadLetterView, QueueView, Settled};
use crate::state::AppState;

/// `GET /queue`, `/queue/dead-letters` and what can be done to one of them.
pub(crate) fn configure(routes: &mut Routes) {
    let figures_says = Operation::admin("show_queue", "Show how the queue is doing")
        .answers::<QueueView>(StatusCode::OK, "The figures of all nodes.", example!("queue"))
        .fails(&[Code::ValidationFailed]);
    let list_says = Operation::admin("list_dead_letters", "List the reports that could not be applied, newest first")
        .answers_list::<DeadLetterItem>("A part of the dead letters.", example!("dead_letters"));
    let show_says = Operation::admin("show_dead_letter", "Show a dead letter, with its report and every error")
        .answers::<DeadLetterView>(StatusCode::OK, "The dead letter.", example!("dead_letter"));
    let discard_says = Operation::admin("discard_dead_letter", "Discard a dead letter")
        .about("For good: its report is deleted. `GET /syncs/{sync_id}` tells that it was.")
        .answers_empty(StatusCode::NO_CONTENT, "It is discarded.");
    let retry_says = Operation::admin("retry_dead_letter", "Queue a dead letter again")
        .about(
            "With all its attempts. Where the site has had a newer report applied since, it is `superseded` instead, \
             because its report is out of date.",
        )
        .answers::<Settled>(StatusCode::OK, "What it is now.", example!("settled_dead_letter"));
    routes.group("Queue").add(at("/queue").get(figures, figures_says));
    routes.add(at("/queue/dead-letters").get(list, list_says));
    let one = "/queue/dead-letters/{dead_letter_id}";
    routes.add(at(one).get(show, show_says).delete(discard, discard_says));
    routes.add(at("/queue/dead-letters/{dead_letter_id}/retry").post(retry, retry_says));
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

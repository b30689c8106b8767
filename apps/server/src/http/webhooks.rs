//! Webhooks.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};

use super::auth::Caller;
use super::code::Code;
use super::fields::read_fields;
use super::openapi::{Operation, Routes, at, example};
use super::problem::Problem;
use super::query::Query;
use crate::api::webhooks::{WantedWebhook, WebhookView};
use crate::state::AppState;

/// `POST /webhooks`, `GET /webhooks` and `DELETE /webhooks/{webhook_id}`.
pub(crate) fn configure(routes: &mut Routes) {
    let create_says = Operation::admin("create_webhook", "Register a webhook")
        .about(
            "From now on, what it wants to be told of is kept for it, in the transaction in which it happens. Nothing is \
             sent yet: this version keeps the events, and does not deliver them.",
        )
        .body::<WantedWebhook>(example!("new_webhook"))
        .answers::<WebhookView>(StatusCode::CREATED, "The webhook.", example!("webhook"))
        .with_headers(&["Location"]);
    let list_says = Operation::admin("list_webhooks", "List the webhooks in the order of their registration")
        .answers_list::<WebhookView>("A part of the list.", example!("webhooks"));
    let remove_says = Operation::admin("delete_webhook", "Remove a webhook")
        .about("What was kept for it alone is removed with it.")
        .answers_empty(StatusCode::NO_CONTENT, "The webhook is gone.");
    routes.group("Webhooks").add(at("/webhooks").post(create, create_says).get(list, list_says));
    routes.add(at("/webhooks/{webhook_id}").delete(remove, remove_says));
}

async fn create(
    caller: Caller,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    Query::of(&request).finish()?;
    let wanted: WantedWebhook = read_fields(&caller, &request, payload, &state).await?;
    let webhook = state.storage.create_webhook(wanted.checked(state.clock.now())?, &caller.key_id).await?;
    let location = format!("/api/v1/webhooks/{}", webhook.id);
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(WebhookView::from(webhook)))
}

async fn list(caller: Caller, request: HttpRequest, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let mut query = Query::of(&request);
    let paging = query.take_paging::<i64>("webhooks");
    query.finish()?;
    let found = state.storage.list_webhooks(paging.page()).await?;
    Ok(HttpResponse::Ok().json(paging.list(found, |webhook| webhook.id, WebhookView::from)))
}

async fn remove(caller: Caller, id: web::Path<String>, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let not_found = || Problem::new(Code::WebhookNotFound, "There is no webhook of that id");
    // Only the canonical form is an id.
    let id = id.parse().ok().filter(|number: &i64| number.to_string() == *id).ok_or_else(not_found)?;
    if !state.storage.remove_webhook(id, state.clock.now(), &caller.key_id).await? {
        return Err(not_found());
    }
    Ok(HttpResponse::NoContent().finish())
}

//! Accepted risks.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use module_monitor_ingestion::FieldError;
use module_monitor_storage::StorageError;
use uuid::Uuid;

use super::auth::Caller;
use super::code::Code;
use super::fields::read_fields;
use super::openapi::{Operation, Routes, at, example};
use super::problem::Problem;
use super::query::Query;
use super::recount::settle_figures;
use crate::api::acceptances::{AcceptanceView, WantedAcceptance};
use crate::api::words::boolean;
use crate::state::AppState;

/// `POST /security/acceptances`, `GET /security/acceptances` and `GET`, `DELETE /security/acceptances/{id}`.
pub(crate) fn configure(routes: &mut Routes) {
    let create_says = Operation::admin("create_acceptance", "Accept a risk")
        .about(
            "What it covers leaves the figures of sites, and stays in the list of security updates, marked as accepted. \
             It ends by itself at `until`.",
        )
        .body::<WantedAcceptance>(example!("new_acceptance"))
        .answers::<AcceptanceView>(StatusCode::CREATED, "The accepted risk.", example!("acceptance"))
        .with_headers(&["Location"]);
    let list_says = Operation::admin("list_acceptances", "List the accepted risks, newest first")
        .query("ended", "Also those that have ended.", boolean())
        .answers_list::<AcceptanceView>("A part of the list.", example!("acceptances"));
    let show_says = Operation::admin("show_acceptance", "Show an accepted risk, ended or not")
        .answers::<AcceptanceView>(StatusCode::OK, "The accepted risk.", example!("acceptance"));
    let withdraw_says = Operation::admin("withdraw_acceptance", "Accept a risk no longer")
        .about("What it covered counts again. It stays in the list of those that have ended.")
        .answers_empty(StatusCode::NO_CONTENT, "It has ended.");
    routes.group("Security").add(at("/security/acceptances").post(create, create_says).get(list, list_says));
    let one = at("/security/acceptances/{acceptance_id}");
    routes.add(one.get(show, show_says).delete(withdraw, withdraw_says));
}

async fn create(
    caller: Caller,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    Query::of(&request).finish()?;
    let wanted: WantedAcceptance = read_fields(&caller, &request, payload, &state).await?;
    let acceptance = wanted.checked(state.clock.now())?;
    if let Some(site) = acceptance.site_id
        && state.storage.find_site(site).await?.is_none()
    {
        return Err(no_such_site());
    }
    let id = acceptance.id;
    match state.storage.create_acceptance(acceptance, &caller.key_id).await {
        Err(StorageError::MissingReference(_)) => return Err(no_such_site()),
        created => created?,
    }
    settle_figures(&state).await;
    let location = format!("/api/v1/security/acceptances/{id}");
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(find(id, &state).await?))
}

fn no_such_site() -> Problem {
    let (pointer, code) = ("/site_id".to_owned(), "unknown-site".to_owned());
    Problem::invalid(vec![FieldError { pointer, code, detail: "there is no such site".to_owned() }])
}

async fn list(caller: Caller, request: HttpRequest, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let mut query = Query::of(&request);
    let ended = query.take_bool("ended").unwrap_or(false);
    let paging = query.take_paging::<Uuid>("acceptances");
    query.finish()?;
    let found = state.storage.list_acceptances(ended, paging.page()).await?;
    Ok(HttpResponse::Ok().json(paging.list(found, |acceptance| acceptance.id, AcceptanceView::from)))
}

async fn show(caller: Caller, id: web::Path<String>, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    Ok(HttpResponse::Ok().json(find(parse_id(&id)?, &state).await?))
}

async fn find(id: Uuid, state: &AppState) -> Result<AcceptanceView, Problem> {
    state.storage.find_acceptance(id).await?.map(AcceptanceView::from).ok_or_else(not_found)
}

async fn withdraw(caller: Caller, id: web::Path<String>, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    if !state.storage.withdraw_acceptance(parse_id(&id)?, state.clock.now(), &caller.key_id).await? {
        return Err(not_found());
    }
    settle_figures(&state).await;
    Ok(HttpResponse::NoContent().finish())
}

fn parse_id(id: &str) -> Result<Uuid, Problem> {
    id.parse().map_err(|_| not_found())
}

fn not_found() -> Problem {
    Problem::new(Code::AcceptanceNotFound, "There is none of that id, or it has ended")
}

//! What happened to a site as a whole.

use actix_web::{HttpRequest, HttpResponse, web};

use super::auth::Caller;
use super::openapi::{Operation, Routes, at, example};
use super::problem::Problem;
use super::query::Query;
use crate::api::site_events::SiteEventEntry;
use crate::state::AppState;

/// `GET /sites/{site_id}/events`.
pub(crate) fn configure(routes: &mut Routes) {
    let list_says = Operation::site("list_site_events", "List what happened to a site as a whole, newest first")
        .about(
            "What happened to its modules is in the history of each. A report from another environment or URL, as of a \
             copy of the site, is an `identity_changed`; one that removed most modules a `mass_removal`.",
        )
        .answers_list::<SiteEventEntry>("A part of the list.", example!("site_events"));
    routes.add(at("/sites/{site_id}/events").get(list, list_says));
}

async fn list(
    caller: Caller,
    site: web::Path<String>,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let site = caller.existing_site(&site, &state).await?;
    let mut query = Query::of(&request);
    let paging = query.take_paging::<i64>("site-events");
    query.finish()?;
    let events = state.storage.site_events(site, paging.page()).await?;
    Ok(HttpResponse::Ok().json(paging.list(events, |event| event.id, SiteEventEntry::from)))
}

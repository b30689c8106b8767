//! Reading the audit log: what sites sent, and what administrators did.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use module_monitor_domain::{SiteId, SyncId};
use module_monitor_storage::{JobState, StorageError, SyncRecord};
use uuid::Uuid;

use super::auth::Caller;
use super::code::Code;
use super::openapi::{Operation, Routes, at, example};
use super::problem::Problem;
use super::query::Query;
use crate::api::audit::{Administration, Entry, SyncEntry};
use crate::state::AppState;

/// `GET /syncs/{sync_id}`, `GET /sites/{site_id}/syncs` and `GET /audit`.
pub(crate) fn configure(routes: &mut Routes) {
    let show_says = Operation::site("show_sync", "Show what became of a report").answers::<SyncEntry>(
        StatusCode::OK,
        "The report's entry in the audit log.",
        example!("sync"),
    );
    let list_says = Operation::site("list_syncs", "List a site's reports, newest first")
        .about("Refused ones are there too: one entry for each key, reason and minute.")
        .answers_list::<Entry>("A part of the site's audit log.", example!("syncs"));
    let audit_says = Operation::admin("list_admin_events", "List what administrators did, newest first")
        .answers_list::<Administration>("A part of the log.", example!("admin_events"));
    routes.group("Reports").add(at("/syncs/{sync_id}").get(show, show_says));
    routes.add(at("/sites/{site_id}/syncs").get(list, list_says));
    routes.group("Audit").add(at("/audit").get(administration, audit_says));
}

async fn show(caller: Caller, id: web::Path<String>, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    let not_found = || Problem::new(Code::SyncNotFound, "There is no such sync, or this key is not for its site");
    let id: SyncId = id.parse().map_err(|_| not_found())?;
    let entry = find(&state, id).await?.filter(|(site, _)| caller.may_see(*site));
    entry.map(|(_, entry)| HttpResponse::Ok().json(entry)).ok_or_else(not_found)
}

async fn find(state: &AppState, id: SyncId) -> Result<Option<(SiteId, SyncEntry)>, StorageError> {
    // The job first: when it has succeeded by then, its sync is there.
    let job = state.storage.find_job(id).await?;
    if let Some(job) = job.as_ref().filter(|job| job.state != JobState::Succeeded) {
        return Ok(Some((job.site_id, job.clone().into())));
    }
    let Some(sync) = state.storage.find_sync(id).await? else { return Ok(None) };
    let site = sync.outcome.site_id;
    let result = Some(sync.outcome.clone().into());
    let entry = job.map_or_else(|| sync.into(), |job| SyncEntry { result, ..job.into() });
    Ok(Some((site, entry)))
}

async fn list(
    caller: Caller,
    site: web::Path<String>,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let site = caller.existing_site(&site, &state).await?;
    let mut query = Query::of(&request);
    let paging = query.take_paging::<Uuid>("syncs");
    query.finish()?;
    state.rejections.write().await;
    let found = state.storage.site_syncs(site, paging.page()).await?;
    Ok(HttpResponse::Ok().json(paging.list(found, SyncRecord::id, Entry::from)))
}

async fn administration(
    caller: Caller,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let mut query = Query::of(&request);
    let paging = query.take_paging::<i64>("audit");
    query.finish()?;
    let found = state.storage.admin_events(paging.page()).await?;
    Ok(HttpResponse::Ok().json(paging.list(found, |event| event.id, Administration::from)))
}

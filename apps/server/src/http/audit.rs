//! Reading the audit log: what sites sent, and what administrators did.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use module_monitor_domain::{SiteId, SyncId};
use module_monitor_ingestion::SyncResponse;
use module_monitor_storage::{
    AdminEvent, AppliedSync, Job, JobState, Rejections, StorageError, SyncOrigin, SyncRecord,
};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::AppState;
use super::auth::Caller;
use super::openapi::{Operation, Routes, SyncResult, at, example, words};
use super::problem::{Code, Problem};
use super::query::Query;

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

/// An entry of a site's audit log.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum Entry {
    Sync(Box<SyncEntry>),
    Rejected(RejectedEntry),
}

/// A sync that was accepted.
#[derive(Serialize, ToSchema)]
#[schema(as = Sync)]
pub(crate) struct SyncEntry {
    #[schema(schema_with = words::sync_id)]
    sync_id: String,
    #[schema(format = "uuid")]
    site_id: String,
    #[schema(schema_with = words::sync_status)]
    status: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    received_at: OffsetDateTime,
    key_id: Option<String>,
    client_address: Option<String>,
    body_bytes: Option<i64>,
    /// How often a worker has taken it; `null` where it did not go through the queue.
    attempts: Option<i32>,
    /// Why it failed, was superseded or is dead.
    reason: Option<String>,
    /// What the last attempt that did not end well said.
    last_error: Option<String>,
    /// When it left the queue.
    #[serde(with = "time::serde::rfc3339::option")]
    finished_at: Option<OffsetDateTime>,
    /// What the report was answered with, or would have been; `null` until it has been applied.
    #[schema(value_type = Option<SyncResult>)]
    result: Option<SyncResponse>,
}

/// Syncs that were refused for one reason within a minute.
#[derive(Serialize, ToSchema)]
struct RejectedEntry {
    #[schema(schema_with = words::rejected)]
    status: &'static str,
    /// The `code` of the problem it was answered with, or `wrong-site`.
    reason: String,
    #[schema(minimum = 1)]
    count: i64,
    #[serde(with = "time::serde::rfc3339")]
    first_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    last_at: OffsetDateTime,
    key_id: String,
    client_address: Option<String>,
    body_bytes: Option<i64>,
}

impl From<AppliedSync> for SyncEntry {
    fn from(sync: AppliedSync) -> Self {
        let SyncOrigin { key_id, client_address, body_bytes } = sync.origin;
        Self {
            sync_id: sync.outcome.sync_id.to_string(),
            site_id: sync.outcome.site_id.to_string(),
            status: JobState::Succeeded.as_str(),
            received_at: sync.received_at,
            key_id,
            client_address,
            body_bytes,
            attempts: None,
            reason: None,
            last_error: None,
            finished_at: None,
            result: Some(sync.outcome.into()),
        }
    }
}

impl From<Job> for SyncEntry {
    fn from(job: Job) -> Self {
        let SyncOrigin { key_id, client_address, body_bytes } = job.origin;
        Self {
            sync_id: job.id.to_string(),
            site_id: job.site_id.to_string(),
            status: job.state.as_str(),
            received_at: job.received_at,
            key_id,
            client_address,
            body_bytes,
            attempts: Some(job.attempts),
            reason: job.reason,
            // What is behind an error is for administrators, who find it with the dead letters.
            last_error: job.last_error.map(|chain| chain.split(": ").next().unwrap_or_default().to_owned()),
            finished_at: job.finished_at,
            result: None,
        }
    }
}

impl From<Rejections> for RejectedEntry {
    fn from(rejections: Rejections) -> Self {
        Self {
            status: "rejected",
            reason: rejections.reason,
            count: rejections.count,
            first_at: rejections.first_at,
            last_at: rejections.last_at,
            key_id: rejections.key_id,
            client_address: rejections.client_address,
            body_bytes: rejections.body_bytes,
        }
    }
}

impl From<SyncRecord> for Entry {
    fn from(record: SyncRecord) -> Self {
        match record {
            SyncRecord::Applied(sync) => Self::Sync(Box::new(sync.into())),
            SyncRecord::Queued(job) => Self::Sync(Box::new(job.into())),
            SyncRecord::Rejected(rejections) => Self::Rejected(rejections.into()),
        }
    }
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

/// What an administrator did.
#[derive(Serialize, ToSchema)]
struct Administration {
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    actor: String,
    action: String,
    site_id: Option<String>,
    target: String,
    detail: Option<String>,
}

impl From<AdminEvent> for Administration {
    fn from(event: AdminEvent) -> Self {
        Self {
            at: event.at,
            actor: event.actor,
            action: event.action,
            site_id: event.site_id.map(|id| id.to_string()),
            target: event.target,
            detail: event.detail,
        }
    }
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

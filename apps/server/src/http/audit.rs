//! Reading the audit log: what sites sent, and what administrators did.

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use module_monitor_domain::{SiteId, SyncId};
use module_monitor_ingestion::SyncResponse;
use module_monitor_storage::{
    AdminEvent, AppliedSync, Job, JobState, Rejections, StorageError, SyncOrigin, SyncRecord,
};
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::AppState;
use super::auth::Caller;
use super::problem::{Code, Problem};
use super::query::Query;

/// `GET /syncs/{sync_id}`, `GET /sites/{site_id}/syncs` and `GET /audit`.
pub(crate) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(web::resource("/syncs/{sync_id}").route(web::get().to(show)).route(web::head().to(show)));
    cfg.service(web::resource("/sites/{site_id}/syncs").route(web::get().to(list)).route(web::head().to(list)));
    cfg.service(web::resource("/audit").route(web::get().to(administration)).route(web::head().to(administration)));
}

/// An entry of a site's audit log.
#[derive(Serialize)]
#[serde(untagged)]
enum Entry {
    Sync(Box<SyncEntry>),
    Rejected(RejectedEntry),
}

/// A sync that was accepted.
#[derive(Serialize)]
pub(crate) struct SyncEntry {
    sync_id: String,
    site_id: String,
    status: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    received_at: OffsetDateTime,
    key_id: Option<String>,
    client_address: Option<String>,
    body_bytes: Option<i64>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    job: Option<JobEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<SyncResponse>,
}

/// What there is to say of a sync because it went through the queue.
#[derive(Serialize)]
struct JobEntry {
    attempts: i32,
    reason: Option<String>,
    last_error: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    finished_at: Option<OffsetDateTime>,
}

/// Syncs that were refused for one reason within a minute.
#[derive(Serialize)]
struct RejectedEntry {
    status: &'static str,
    reason: String,
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
            job: None,
            result: Some(sync.outcome.into()),
        }
    }
}

impl From<Job> for JobEntry {
    fn from(job: Job) -> Self {
        let Job { attempts, reason, last_error, finished_at, .. } = job;
        // What is behind an error is for administrators, who find it with the dead letters.
        let last_error = last_error.map(|chain| chain.split(": ").next().unwrap_or_default().to_owned());
        Self { attempts, reason, last_error, finished_at }
    }
}

impl From<Job> for SyncEntry {
    fn from(job: Job) -> Self {
        let SyncOrigin { key_id, client_address, body_bytes } = job.origin.clone();
        Self {
            sync_id: job.id.to_string(),
            site_id: job.site_id.to_string(),
            status: job.state.as_str(),
            received_at: job.received_at,
            key_id,
            client_address,
            body_bytes,
            job: Some(job.into()),
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
    Ok(Some((site, SyncEntry { job: job.map(JobEntry::from), ..sync.into() })))
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
#[derive(Serialize)]
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

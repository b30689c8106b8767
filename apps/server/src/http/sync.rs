//! Taking reports.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::{HttpRequest, HttpResponse, web};
use module_monitor_domain::SiteId;
use module_monitor_ingestion::queue::{SentBody, Submission, Submitted};
use module_monitor_ingestion::{FieldError, RequestError, SyncError, SyncRequest};
use module_monitor_storage::{GlancedReport, SyncOrigin};
use utoipa::openapi::Type;

use super::auth::Caller;
use super::body::{Body, hold_decoded, read_json};
use super::client_address::client_address;
use super::code::Code;
use super::deferred::Answer;
use super::inventory::{describe_show, show_module};
use super::openapi::{Operation, Routes, at, example};
use super::prefer::Preferences;
use super::problem::Problem;
use super::rate_limit::{announce, refusal};
use crate::api::audit::SyncEntry;
use crate::api::report::{Report, SyncResult};
use crate::api::words::object;
use crate::limits::Room;
use crate::logging::millis;
use crate::metrics::Outcome;
use crate::rejections::Refused;
use crate::state::AppState;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Bodies above this, in bytes, are decoded where they do not keep other requests waiting.
const DECODED_IN_PLACE: usize = 64 * 1024;

/// `POST /sites/{site_id}/modules/sync`.
pub(crate) fn configure(routes: &mut Routes) {
    let says = Operation::site("sync", "Report what a site has installed")
        .about(
            "The body may be compressed (`Content-Encoding: gzip`, `br` or `zstd`) and has at most 16 MiB when it is \
             not. Repeating a report is safe, and an unchanged one costs next to nothing. A report that changes much \
             (over 1000 modules, unless the server says otherwise), and any that comes while another of its site \
             waits or when its site has changed thousands of modules within a minute, goes through the queue: the \
             answer is the result where that is there within 5 seconds, else 202.",
        )
        .header(
            "Prefer",
            "`handling=lenient` takes the valid modules and lists the others in `rejected`; otherwise one invalid \
             module makes the whole report invalid. `respond-async` puts the report in the queue and does not wait; \
             `wait=N` waits up to N seconds for a report that has to go there.",
            object(Type::String).examples(["handling=lenient, wait=10"]),
        )
        .header(
            "Idempotency-Key",
            "Printable ASCII. The same key with the same body is applied once: within 24 hours the stored answer \
             comes back, with `Idempotent-Replayed: true`.",
            object(Type::String).min_length(Some(1)).max_length(Some(255)).pattern(Some("^[ -~]+$")),
        )
        .body::<Report>(example!("report"))
        .answers::<SyncResult>(StatusCode::OK, "The report has been applied.", example!("sync_result"))
        .with_headers(&["Preference-Applied", "Idempotent-Replayed"])
        .answers::<SyncEntry>(
            StatusCode::ACCEPTED,
            "The report is stored, and will be applied in its turn. Ask at `Location`.",
            example!("queued_sync"),
        )
        .with_headers(&["Location", "Retry-After", "Preference-Applied", "Idempotent-Replayed"])
        .fails(&[
            Code::SiteInactive,
            Code::StaleSync,
            Code::IdentityConflict,
            Code::IdempotencyKeyReused,
            Code::TooManyModules,
            Code::RateLimited,
            Code::Overloaded,
            Code::QueueFull,
        ]);
    let module = describe_show("show_module_named_sync").about("A module may be named `sync`; this is its address.");
    routes
        .group("Reports")
        .add(at("/sites/{site_id}/modules/sync").post(sync, says).get(show_module_named_sync, module));
}

async fn sync(
    caller: Caller,
    site: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    // Once the report is being worked on, that work writes its refusal down: the client may have gone by then.
    let mut attempt = Some(Attempt::new(&caller, &site, &request, &state));
    let result = admit(caller, &site, &request, payload, &mut attempt, &state).await;
    if let (Err(problem), Some(attempt)) = (&result, attempt) {
        attempt.refused(problem, &state);
    }
    result
}

/// What the audit log says of a sync that is refused.
struct Attempt {
    site: Option<SiteId>,
    elsewhere: bool,
    key_id: String,
    client_address: Option<String>,
    body_bytes: Option<i64>,
}

impl Attempt {
    fn new(caller: &Caller, path: &str, request: &HttpRequest, state: &AppState) -> Self {
        let named = caller.site(path).ok();
        let announced =
            request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        Self {
            site: caller.own_site().or(named),
            elsewhere: named.is_none(),
            key_id: caller.key_id.clone(),
            client_address: client_address(request, &state.trusted_proxies).map(|address| address.to_string()),
            body_bytes: announced,
        }
    }

    /// Goes to the log of the key's own site. What an admin sends to a site that does not exist has no log to go to.
    fn refused(self, problem: &Problem, state: &AppState) {
        let (Some(site), code) = (self.site, problem.code()) else { return };
        let unknown = code == Code::SiteNotFound;
        if unknown && !self.elsewhere {
            return;
        }
        state.rejections.add(Refused {
            site,
            key_id: self.key_id,
            reason: if unknown { "wrong-site" } else { code.as_str() },
            at: state.clock.now(),
            client_address: self.client_address,
            body_bytes: self.body_bytes,
        });
    }
}

/// Lets a sync in that its site may send now. What the server has no room for does not count against the site's limit.
async fn admit(
    caller: Caller,
    site: &str,
    request: &HttpRequest,
    payload: web::Payload,
    attempt: &mut Option<Attempt>,
    state: &web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let site = caller.site(site)?;
    caller.require_active()?;
    let admission = state.rate_limiter.admit(site, state.keyring.rate_limit(site)).await;
    if !admission.allowed {
        return announce(&admission, Err(refusal(&admission)));
    }
    let answer = take(caller, site, request, payload, attempt, state).await;
    if answer.as_ref().is_err_and(|problem| problem.code() == Code::Overloaded) {
        state.rate_limiter.take_back(site, &admission);
        return answer;
    }
    announce(&admission, answer)
}

/// Reads and applies a report of `site`.
async fn take(
    caller: Caller,
    site: SiteId,
    request: &HttpRequest,
    payload: web::Payload,
    attempt: &mut Option<Attempt>,
    state: &web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let preferences = Preferences::of(request.headers());
    let idempotency_key = idempotency_key(request.headers())?;
    let mut room = state.body_memory.room(&caller.key_id);
    let Body { json, received } = read_json(request, payload, &mut room).await?;
    hold_decoded(&json, &mut room)?;
    let sent = Sent { json, preferences, idempotency_key, room };
    let origin = SyncOrigin {
        key_id: Some(caller.key_id),
        client_address: client_address(request, &state.trusted_proxies).map(|address| address.to_string()),
        body_bytes: i64::try_from(received).ok(),
    };
    // A client that hangs up drops this handler, and must neither stop its sync nor hide what became of it.
    let (shared, attempt) = (state.clone().into_inner(), attempt.take());
    let work = async move {
        let result = run(Arc::clone(&shared), site, sent, origin).await;
        if let (Err(problem), Some(attempt)) = (&result, attempt) {
            attempt.refused(problem, &shared);
        }
        result
    };
    let submitted = state.spawn(work).await.map_err(Problem::internal)??;
    Answer::to(submitted, preferences, state).await?.into_response()
}

/// A report as it was sent.
struct Sent {
    json: Vec<u8>,
    preferences: Preferences,
    idempotency_key: Option<String>,
    /// The memory that `json` and what is decoded from it take, given back when it is no longer needed, whether or not the client still waits.
    room: Room,
}

impl Sent {
    /// What a glance at the report finds, where its sender waits for the result.
    fn glance(&self) -> Option<SyncRequest<GlancedReport>> {
        let waits = !self.preferences.respond_async;
        let glanced = waits.then(|| SyncRequest::glance(&self.json)).flatten()?;
        Some(match &self.idempotency_key {
            Some(key) => glanced.with_idempotency_key(key.clone(), &self.json),
            None => glanced,
        })
    }

    fn decode(self) -> Result<(Submission, Room), RequestError> {
        let Self { json: body, preferences: Preferences { handling, respond_async, .. }, idempotency_key, room } = self;
        let mut request = SyncRequest::from_json(&body, handling)?;
        if let Some(key) = idempotency_key {
            request = request.with_idempotency_key(key, &body);
        }
        Ok((Submission { request, body: SentBody::keep(body), handling, respond_async }, room))
    }
}

/// The client's `Idempotency-Key`: 1 to 255 printable ASCII characters.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY);
    let (Some(value), None) = (values.next(), values.next()) else {
        return if headers.contains_key(IDEMPOTENCY_KEY) { Err(bad_idempotency_key()) } else { Ok(None) };
    };
    // `to_str` alone would let tabs through.
    let printable = |key: &&str| key.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let key = value.to_str().ok().filter(|key| (1..=255).contains(&key.len())).filter(printable);
    key.map(|key| Some(key.to_owned())).ok_or_else(bad_idempotency_key)
}

fn bad_idempotency_key() -> Problem {
    Problem::invalid(vec![FieldError {
        pointer: "/header/Idempotency-Key".to_owned(),
        code: "format".to_owned(),
        detail: "Idempotency-Key must be given once, with 1 to 255 printable ASCII characters".to_owned(),
    }])
}

/// The single view of the inventory, where its address is ours.
async fn show_module_named_sync(
    caller: Caller,
    site: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    show_module(caller, &site, "sync", &state).await
}

/// Decodes a report and applies or queues it, and writes down how that went.
async fn run(state: Arc<AppState>, site: SiteId, sent: Sent, origin: SyncOrigin) -> Result<Submitted, Problem> {
    let started = state.clock.instant();
    let mut result = submit(&state, site, sent, origin).await;
    let elapsed = state.clock.instant().duration_since(started);
    count(&state, &result, elapsed);
    match &mut result {
        Ok(Submitted::Applied { response: applied, replayed }) => tracing::info!(
            %site,
            sync_id = applied.sync_id,
            processed = applied.processed_count,
            new = applied.new_modules,
            updated = applied.updated_modules,
            removed = applied.removed_modules,
            rejected = applied.rejected.len(),
            replayed = *replayed,
            ms = millis(elapsed),
            "sync applied"
        ),
        Ok(Submitted::Queued { id, replayed }) => {
            tracing::info!(%site, sync_id = %id, replayed = *replayed, ms = millis(elapsed), "sync queued");
        }
        Err(problem) => {
            problem.log_cause(Some(&state.health));
            tracing::info!(%site, code = problem.code().as_str(), ms = millis(elapsed), "sync not applied");
        }
    }
    result
}

async fn submit(state: &AppState, site: SiteId, sent: Sent, origin: SyncOrigin) -> Result<Submitted, Problem> {
    // Large ones one at a time, so that there is always a core for others, and memory.
    let turn = if sent.json.len() > SentBody::LARGE { Some(state.large_bodies.acquire().await) } else { None };
    let (glanced, sent) = away(sent, |sent| (sent.glance(), sent)).await?;
    if let Some(glanced) = glanced
        && let Some(submitted) = state.queue.submit_glanced(site, glanced, origin.clone()).await?
    {
        return Ok(submitted);
    }
    let (submission, _room) = away(sent, Sent::decode).await??;
    drop(turn);
    state.queue.submit(site, submission, origin).await.map_err(Problem::from)
}

/// What `read` makes of a report, a large one on a thread of its own.
async fn away<T: Send + 'static>(sent: Sent, read: impl FnOnce(Sent) -> T + Send + 'static) -> Result<T, Problem> {
    if sent.json.len() <= DECODED_IN_PLACE {
        return Ok(read(sent));
    }
    tokio::task::spawn_blocking(move || read(sent)).await.map_err(Problem::internal)
}

fn count(state: &AppState, result: &Result<Submitted, Problem>, elapsed: Duration) {
    let outcome = match result {
        Ok(Submitted::Applied { replayed: false, .. }) => Outcome::Applied,
        Ok(Submitted::Queued { replayed: false, .. }) => Outcome::Queued,
        Ok(Submitted::Applied { .. } | Submitted::Queued { .. }) => Outcome::Replayed,
        Err(problem) => outcome_of(problem),
    };
    state.metrics.count_sync(outcome);
    state.metrics.sync_duration.observe(elapsed.as_secs_f64());
    if let Ok(Submitted::Applied { response: applied, replayed: false }) = result {
        state.metrics.count_modules(applied.new_modules, applied.updated_modules, applied.removed_modules);
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
            SyncError::QueueFull => Self::queue_full(),
            error @ (SyncError::MustQueue | SyncError::Payload(_)) => Self::internal(error),
            SyncError::Storage(error) => error.into(),
        }
    }
}

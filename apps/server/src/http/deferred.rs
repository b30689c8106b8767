//! The answer to a report, which may be in the queue.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderName};
use module_monitor_domain::SyncId;
use module_monitor_ingestion::Handling;
use module_monitor_ingestion::queue::{Progress, Submitted};
use module_monitor_storage::{Job, JobState, StorageError};

use super::code::Code;
use super::prefer::{PREFERENCE_APPLIED, Preferences};
use super::problem::Problem;
use crate::api::audit::SyncEntry;
use crate::state::AppState;

const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// How long a client waits for the result of a queued sync where it does not say.
const DEFAULT_WAIT: Duration = Duration::from_secs(5);
/// How many seconds a client should leave a queued sync alone.
const RETRY_AFTER_SECONDS: u16 = 5;

/// The answer to a report.
pub(crate) struct Answer {
    result: Progress,
    replayed: bool,
    applied: Vec<String>,
}

impl Answer {
    /// Waits for the result where that is in the queue, as long as the client wants to and somebody is at work.
    pub(crate) async fn to(submitted: Submitted, preferences: Preferences, state: &AppState) -> Result<Self, Problem> {
        let mut applied = Vec::new();
        if preferences.handling == Handling::Lenient {
            applied.push("handling=lenient".to_owned());
        }
        let (id, replayed) = match submitted {
            Submitted::Applied { response, replayed } => {
                return Ok(Self { result: Progress::Applied(response), replayed, applied });
            }
            Submitted::Queued { id, replayed } => (id, replayed),
        };
        if preferences.respond_async {
            applied.push("respond-async".to_owned());
        }
        let patience = patience(preferences, state).await?;
        if preferences.wait == Some(patience) {
            applied.push(format!("wait={}", patience.as_secs()));
        }
        let result = tokio::select! {
            result = state.queue.wait(id, patience) => result?,
            () = state.stopping.cancelled() => state.queue.progress(id).await?,
        };
        let result = result.ok_or_else(|| lost(id))?;
        Ok(Self { result, replayed, applied })
    }

    /// 200 with the result, 202 with the state of the job, or the problem that the job has come to.
    pub(crate) fn into_response(self) -> Result<HttpResponse, Problem> {
        let mut response = match &self.result {
            Progress::Applied(_) => HttpResponse::Ok(),
            Progress::Job(job) => {
                if let Some(problem) = problem_of(job) {
                    return Err(problem);
                }
                let mut response = HttpResponse::Accepted();
                response.insert_header((header::LOCATION, format!("/api/v1/syncs/{}", job.id)));
                response.insert_header((header::RETRY_AFTER, RETRY_AFTER_SECONDS.to_string()));
                response
            }
        };
        if !self.applied.is_empty() {
            response.insert_header((PREFERENCE_APPLIED, self.applied.join(", ")));
        }
        if self.replayed {
            response.insert_header((IDEMPOTENT_REPLAYED, "true"));
        }
        Ok(match self.result {
            Progress::Applied(result) => response.json(result),
            Progress::Job(job) => response.json(SyncEntry::from(*job)),
        })
    }
}

/// How long to wait for the result of a queued sync.
async fn patience(preferences: Preferences, state: &AppState) -> Result<Duration, StorageError> {
    let default = if preferences.respond_async { Duration::ZERO } else { DEFAULT_WAIT };
    let wanted = preferences.wait.unwrap_or(default).min(state.wait_cap);
    if wanted.is_zero() || state.has_worker || state.queue.is_served().await? { Ok(wanted) } else { Ok(Duration::ZERO) }
}

/// What the client hears of a job that was refused when its turn came.
fn problem_of(job: &Job) -> Option<Problem> {
    let reason = job.reason.as_deref().filter(|_| job.state == JobState::Failed)?;
    let problem = match reason {
        "stale-sync" => Problem::new(
            Code::StaleSync,
            "A newer report was applied before this one had its turn. Send a fresh full report",
        ),
        "identity-conflict" => Problem::new(
            Code::IdentityConflict,
            "This site reports from another installation. A copy of it needs a site and a key of its own",
        ),
        "too-many-modules" => Problem::new(
            Code::TooManyModules,
            "With this report the site would have more modules than are kept of one. Send a full report",
        ),
        _ => return None,
    };
    Some(problem.about(job.id))
}

fn lost(id: SyncId) -> Problem {
    Problem::internal(format!("{id} was accepted and is not in the queue"))
}

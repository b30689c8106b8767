//! Accepted risks.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use module_monitor_domain::{DrupalVersion, ProjectName, SiteId};
use module_monitor_ingestion::{FieldError, ReleaseService, uuid_at};
use module_monitor_storage::{Acceptance, NewAcceptance, Page, StorageError};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;
use uuid::Uuid;

use super::AppState;
use super::auth::Caller;
use super::fields::{Faults, read_fields};
use super::openapi::{Operation, Routes, at, boolean, example, words};
use super::problem::{Code, Problem};
use super::query::Query;
use crate::logging::Chain;

/// The longest reason, in characters.
const MAX_REASON: usize = 1000;
/// How long an answer waits for the figures of sites to be right. They become right in any case.
const PATIENCE: Duration = Duration::from_secs(10);

/// `POST /security/acceptances`, `GET /security/acceptances` and `GET`, `DELETE /security/acceptances/{id}`.
pub(crate) fn configure(routes: &mut Routes) {
    let create_says = Operation::admin("create_acceptance", "Accept a risk")
        .about(
            "What it covers leaves the figures of sites, and stays in the list of security updates, marked as accepted. \
             It ends by itself at `until`.",
        )
        .body::<Wanted>(example!("new_acceptance"))
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

/// An accepted risk, on the wire.
#[derive(Serialize, ToSchema)]
#[schema(as = Acceptance)]
struct AcceptanceView {
    #[schema(format = "uuid")]
    id: String,
    #[schema(schema_with = words::project)]
    project: String,
    versions: Versions,
    /// `null`: all sites.
    #[schema(format = "uuid")]
    site_id: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    until: OffsetDateTime,
    reason: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    created_by: String,
    #[serde(with = "time::serde::rfc3339::option")]
    ended_at: Option<OffsetDateTime>,
    ended_reason: Option<String>,
}

/// Which versions it is for; both bounds are part of it.
#[derive(Serialize, ToSchema)]
#[schema(as = VersionBounds)]
struct Versions {
    from: Option<String>,
    to: Option<String>,
}

impl From<Acceptance> for AcceptanceView {
    fn from(acceptance: Acceptance) -> Self {
        Self {
            id: acceptance.id.to_string(),
            project: acceptance.project.to_string(),
            versions: Versions { from: acceptance.from, to: acceptance.to },
            site_id: acceptance.site_id.map(|site| site.to_string()),
            until: acceptance.until,
            reason: acceptance.reason,
            created_at: acceptance.created_at,
            created_by: acceptance.created_by,
            ended_at: acceptance.ended_at,
            ended_reason: acceptance.ended_reason,
        }
    }
}

/// What a client wants accepted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAcceptance)]
struct Wanted {
    #[schema(schema_with = words::project)]
    project: String,
    /// Left out: all versions.
    versions: Option<WantedVersions>,
    /// Left out or `null`: all sites.
    #[schema(format = "uuid")]
    site_id: Option<String>,
    /// A time that is still to come.
    #[schema(format = "date-time")]
    until: String,
    /// Why the risk can be taken, for those who come later.
    #[schema(min_length = 1, max_length = 1000, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    reason: String,
}

/// The bounds, which are part of it; a missing one leaves its side open.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AcceptedVersions)]
struct WantedVersions {
    #[schema(schema_with = words::version_or_null)]
    from: Option<String>,
    #[schema(schema_with = words::version_or_null)]
    to: Option<String>,
}

impl Wanted {
    /// The acceptance, or everything that is wrong with it.
    fn checked(&self, now: OffsetDateTime) -> Result<NewAcceptance, Problem> {
        let mut faults = Faults::default();
        let expected = |what: &str| format!("it must be {what}");
        let project = ProjectName::parse(&self.project).map_err(|_| expected("the name of a drupal.org project"));
        let project = faults.check("/project", project);
        let (from, to) = self.versions.as_ref().map_or((None, None), |versions| versions.checked(&mut faults));
        let site_id = self.site_id.as_ref().and_then(|id| {
            faults.check("/site_id", id.parse::<SiteId>().map_err(|_| expected("the id of a site, or null for all")))
        });
        let until = still_to_come(&self.until, now);
        let until = faults.check("/until", until.ok_or_else(|| expected("a time that is still to come")));
        let reason = Some(self.reason.trim().to_owned())
            .filter(|reason| !reason.is_empty() && reason.chars().count() <= MAX_REASON && !reason.contains('\0'));
        let reason = faults.check("/reason", reason.ok_or_else(|| expected("a text of 1 to 1000 characters")));
        faults.finish()?;
        match (project, until, reason) {
            (Some(project), Some(until), Some(reason)) => {
                let id = uuid_at(now);
                Ok(NewAcceptance { id, project, from, to, site_id, until, reason, created_at: now })
            }
            // `finish` has told what is missing.
            _ => Err(Problem::invalid(Vec::new())),
        }
    }
}

fn still_to_come(text: &str, now: OffsetDateTime) -> Option<OffsetDateTime> {
    let until = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    let until = until.replace_microsecond(until.microsecond()).ok()?;
    (until > now).then_some(until)
}

impl WantedVersions {
    fn checked(&self, faults: &mut Faults) -> (Option<DrupalVersion>, Option<DrupalVersion>) {
        let mut bound = |pointer: &str, text: &Option<String>| {
            let version = DrupalVersion::parse(text.as_ref()?).map_err(|_| "it must be a version".to_owned());
            faults.check(pointer, version)
        };
        let (from, to) = (bound("/versions/from", &self.from), bound("/versions/to", &self.to));
        if let (Some(from), Some(to)) = (&from, &to) {
            let fault = if is_for_drupal_7(from) != is_for_drupal_7(to) {
                Err("it must be for Drupal 7 where /versions/from is, and only there".to_owned())
            } else if from > to {
                Err("it must not be lower than /versions/from".to_owned())
            } else {
                Ok(())
            };
            faults.check("/versions/to", fault);
        }
        (from, to)
    }
}

fn is_for_drupal_7(version: &DrupalVersion) -> bool {
    version.as_str().starts_with("7.x-")
}

async fn create(
    caller: Caller,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    Query::of(&request).finish()?;
    let wanted: Wanted = read_fields(&request, payload, &state).await?;
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
    settle(&state).await;
    let location = format!("/api/v1/security/acceptances/{id}");
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(find(id, &state).await?))
}

fn no_such_site() -> Problem {
    let (pointer, code) = ("/site_id".to_owned(), "unknown-site".to_owned());
    Problem::invalid(vec![FieldError { pointer, code, detail: "there is no such site".to_owned() }])
}

/// Waits a while until the figures of the sites have followed. They do so in any case: what this recount leaves undone,
/// the server's own does.
async fn settle(state: &AppState) {
    // The interval is for whoever asks for feeds, which this one does not.
    let service = ReleaseService::new(Arc::clone(&state.storage), Arc::clone(&state.clock), Duration::MAX);
    let recount = state.spawn(async move {
        if let Err(error) = service.recount(|_| {}).await {
            tracing::warn!(error = %Chain(&error), "sites are not recounted yet");
        }
    });
    let _ = tokio::time::timeout(PATIENCE, recount).await;
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

/// The list is in the order of ids, from the greatest down.
async fn find(id: Uuid, state: &AppState) -> Result<AcceptanceView, Problem> {
    let first = Page { limit: 1, after: id.as_u128().checked_add(1).map(Uuid::from_u128) };
    let found = state.storage.list_acceptances(true, first).await?.into_iter().find(|found| found.id == id);
    found.map(AcceptanceView::from).ok_or_else(not_found)
}

async fn withdraw(caller: Caller, id: web::Path<String>, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    if !state.storage.withdraw_acceptance(parse_id(&id)?, state.clock.now(), &caller.key_id).await? {
        return Err(not_found());
    }
    settle(&state).await;
    Ok(HttpResponse::NoContent().finish())
}

fn parse_id(id: &str) -> Result<Uuid, Problem> {
    id.parse().map_err(|_| not_found())
}

fn not_found() -> Problem {
    Problem::new(Code::AcceptanceNotFound, "There is none of that id, or it has ended")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

    fn good() -> Value {
        json!({"project": "token", "versions": {"from": "8.x-1.0", "to": "8.x-1.15"}, "site_id": null,
               "until": "2026-12-24T00:00:00+01:00", "reason": " behind a firewall "})
    }

    fn check(body: Value) -> Result<NewAcceptance, Problem> {
        serde_json::from_value::<Wanted>(body).unwrap().checked(NOW)
    }

    /// The pointers to everything that is wrong.
    fn wrong(body: Value) -> Vec<String> {
        check(body).unwrap_err().errors().iter().map(|error| error.pointer.clone()).collect()
    }

    #[test]
    fn a_good_one_is_taken_as_it_is() {
        let taken = check(good()).unwrap();
        assert_eq!((taken.project.as_str(), taken.reason.as_str()), ("token", "behind a firewall"));
        assert_eq!(taken.until, datetime!(2026-12-23 23:00 UTC));
        let bounds = [taken.from, taken.to].map(|bound| bound.unwrap().to_string());
        assert_eq!(bounds, ["8.x-1.0", "8.x-1.15"]);
        for open in [json!(null), json!({}), json!({"from": null})] {
            let mut body = good();
            body["versions"] = open;
            let taken = check(body).unwrap();
            assert_eq!((taken.from, taken.to), (None, None));
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let all = json!({"project": "../x", "versions": {"from": "latest", "to": "?"}, "site_id": "3",
                         "until": "tomorrow", "reason": ""});
        assert_eq!(wrong(all), ["/project", "/versions/from", "/versions/to", "/site_id", "/until", "/reason"]);
    }

    #[test]
    fn each_field_is_checked() {
        for (field, value, pointer) in [
            ("project", json!("Token"), "/project"),
            ("versions", json!({"from": "2.0.0", "to": "1.0.0"}), "/versions/to"),
            ("versions", json!({"from": "7.x-1.0", "to": "8.x-1.0"}), "/versions/to"),
            ("site_id", json!("x"), "/site_id"),
            ("until", json!("2026-11-23T12:00:00Z"), "/until"),
            ("reason", json!(" "), "/reason"),
            ("reason", json!("x".repeat(1001)), "/reason"),
            ("reason", json!("a\0b"), "/reason"),
        ] {
            let mut body = good();
            body[field] = value.clone();
            assert_eq!(wrong(body), [pointer], "{value}");
        }
    }
}

//! Accepted risks.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::LOCATION;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use module_monitor_domain::{DrupalVersion, ProjectName, SiteId};
use module_monitor_ingestion::{ReleaseService, uuid_at};
use module_monitor_storage::{Acceptance, NewAcceptance, Page, StorageError};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::AppState;
use super::auth::Caller;
use super::body::read_json;
use super::fields::Fields;
use super::problem::{Code, Problem};
use super::query::Query;
use crate::logging::Chain;

/// The longest reason, in characters.
const MAX_REASON: usize = 1000;
/// How long an answer waits for the figures of sites to be right. They become right in any case.
const PATIENCE: Duration = Duration::from_secs(10);

/// `POST /security/acceptances`, `GET /security/acceptances` and `GET`, `DELETE /security/acceptances/{id}`.
pub(crate) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(
        web::resource("/security/acceptances")
            .route(web::post().to(create))
            .route(web::get().to(list))
            .route(web::head().to(list)),
    );
    cfg.service(
        web::resource("/security/acceptances/{id}")
            .route(web::get().to(show))
            .route(web::head().to(show))
            .route(web::delete().to(withdraw)),
    );
}

/// An accepted risk, on the wire.
#[derive(Serialize)]
struct AcceptanceView {
    id: String,
    project: String,
    versions: Versions,
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
#[derive(Serialize)]
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

/// What a client wants accepted, or everything that is wrong with it.
fn parse(json: &[u8], now: OffsetDateTime) -> Result<NewAcceptance, Problem> {
    let mut fields = Fields::parse(json)?;
    let project = fields.required("project", "the name of a drupal.org project", text(ProjectName::parse));
    let (from, to) = versions(&mut fields);
    let site_id = fields.optional("site_id", "the id of a site, or null for all sites", text(str::parse::<SiteId>));
    let until = fields.required("until", "a time that is still to come, such as 2030-01-31T00:00:00Z", |value| {
        let until = OffsetDateTime::parse(value.as_str()?, &Rfc3339).ok()?;
        let until = until.replace_microsecond(until.microsecond()).ok()?;
        (until > now).then_some(until)
    });
    let reason = fields.required("reason", "a text of 1 to 1000 characters", |value| {
        let reason = value.as_str()?.trim();
        let fits = !reason.is_empty() && reason.chars().count() <= MAX_REASON && !reason.contains('\0');
        fits.then(|| reason.to_owned())
    });
    let errors = fields.finish();
    match (project, until, reason) {
        (Some(project), Some(until), Some(reason)) if errors.is_empty() => {
            let id = uuid_at(now);
            Ok(NewAcceptance { id, project, from, to, site_id, until, reason, created_at: now })
        }
        _ => Err(Problem::invalid(errors)),
    }
}

/// The bounds; a missing one leaves its side open.
fn versions(fields: &mut Fields) -> (Option<DrupalVersion>, Option<DrupalVersion>) {
    let Some(mut versions) = fields.object("versions") else { return (None, None) };
    let from = versions.optional("from", "a version", text(DrupalVersion::parse));
    let to = versions.optional("to", "a version", text(DrupalVersion::parse));
    if let (Some(from), Some(to)) = (&from, &to) {
        if is_for_drupal_7(from) != is_for_drupal_7(to) {
            versions.complain(
                "to",
                "range",
                "it must be for Drupal 7 where /versions/from is, and only there".to_owned(),
            );
        } else if from > to {
            versions.complain("to", "range", "it must not be lower than /versions/from".to_owned());
        }
    }
    fields.absorb(versions);
    (from, to)
}

fn is_for_drupal_7(version: &DrupalVersion) -> bool {
    version.as_str().starts_with("7.x-")
}

/// A value that is text which `parse` accepts.
fn text<T, E>(parse: impl Fn(&str) -> Result<T, E>) -> impl Fn(&Value) -> Option<T> {
    move |value| parse(value.as_str()?).ok()
}

async fn create(
    caller: Caller,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    Query::of(&request).finish()?;
    let acceptance = parse(&read_json(&request, payload).await?.json, state.clock.now())?;
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
    let mut fields = Fields::default();
    fields.complain("site_id", "unknown-site", "there is no such site".to_owned());
    Problem::invalid(fields.finish())
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
    use serde_json::json;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

    fn good() -> Value {
        json!({"project": "token", "versions": {"from": "8.x-1.0", "to": "8.x-1.15"}, "site_id": null,
               "until": "2026-12-24T00:00:00+01:00", "reason": " behind a firewall "})
    }

    /// `pointer code` of everything that is wrong with what `change` makes of a good one.
    fn wrong(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let mut body = good();
        change(&mut body);
        let problem = parse(body.to_string().as_bytes(), NOW).unwrap_err();
        problem.errors().iter().map(|error| format!("{} {}", error.pointer, error.code)).collect()
    }

    #[test]
    fn a_good_one_is_taken_as_it_is() {
        let taken = parse(good().to_string().as_bytes(), NOW).unwrap();
        assert_eq!((taken.project.as_str(), taken.reason.as_str()), ("token", "behind a firewall"));
        assert_eq!(taken.until, datetime!(2026-12-23 23:00 UTC));
        let bounds = [taken.from, taken.to].map(|bound| bound.unwrap().to_string());
        assert_eq!(bounds, ["8.x-1.0", "8.x-1.15"]);
        for open in [json!(null), json!({}), json!({"from": null})] {
            let mut body = good();
            body["versions"] = open;
            let taken = parse(body.to_string().as_bytes(), NOW).unwrap();
            assert_eq!((taken.from, taken.to), (None, None));
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let all = wrong(|body| *body = json!({"versions": {"from": "latest"}, "site_id": 3, "extra/x": 1}));
        let expected = [
            "/project required",
            "/versions/from invalid",
            "/site_id invalid",
            "/until required",
            "/reason required",
            "/extra~1x unknown-field",
        ];
        assert_eq!(all, expected);
        assert_eq!(wrong(|body| *body = json!([])), [" type"]);
    }

    #[test]
    fn each_field_is_checked() {
        for (field, value, said) in [
            ("project", json!("../x"), "/project invalid"),
            ("versions", json!("1.0"), "/versions type"),
            ("versions", json!({"from": "2.0.0", "to": "1.0.0"}), "/versions/to range"),
            ("versions", json!({"from": "7.x-1.0", "to": "8.x-1.0"}), "/versions/to range"),
            ("versions", json!({"form": "2.0.0"}), "/versions/form unknown-field"),
            ("site_id", json!("x"), "/site_id invalid"),
            ("until", json!("2026-11-23T12:00:00Z"), "/until invalid"),
            ("until", json!("tomorrow"), "/until invalid"),
            ("reason", json!(" "), "/reason invalid"),
            ("reason", json!("x".repeat(1001)), "/reason invalid"),
            ("reason", json!("a\0b"), "/reason invalid"),
        ] {
            assert_eq!(wrong(|body| body[field] = value.clone()), [said], "{value}");
        }
        assert!(matches!(parse(b"{", NOW), Err(problem) if problem.code() == Code::MalformedJson));
    }
}

//! Keys, for administrators.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use time::{OffsetDateTime, UtcOffset};
use utoipa::ToSchema;

use super::AppState;
use super::auth::Caller;
use super::fields::{Faults, read_fields};
use super::openapi::{Operation, Routes, at, example};
use super::problem::{Code, Problem};
use super::query::Query;
use crate::admin::issue_key_until;
use crate::key_view::{IssuedKeyView, KeyView};
use crate::keys::KeyId;
use crate::labels;

/// `/sites/{site_id}/keys` and `/keys/{key_id}`.
pub(crate) fn configure(routes: &mut Routes) {
    let issue_says = Operation::admin("create_key", "Issue a key for a site")
        .about("The key is shown only now. It works at once on this node, and on others from their first look.")
        .body::<NewKey>(r#"{"name": "cron on web2", "expires_at": "2027-01-01T00:00:00Z"}"#)
        .answers::<IssuedKeyView>(StatusCode::CREATED, "The key.", example!("issued_key"));
    let list_says = Operation::admin("list_keys", "List the keys of a site")
        .about("Those too that are revoked or have expired; never the secrets.")
        .answers_list::<KeyView>("A part of the list, in the order of ids.", example!("keys"));
    let revoke_says = Operation::admin("revoke_key", "Revoke a key")
        .about(
            "For good: it stops working at once on this node, and within 5 seconds on others. Admin keys too, also the \
             one of this request; the command line can always issue another. A key that is revoked already stays so.",
        )
        .answers_empty(StatusCode::NO_CONTENT, "The key is revoked.");
    routes.group("Keys").add(at("/sites/{site_id}/keys").get(list, list_says).post(issue, issue_says));
    routes.add(at("/keys/{key_id}").delete(revoke, revoke_says));
}

/// The key to issue.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewKey)]
struct NewKey {
    /// What people call the key, on one line.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
    )]
    name: Option<String>,
    /// When it stops working, a time in the future; never, where it is left out.
    #[serde(default, with = "time::serde::rfc3339::option")]
    expires_at: Option<OffsetDateTime>,
}

async fn issue(
    caller: Caller,
    site: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let site = caller.existing_site(&site, &state).await?;
    let fields: NewKey = read_fields(&request, payload, &state).await?;
    let mut faults = Faults::default();
    let name = fields.name.and_then(|name| faults.check("/name", labels::name(&name)));
    let expires_at = fields.expires_at.and_then(|at| faults.check("/expires_at", later(at, state.clock.now())));
    faults.finish()?;
    let (storage, clock) = (state.storage.as_ref(), state.clock.as_ref());
    let key = issue_key_until(storage, clock, &caller.key_id, Some(site), name, expires_at).await?;
    state.keyring.refresh().await?;
    Ok(HttpResponse::Created().json(IssuedKeyView::from(key)))
}

/// `at` as it is stored, where it is still to come.
fn later(at: OffsetDateTime, now: OffsetDateTime) -> Result<OffsetDateTime, String> {
    let micros = at.microsecond();
    let stored = at.checked_to_offset(UtcOffset::UTC).and_then(|at| at.replace_microsecond(micros).ok());
    stored.filter(|at| *at > now).ok_or_else(|| "it must be a time in the future, before the year 10000".to_owned())
}

async fn list(
    caller: Caller,
    site: web::Path<String>,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let site = caller.existing_site(&site, &state).await?;
    let mut query = Query::of(&request);
    let paging = query.take_paging::<KeyId>("keys");
    query.finish()?;
    let found = state.storage.site_keys(site, paging.page().map(|id| id.0)).await?;
    Ok(HttpResponse::Ok().json(paging.list(found, |key| key.id.clone(), KeyView::from)))
}

async fn revoke(caller: Caller, key: web::Path<String>, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let not_found = || Problem::new(Code::KeyNotFound, "There is no key with this id");
    let key: KeyId = key.parse().map_err(|()| not_found())?;
    if !state.storage.revoke_key(&key.0, state.clock.now(), &caller.key_id).await? {
        return Err(not_found());
    }
    state.keyring.refresh().await?;
    Ok(HttpResponse::NoContent().finish())
}

//! Keys, for administrators.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::auth::Caller;
use super::code::Code;
use super::fields::read_fields;
use super::openapi::{Operation, Routes, at, example};
use super::problem::Problem;
use super::query::Query;
use crate::admin::{AdminError, issue_key_until, undo_key};
use crate::api::keys::{IssuedKeyView, KeyView, WantedKey};
use crate::keys::KeyId;
use crate::logging::Chain;
use crate::state::AppState;

/// How long after a lost connection, and how often then, it is looked whether a key was stored.
const UNDO_PAUSE: Duration = Duration::from_secs(2);

/// `/sites/{site_id}/keys` and `/keys/{key_id}`.
pub(crate) fn configure(routes: &mut Routes) {
    let issue_says = Operation::admin("create_key", "Issue a key for a site")
        .about("The key is shown only now. It works at once on this node, and on others from their first look.")
        .body::<WantedKey>(r#"{"name": "cron on web2", "expires_at": "2027-01-01T00:00:00Z"}"#)
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

async fn issue(
    caller: Caller,
    site: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let site = caller.existing_site(&site, &state).await?;
    let fields: WantedKey = read_fields(&caller, &request, payload, &state).await?;
    let (name, expires_at) = fields.checked(state.clock.now())?;
    let (storage, clock) = (state.storage.as_ref(), state.clock.as_ref());
    let issued = issue_key_until(storage, clock, &caller.key_id, Some(site), name, expires_at).await;
    let key = issued.map_err(|error| undo_in_doubt(error, &caller, false, &state))?;
    state.keyring.catch_up().await;
    Ok(HttpResponse::Created().json(IssuedKeyView::from(key)))
}

/// The problem to answer with. Where it is not known whether a key was stored, its text is lost with this answer: then
/// nothing stays under it, nor the site that was registered with it where `with_site`, as soon as the database is back.
pub(super) fn undo_in_doubt(
    error: AdminError,
    caller: &Caller,
    with_site: bool,
    state: &web::Data<AppState>,
) -> Problem {
    if let AdminError::KeyInDoubt { key, .. } = &error {
        let (shared, actor, key) = (state.clone(), caller.key_id.clone(), key.clone());
        tracing::info!(key, "it is not known whether this key was stored; it is revoked once the database is back");
        state.spawn(async move {
            let undo = async || undo_key(&*shared.storage, &*shared.clock, &actor, &key, with_site).await;
            // A commit that is on its way needs a moment, too.
            while shared.stopping.run_until_cancelled(tokio::time::sleep(UNDO_PAUSE)).await.is_some() {
                if undo().await.is_ok() {
                    return;
                }
            }
            if let Err(error) = undo().await {
                let error = Chain(&error);
                tracing::warn!(key, %error, "the key could not be revoked; module-monitor key revoke does it");
            }
        });
    }
    error.into()
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

//! What extensions are, where the reports of their sites leave that open.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use module_monitor_domain::{MachineName, Settlement};

use super::auth::Caller;
use super::code::Code;
use super::fields::read_fields;
use super::inventory::{module_not_found, show_module};
use super::openapi::{Operation, Routes, at, example};
use super::problem::Problem;
use super::query::Query;
use super::recount::settle_figures;
use super::registry;
use crate::api::identities::Identity;
use crate::api::inventory::SingleView;
use crate::api::registry::RegistryModule;
use crate::state::AppState;

const OWN: &str = r#"{"own": true}"#;
const PROJECT: &str = r#"{"project": "ctools"}"#;

/// `/sites/{site_id}/modules/{machine_name}/identity` and `/modules/{machine_name}/identity`.
pub(crate) fn configure(routes: &mut Routes) {
    let settle_says = Operation::admin("settle_site_module", "Say what an unidentified extension of a site is")
        .about(
            "`{\"own\": true}` for the site's own code, or `{\"project\": \"ctools\"}` for code of a project of drupal.org, \
             by which it is judged from then on. It speaks only for what is `unidentified` or `not_on_drupal_org`, stays \
             whatever the site reports, and gives way to a project that the site itself sends.",
        )
        .body::<Identity>(PROJECT)
        .answers::<SingleView>(StatusCode::OK, "The module as it stands now.", example!("site_module"))
        .fails(&[Code::ModuleNotFound]);
    let open_says = Operation::admin("reopen_site_module", "Take back what was said of a site's extension")
        .answers_empty(StatusCode::NO_CONTENT, "Nothing is settled for the site alone any more.")
        .fails(&[Code::ModuleNotFound]);
    let settle_all_says = Operation::admin(
        "settle_module",
        "Say what unidentified extensions of a name are, on all sites",
    )
    .about(
        "As for one site; what was said of a site alone comes first. `{\"own\": true}` never covers what a site \
             reports as contrib.",
    )
    .body::<Identity>(OWN)
    .answers::<RegistryModule>(StatusCode::OK, "The module.", example!("registry_module"));
    let open_all_says = Operation::admin("reopen_module", "Take back what was said of a name for all sites")
        .answers_empty(StatusCode::NO_CONTENT, "Nothing is settled for all sites any more.");
    let of_site = at("/sites/{site_id}/modules/{machine_name}/identity");
    routes.group("Inventory").add(of_site.post(settle, settle_says).delete(reopen, open_says));
    let of_all = at("/modules/{machine_name}/identity");
    routes.group("Registry").add(of_all.put(settle_all, settle_all_says).delete(reopen_all, open_all_says));
}

async fn settle(
    caller: Caller,
    path: web::Path<(String, String)>,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let settlement = read_identity(&caller, &request, payload, &state).await?;
    let (site, name) = path.into_inner();
    settle_for_site(&caller, &site, &name, Some(settlement), &state).await?;
    show_module(caller, &site, &name, &state).await
}

async fn reopen(
    caller: Caller,
    path: web::Path<(String, String)>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let (site, name) = path.into_inner();
    settle_for_site(&caller, &site, &name, None, &state).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn settle_for_site(
    caller: &Caller,
    site: &str,
    name: &str,
    settlement: Option<Settlement>,
    state: &AppState,
) -> Result<(), Problem> {
    let site = caller.existing_site(site, state).await?;
    let name = MachineName::parse(name).map_err(|_| module_not_found())?;
    let now = state.clock.now();
    match state.storage.settle_for_site(site, &name, settlement, now, &caller.key_id).await? {
        true => Ok(()),
        false => Err(module_not_found()),
    }
}

async fn settle_all(
    caller: Caller,
    name: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let module = registry::find(&name, &state).await?;
    let settlement = read_identity(&caller, &request, payload, &state).await?;
    let now = state.clock.now();
    state.storage.settle_for_all(&module.machine_name, Some(settlement), now, &caller.key_id).await?;
    settle_figures(&state).await;
    Ok(HttpResponse::Ok().json(RegistryModule::from(module)))
}

async fn reopen_all(
    caller: Caller,
    name: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let module = registry::find(&name, &state).await?;
    let now = state.clock.now();
    if !state.storage.settle_for_all(&module.machine_name, None, now, &caller.key_id).await? {
        return Err(Problem::new(Code::ModuleNotFound, "Nothing is settled for all sites about this module"));
    }
    settle_figures(&state).await;
    Ok(HttpResponse::NoContent().finish())
}

async fn read_identity(
    caller: &Caller,
    request: &HttpRequest,
    payload: web::Payload,
    state: &AppState,
) -> Result<Settlement, Problem> {
    Query::of(request).finish()?;
    let identity: Identity = read_fields(caller, request, payload, state).await?;
    Ok(identity.checked()?)
}

//! The modules that all sites share.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use module_monitor_domain::{DrupalVersion, MachineName, Module, ModuleType};
use module_monitor_storage::{ModuleCorrection, ModuleFilter};

use super::auth::Caller;
use super::code::Code;
use super::fields::read_fields;
use super::openapi::{Operation, Routes, at, example};
use super::problem::Problem;
use super::query::Query;
use crate::api::registry::{Correction, RegistryModule, RegistryVersion};
use crate::api::words;
use crate::state::AppState;

/// `/modules`, `/modules/{machine_name}` and its versions; `module_sites` has its sites.
pub(crate) fn configure(routes: &mut Routes) {
    let list_says = Operation::admin("list_modules", "List the modules of the registry")
        .query("type", "Only modules of this type.", words::module_type())
        .query("q", "Only modules whose machine names begin like this.", words::machine_name())
        .answers_list::<RegistryModule>("A part of the list, in the order of machine names.", example!("modules"));
    let show_says = Operation::admin("show_module", "Show a module of the registry").answers::<RegistryModule>(
        StatusCode::OK,
        "The module.",
        example!("registry_module"),
    );
    let correct_says = Operation::admin("correct_module", "Correct what the registry says of a module")
        .about(
            "For all sites. No report overwrites a correction, and it wins over what releases say of themselves; \
             `null` has the releases speak again. Sites keep what they say of their custom code, and of the type.",
        )
        .body::<Correction>(r#"{"name": "Webform", "project_link": "https://www.drupal.org/project/webform"}"#)
        .answers::<RegistryModule>(StatusCode::OK, "The module as it is now.", example!("registry_module"));
    let versions_says = Operation::admin("list_module_versions", "List the known versions of a module, earliest first")
        .answers_list::<RegistryVersion>("A part of the list.", example!("module_versions"));
    routes.group("Registry").add(at("/modules").get(list, list_says));
    routes.add(at("/modules/{machine_name}").get(show, show_says).patch(correct, correct_says));
    routes.add(at("/modules/{machine_name}/versions").get(versions, versions_says));
}

async fn list(caller: Caller, request: HttpRequest, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let mut query = Query::of(&request);
    let filter = ModuleFilter {
        module_type: query.take("type", "core, contrib or custom", ModuleType::from_name),
        // The beginning of a machine name could be one itself.
        prefix: query
            .take("q", "the beginning of a machine name", |text| MachineName::parse(text).ok())
            .map(|name| name.to_string())
            .unwrap_or_default(),
    };
    let paging = query.take_paging::<MachineName>("registry");
    query.finish()?;
    let found = state.storage.list_modules(filter, paging.page()).await?;
    Ok(HttpResponse::Ok().json(paging.list(found, |module| module.machine_name.clone(), RegistryModule::from)))
}

async fn show(caller: Caller, name: web::Path<String>, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    Ok(HttpResponse::Ok().json(RegistryModule::from(find(&name, &state).await?)))
}

async fn correct(
    caller: Caller,
    name: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let module = find(&name, &state).await?;
    let fields: Correction = read_fields(&caller, &request, payload, &state).await?;
    let correction = fields.checked()?;
    if correction != ModuleCorrection::default() {
        let detail = serde_json::to_string(&fields).unwrap_or_default();
        let (now, name) = (state.clock.now(), &module.machine_name);
        state.storage.correct_module(name, correction, now, &caller.key_id, &detail).await?;
    }
    Ok(HttpResponse::Ok().json(RegistryModule::from(find(&name, &state).await?)))
}

async fn versions(
    caller: Caller,
    name: web::Path<String>,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let module = find(&name, &state).await?;
    let mut query = Query::of(&request);
    let paging = query.take_paging::<DrupalVersion>("versions");
    query.finish()?;
    let found = state.storage.module_versions(&module.machine_name, paging.page()).await?;
    Ok(HttpResponse::Ok().json(paging.list(found, |version| version.version.clone(), RegistryVersion::from)))
}

/// The module that `name`, a part of the path, names.
pub(super) async fn find(name: &str, state: &AppState) -> Result<Module, Problem> {
    let not_found = || Problem::new(Code::ModuleNotFound, "No site has ever reported this module");
    let name = MachineName::parse(name).map_err(|_| not_found())?;
    state.storage.find_module(&name).await?.ok_or_else(not_found)
}

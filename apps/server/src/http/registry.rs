//! The modules that all sites share.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use module_monitor_domain::{MachineName, Module};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::AppState;
use super::auth::Caller;
use super::openapi::{Operation, Routes, at, example, words};
use super::problem::{Code, Problem};

/// `GET /modules/{machine_name}`.
pub(crate) fn configure(routes: &mut Routes) {
    let says = Operation::admin("show_module", "Show a module of the registry").answers::<RegistryModule>(
        StatusCode::OK,
        "The module.",
        example!("registry_module"),
    );
    routes.group("Registry").add(at("/modules/{machine_name}").get(show, says));
}

/// A module of the registry, on the wire.
#[derive(Serialize, ToSchema)]
struct RegistryModule {
    machine_name: String,
    #[schema(schema_with = words::module_type)]
    r#type: &'static str,
    name: Option<String>,
    description: Option<String>,
    project_link: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl From<Module> for RegistryModule {
    fn from(module: Module) -> Self {
        Self {
            machine_name: module.machine_name.to_string(),
            r#type: module.module_type.as_str(),
            name: module.name,
            description: module.description,
            project_link: module.project_link,
            created_at: module.created_at,
        }
    }
}

async fn show(caller: Caller, name: web::Path<String>, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let not_found = || Problem::new(Code::ModuleNotFound, "No site has ever reported this module");
    let name = MachineName::parse(&name).map_err(|_| not_found())?;
    let module = state.storage.find_module(&name).await?.ok_or_else(not_found)?;
    Ok(HttpResponse::Ok().json(RegistryModule::from(module)))
}

//! The modules that all sites share.

use actix_web::HttpResponse;
use actix_web::web::{self, ServiceConfig};
use module_monitor_domain::{MachineName, Module};
use serde::Serialize;
use time::OffsetDateTime;

use super::AppState;
use super::auth::Caller;
use super::problem::{Code, Problem};

/// `GET /modules/{machine_name}`.
pub(crate) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(web::resource("/modules/{machine_name}").route(web::get().to(show)).route(web::head().to(show)));
}

/// A module of the registry, on the wire.
#[derive(Serialize)]
struct RegistryModule {
    machine_name: String,
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

//! What a site has installed, and what happened to it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use module_monitor_domain::{MachineName, ModuleEvent, ModuleType, UpdateStatus};
use module_monitor_storage::{InventoryFilter, ModuleHistory};

use super::auth::Caller;
use super::code::Code;
use super::openapi::{Operation, Routes, at, example};
use super::problem::Problem;
use super::query::Query;
use crate::api::inventory::{HistoryEntry, HistoryPart, InventoryItem, SingleView};
use crate::api::list::List;
use crate::api::words::{self, boolean};
use crate::state::AppState;

const UPDATE_STATUSES: &str =
    "not_secure, revoked, not_supported, not_current, current, not_checked, unknown or not_fetched";

/// `GET /sites/{site_id}/modules`, its single view, and the history of a module.
pub(crate) fn configure(routes: &mut Routes) {
    let list_says = Operation::site("list_site_modules", "List what a site has installed")
        .query("enabled", "Only modules that are enabled, or only those that are not.", boolean())
        .query("type", "Only modules of this type.", words::module_type())
        .query(
            "update_status",
            "Only modules that stand like this against drupal.org's releases.",
            words::update_status(),
        )
        .query("removed", "`true` for the modules that the site had once and has no longer.", boolean())
        .answers_list::<InventoryItem>(
            "A part of the inventory, in the order of machine names.",
            example!("site_modules"),
        );
    let history_says = Operation::site("list_module_history", "List what happened to a module on a site, newest first")
        .answers_part::<HistoryPart>("A part of the history.", example!("module_history"));
    routes.group("Inventory").add(at("/sites/{site_id}/modules").get(list, list_says));
    routes.add(at("/sites/{site_id}/modules/{machine_name}").get(show, describe_show("show_site_module")));
    routes.add(at("/sites/{site_id}/modules/{machine_name}/history").get(history, history_says));
}

/// The description of the single view.
pub(super) fn describe_show(id: &'static str) -> Operation {
    Operation::site(id, "Show all that is known of a module on a site")
        .answers::<SingleView>(StatusCode::OK, "The module.", example!("site_module"))
        .fails(&[Code::ModuleNotFound])
}

async fn list(
    caller: Caller,
    site: web::Path<String>,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let site = caller.existing_site(&site, &state).await?;
    let mut query = Query::of(&request);
    let filter = InventoryFilter {
        enabled: query.take_bool("enabled"),
        module_type: query.take("type", "core, contrib or custom", ModuleType::from_name),
        update_status: query.take("update_status", UPDATE_STATUSES, UpdateStatus::from_name),
        removed: query.take_bool("removed").unwrap_or(false),
    };
    let paging = query.take_paging("modules");
    query.finish()?;
    let modules = state.storage.site_modules(site, filter, paging.page()).await?;
    Ok(HttpResponse::Ok().json(paging.list(modules, |m| m.machine_name.clone(), InventoryItem::new)))
}

async fn show(
    caller: Caller,
    path: web::Path<(String, String)>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (site, name) = path.into_inner();
    show_module(caller, &site, &name, &state).await
}

/// The single view of a module on a site.
pub(super) async fn show_module(
    caller: Caller,
    site: &str,
    name: &str,
    state: &AppState,
) -> Result<HttpResponse, Problem> {
    let site = caller.existing_site(site, state).await?;
    let name = MachineName::parse(name).map_err(|_| module_not_found())?;
    let module = state.storage.site_module(site, &name).await?.ok_or_else(module_not_found)?;
    Ok(HttpResponse::Ok().json(SingleView::from(module)))
}

async fn history(
    caller: Caller,
    path: web::Path<(String, String)>,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (site, name) = path.into_inner();
    let site = caller.existing_site(&site, &state).await?;
    let name = MachineName::parse(&name).map_err(|_| module_not_found())?;
    let mut query = Query::of(&request);
    let paging = query.take_paging("history");
    query.finish()?;
    let history = state.storage.module_history(site, &name, paging.page()).await?;
    let ModuleHistory { events, complete_since } = history.ok_or_else(module_not_found)?;
    // The page is read from the entry on that the cursor names, which is the one before the last.
    let next = |event: &ModuleEvent| event.before.map(|before| before.to_string()).unwrap_or_default();
    let List { items, next_cursor } = paging.list(events, next, HistoryEntry::from);
    Ok(HttpResponse::Ok().json(HistoryPart { items, next_cursor, complete_since }))
}

pub(super) fn module_not_found() -> Problem {
    Problem::new(Code::ModuleNotFound, "The site has never reported this module")
}

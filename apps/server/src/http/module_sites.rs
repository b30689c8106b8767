//! Which sites run a module: the question of an advisory night.

use actix_web::{HttpRequest, HttpResponse, web};
use module_monitor_domain::{DrupalVersion, Module, ModuleType, ProjectName, SiteId};
use module_monitor_storage::{BoundedSites, ModuleSite, ModuleSitesFilter, StorageError};

use super::auth::Caller;
use super::bounds::{AskedVersions, take_tag};
use super::csv::{csv_file, wants_csv};
use super::openapi::{Operation, Routes, at, example};
use super::problem::Problem;
use super::query::Query;
use super::registry;
use crate::api::registry::{ModuleSiteList, ModuleSiteView};
use crate::api::words::{self, boolean};
use crate::state::AppState;

/// `GET /modules/{machine_name}/sites`.
pub(crate) fn configure(routes: &mut Routes) {
    let says = Operation::admin("list_module_sites", "List the sites that have a module")
        .about(
            "In the order of the sites' registration. `below` compares as Drupal orders versions: `8.x-1.0-beta2` is \
             below `1.0.0`. A bound never crosses between Drupal 7 and later. A site that does not know its version is \
             in neither `version` nor within bounds. Nothing lower is hidden: a row whose `branch` is `older` is of \
             another branch than `below` or `to`, and may have had a fix of its own, of which `update_status` tells; \
             `counts` says how many there are of either in the whole list. `branch` and `counts` are `null` where no \
             upper bound is given. With `Accept: text/csv` the answer is a file with the whole list, or with as much \
             of it as `limit` says.",
        )
        .query("version", "Only sites that have exactly this version.", words::version())
        .bounded()
        .tagged()
        .query("removed", "`true` for the sites that had the module once and have it no longer.", boolean())
        .answers_part::<ModuleSiteList>("A part of the list.", example!("module_sites"))
        .answers_text("text/csv", "The list as a file.", include_str!("openapi/examples/module_sites.csv"))
        .with_headers(&["Vary", "Content-Disposition"]);
    routes.group("Registry").add(at("/modules/{machine_name}/sites").get(list, says));
}

async fn list(
    caller: Caller,
    name: web::Path<String>,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let module = registry::find(&name, &state).await?;
    let mut query = Query::of(&request);
    let version = query.take("version", "a Drupal version", |text| DrupalVersion::parse(text).ok());
    let asked = AskedVersions::take(&mut query);
    let tag = take_tag(&mut query);
    let removed = query.take_bool("removed").unwrap_or(false);
    let paging = query.take_paging::<SiteId>("module-sites");
    query.finish()?;
    let project = project_of(&module, &state).await?;
    let feeds = match &project {
        Some(project) => state.storage.project_feeds(project).await?,
        None => Vec::new(),
    };
    let bounds = asked.bounds(project.as_ref(), &feeds);
    let filter = ModuleSitesFilter { module: module.machine_name, version, bounds, tag, removed };
    let read = async move |page| state.storage.module_sites(filter.clone(), page).await;
    let position = |site: &ModuleSite| site.site_id;
    if wants_csv(&request) {
        let read = async move |page| read(page).await.map(|found| found.sites);
        return csv_file("module-sites.csv", &paging, read, position, ModuleSiteView::from).await;
    }
    let BoundedSites { sites, counts } = read(paging.page()).await?;
    Ok(HttpResponse::Ok().json(ModuleSiteList::new(paging.list(sites, position, ModuleSiteView::from), counts)))
}

/// Whose branches count for a module.
async fn project_of(module: &Module, state: &AppState) -> Result<Option<ProjectName>, StorageError> {
    match module.module_type {
        ModuleType::Core => Ok(Some(ProjectName::drupal())),
        ModuleType::Contrib | ModuleType::Custom => state.storage.module_project(&module.machine_name).await,
    }
}

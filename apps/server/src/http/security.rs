//! Which sites need a security update.

use std::fmt;
use std::str::FromStr;

use actix_web::http::header::VARY;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use module_monitor_domain::{ProjectName, SiteId};
use module_monitor_storage::{FixedFinding, Page, SecurityFilter, SecurityUpdate};

use super::AppState;
use super::auth::Caller;
use super::csv::{csv_file, wants_csv};
use super::problem::Problem;
use super::query::{Paging, Query};
use crate::security_view::{FixedView, SecurityUpdateView};

/// `GET /security/updates`.
pub(crate) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(web::resource("/security/updates").route(web::get().to(updates)).route(web::head().to(updates)));
}

/// A place in the list: a site, and a project of it.
#[derive(Clone)]
struct Position(SiteId, String);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0, self.1)
    }
}

impl FromStr for Position {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (site, project) = text.split_once('/').ok_or(())?;
        Ok(Self(site.parse().map_err(|_| ())?, ProjectName::parse(project).map_err(|_| ())?.to_string()))
    }
}

async fn updates(caller: Caller, request: HttpRequest, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let mut query = Query::of(&request);
    let fixed = query.take_bool("fixed").unwrap_or(false);
    let filter = SecurityFilter {
        site_id: query.take("site", "the id of a site", |id| id.parse().ok()),
        project: query.take("project", "the name of a project", |name| ProjectName::parse(name).ok()),
        // What is fixed has been left behind, whatever was enabled.
        include_disabled: !fixed && query.take_bool("include_disabled").unwrap_or(false),
    };
    if fixed {
        let paging = query.take_paging("fixed");
        query.finish()?;
        return fixed_ones(filter, paging, &request, state).await;
    }
    let paging = query.take_paging("security");
    query.finish()?;
    open_ones(filter, paging, &request, state).await
}

async fn open_ones(
    filter: SecurityFilter,
    paging: Paging<Position>,
    request: &HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let read = async move |page: Page<Position>| {
        let page = Page { limit: page.limit, after: page.after.map(|Position(site, project)| (site, project)) };
        state.storage.security_updates(filter.clone(), page).await
    };
    let position = |update: &SecurityUpdate| Position(update.site_id, update.project.to_string());
    if wants_csv(request) {
        return csv_file::<_, _, SecurityUpdateView>("security-updates.csv", &paging, read, position).await;
    }
    let found = read(paging.page()).await?;
    Ok(HttpResponse::Ok().insert_header((VARY, "Accept")).json(paging.list(found, position, SecurityUpdateView::from)))
}

async fn fixed_ones(
    filter: SecurityFilter,
    paging: Paging<i64>,
    request: &HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let read = async move |page| state.storage.fixed_findings(filter.clone(), page).await;
    let position = |finding: &FixedFinding| finding.id;
    if wants_csv(request) {
        return csv_file::<_, _, FixedView>("security-updates-fixed.csv", &paging, read, position).await;
    }
    let found = read(paging.page()).await?;
    Ok(HttpResponse::Ok().insert_header((VARY, "Accept")).json(paging.list(found, position, FixedView::from)))
}

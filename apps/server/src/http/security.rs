//! Which sites need a security update.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use module_monitor_domain::{CoverageClass, MachineName, ProjectName, SiteId};
use module_monitor_storage::{FixedFinding, Page, SecurityFilter, SecurityUpdate, TotalsFilter};

use super::auth::Caller;
use super::bounds::take_tag;
use super::csv::{csv_file, wants_csv};
use super::openapi::{Operation, Routes, at, example};
use super::problem::Problem;
use super::query::{Paging, Query};
use crate::api::security::{FixedView, SecurityUpdateList, SecurityUpdateView};
use crate::api::words::{self, boolean};
use crate::state::AppState;

/// `GET /security/updates`.
pub(crate) fn configure(routes: &mut Routes) {
    let says = Operation::admin("list_security_updates", "List what needs a security update")
        .about(
            "One row for each site and project, in that order: modules of a project that differ in version share a row \
             with the lowest. Accepted risks are in the list, and say so. With `fixed=true` it lists what needed a \
             security update and no longer does, newest first. `figures` says with the first part how all the sites stand that \
             the list is about: an empty list says that all is fine only where nothing is unknown. With `Accept: text/csv` the answer is a file with the \
             whole list, or with as much of it as `limit` says.",
        )
        .query(
            "status",
            "What needs a security update (`insecure`, the default), what nobody publishes security updates for any more, \
             what could not be judged, or all of these. Not with `fixed=true`.",
            words::class_filter(),
        )
        .query("site", "Only this site.", words::site_id())
        .query("project", "Only this project.", words::project())
        .tagged()
        .query(
            "include_disabled",
            "Also projects of which only disabled modules are installed. Not with `fixed=true`, which has them anyway.",
            boolean(),
        )
        .query("fixed", "What was fixed instead.", boolean())
        .answers_part::<SecurityUpdateList>("A part of the list.", example!("security_updates"))
        .answers_text("text/csv", "The list as a file.", include_str!("openapi/examples/security_updates.csv"))
        .with_headers(&["Vary", "Content-Disposition"]);
    routes.group("Security").add(at("/security/updates").get(updates, says));
}

/// A place in the list: a site, and a project of it or, after a slash, the name of what no project judges.
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
        let (site, place) = text.split_once('/').ok_or(())?;
        let (project, class) = place.split_once(' ').ok_or(())?;
        let valid = match project.strip_prefix('/') {
            Some(name) => MachineName::parse(name).is_ok(),
            None => ProjectName::parse(project).is_ok(),
        };
        if !valid || CoverageClass::from_name(class).is_none() {
            return Err(());
        }
        Ok(Self(site.parse().map_err(|_| ())?, place.to_owned()))
    }
}

async fn updates(caller: Caller, request: HttpRequest, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let mut query = Query::of(&request);
    let fixed = query.take_bool("fixed").unwrap_or(false);
    let filter = SecurityFilter {
        class: match fixed {
            true => Some(CoverageClass::Insecure),
            false => query.take("status", CLASSES, class).unwrap_or(Some(CoverageClass::Insecure)),
        },
        site_id: query.take("site", "the id of a site", |id| id.parse().ok()),
        project: query.take("project", "the name of a project", |name| ProjectName::parse(name).ok()),
        tag: take_tag(&mut query),
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

const CLASSES: &str = "insecure, unsupported, unknown or all";

fn class(text: &str) -> Option<Option<CoverageClass>> {
    match CoverageClass::from_name(text) {
        Some(class @ (CoverageClass::Insecure | CoverageClass::Unsupported | CoverageClass::Unknown)) => {
            Some(Some(class))
        }
        _ => (text == "all").then_some(None),
    }
}

async fn open_ones(
    filter: SecurityFilter,
    paging: Paging<Position>,
    request: &HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let about = TotalsFilter { site_id: filter.site_id, tag: filter.tag.clone(), inactive: true };
    let storage = Arc::clone(&state.storage);
    let read = async move |page: Page<Position>| {
        let page = Page { limit: page.limit, after: page.after.map(|Position(site, project)| (site, project)) };
        state.storage.security_updates(filter.clone(), page).await
    };
    let position = |update: &SecurityUpdate| Position(update.site_id, update.place());
    if wants_csv(request) {
        return csv_file("security-updates.csv", &paging, read, position, SecurityUpdateView::from).await;
    }
    let found = read(paging.page()).await?;
    let totals = match paging.is_first() {
        true => Some(storage.security_totals(about).await?),
        false => None,
    };
    let list = paging.list(found, position, SecurityUpdateView::from);
    Ok(HttpResponse::Ok().json(SecurityUpdateList::open(list, totals)))
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
        return csv_file("security-updates-fixed.csv", &paging, read, position, FixedView::from).await;
    }
    let found = read(paging.page()).await?;
    Ok(HttpResponse::Ok().json(SecurityUpdateList::fixed(paging.list(found, position, FixedView::from))))
}

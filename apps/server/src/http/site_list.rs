//! The list of sites, as JSON and for spreadsheets.

use actix_web::{HttpRequest, HttpResponse, web};
use module_monitor_domain::{Reporting, Site, SiteId};
use module_monitor_storage::SiteFilter;

use super::auth::Caller;
use super::bounds::take_tag;
use super::csv::{csv_file, wants_csv};
use super::openapi::{Operation, example};
use super::problem::Problem;
use super::query::Query;
use crate::api::sites::SiteView;
use crate::api::words::{self, boolean};
use crate::state::AppState;

/// The description of [`list`].
pub(super) fn describe() -> Operation {
    Operation::admin("list_sites", "List the sites")
        .about(
            "In the order of their registration. Several filters together list the sites that meet all of them. \
             With `Accept: text/csv` the answer is a file with the whole list, or with as much of it as `limit` says; a \
             cell that a spreadsheet would run begins with an apostrophe.",
        )
        .tagged()
        .query("silent", "Only sites that should have reported and have not, or only others.", boolean())
        .query("reporting", "Only sites whose reports fare like this.", words::reporting())
        .query(
            "conflict",
            "Only sites that have reported under more than one environment or URL, or only others.",
            boolean(),
        )
        .query("security", "Only sites that need security updates, or only others.", boolean())
        .query("mass_removal", "Only sites whose last full report removed most modules, or only others.", boolean())
        .query("active", "Only sites that may report, or only those that are deactivated.", boolean())
        .answers_list::<SiteView>("A part of the list.", example!("sites"))
        .answers_text("text/csv", "The whole list.", include_str!("openapi/examples/sites.csv"))
        .with_headers(&["Vary", "Content-Disposition"])
}

pub(super) async fn list(
    caller: Caller,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let now = state.clock.now();
    let mut query = Query::of(&request);
    let filter = SiteFilter {
        tag: take_tag(&mut query),
        silent: query.take_bool("silent").map(|silent| (silent, now)),
        reporting: query.take("reporting", "ok, partial, failing or never", Reporting::from_name),
        conflict: query.take_bool("conflict"),
        security: query.take_bool("security"),
        mass_removal: query.take_bool("mass_removal"),
        active: query.take_bool("active"),
    };
    let paging = query.take_paging::<SiteId>("sites");
    query.finish()?;
    // What was refused a moment ago counts.
    state.rejections.write().await;
    let bounds = Some(state.site_bounds);
    let read = async move |page| state.storage.list_sites(filter.clone(), page).await;
    let position = |site: &Site| site.id;
    let view = move |site| SiteView::of(site, now, bounds);
    if wants_csv(&request) {
        return csv_file("sites.csv", &paging, read, position, view).await;
    }
    let found = read(paging.page()).await?;
    Ok(HttpResponse::Ok().json(paging.list(found, position, view)))
}

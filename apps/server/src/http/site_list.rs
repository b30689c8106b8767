//! The list of sites, as JSON and for spreadsheets.

use std::sync::Arc;

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use futures::{Stream, TryStreamExt, stream};
use module_monitor_domain::{Reporting, Site, SiteId};
use module_monitor_storage::{Page, SiteFilter, Storage, StorageError};

use super::AppState;
use super::auth::Caller;
use super::csv;
use super::openapi::{Operation, boolean, example, words};
use super::problem::Problem;
use super::query::Query;
use crate::labels::{TAG_RULE, tag};
use crate::site_view::SiteView;

/// How many sites are read at once for a spreadsheet.
const PART: usize = 500;

/// The description of [`list`].
pub(super) fn describe() -> Operation {
    Operation::admin("list_sites", "List the sites")
        .about(
            "In the order of their registration. Several filters together list the sites that meet all of them. \
             With `Accept: text/csv` the answer is the whole list as a spreadsheet with a header line, and `limit` and \
             `cursor` are not taken; a cell that a spreadsheet would run begins with an apostrophe.",
        )
        .query("tag", "Only sites with this tag.", words::tag())
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
        .with_headers(&["Vary"])
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
        tag: query.take("tag", TAG_RULE, |text| tag(text).ok()),
        silent: query.take_bool("silent").map(|silent| (silent, now)),
        reporting: query.take("reporting", "ok, failing or never", Reporting::from_name),
        conflict: query.take_bool("conflict"),
        security: query.take_bool("security"),
        mass_removal: query.take_bool("mass_removal"),
        active: query.take_bool("active"),
    };
    let wants_csv = csv::is_wanted(&request);
    let paging = (!wants_csv).then(|| query.take_paging::<SiteId>("sites"));
    query.finish()?;
    // What was refused a moment ago counts.
    state.rejections.write().await;
    let Some(paging) = paging else {
        let parts = parts(Arc::clone(&state.storage), filter);
        let rows = parts.map_ok(move |sites| sites.into_iter().map(|site| SiteView::of(site, now).cells()).collect());
        return csv::answer(SiteView::COLUMNS, rows).await;
    };
    let found = state.storage.list_sites(filter, paging.page()).await?;
    let list = paging.list(found, |site| site.id, |site| SiteView::of(site, now));
    Ok(HttpResponse::Ok().insert_header((header::VARY, HeaderValue::from_static("accept"))).json(list))
}

/// All sites that meet `filter`, part by part.
fn parts(
    storage: Arc<dyn Storage>,
    filter: SiteFilter,
) -> impl Stream<Item = Result<Vec<Site>, StorageError>> + 'static {
    stream::try_unfold(Some(None), move |position| {
        let (storage, filter) = (Arc::clone(&storage), filter.clone());
        async move {
            let Some(after) = position else { return Ok(None) };
            let sites = storage.list_sites(filter, Page { limit: PART, after }).await?;
            let next = (sites.len() == PART).then(|| sites.last().map(|site| site.id));
            Ok(Some((sites, next)))
        }
    })
}

//! What drupal.org says of projects, and which sites have them.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use module_monitor_domain::{Feed, ProjectName, SiteId, Tag};
use module_monitor_storage::{BoundedSites, ProjectSite, ProjectSitesFilter, SiteWithout};

use super::auth::Caller;
use super::bounds::{AskedVersions, take_tag};
use super::code::Code;
use super::csv::{csv_file, wants_csv};
use super::openapi::{Operation, Routes, at, example};
use super::problem::Problem;
use super::query::{Paging, Query};
use crate::api::projects::{ProjectSiteList, ReleaseData, ReleaseView, Scheduled, SiteOfProject};
use crate::api::words::{self, boolean};
use crate::state::AppState;

/// `GET /projects/{project}/releases`, `POST /projects/{project}/refresh` and `GET /projects/{project}/sites`.
pub(crate) fn configure(routes: &mut Routes) {
    let releases_says = Operation::admin("list_releases", "Show what drupal.org says of a project")
        .about("The releases come in parts, in the order of the feed: newest first.")
        .query("feed", "Which of its feeds; left out, that of today's Drupal where there is one.", words::feed())
        .answers_part::<ReleaseData>(
            "The project, how old its data is, and a part of its releases.",
            example!("releases"),
        );
    let refresh_says = Operation::admin("refresh_project", "Ask drupal.org for a project's releases soon")
        .about(
            "Within seconds where this or another node asks drupal.org at all. `GET …/releases` tells what came of it.",
        )
        .answers::<Scheduled>(
            StatusCode::ACCEPTED,
            "It is the next to be asked for.",
            r#"{"project": "webform", "status": "scheduled"}"#,
        )
        .fails(&[Code::ValidationFailed]);
    let sites_says = Operation::admin("list_project_sites", "List the sites that have modules of a project")
        .about(
            "`below=6.2.9` is the question of an advisory night. A bound never crosses between Drupal 7 and later: \
             `7.x-1.14` and `8.x-1.2` are of different lists. Nothing lower is hidden: a row whose `branch` is `older` \
             is of another branch than `below` or `to`, and may have had a fix of its own, of which `update_status` \
             tells; `counts` says how many there are of either in the whole list. `branch` and `counts` are `null` \
             where no upper bound is given. With `without=true` it lists the sites that do not have the project, also \
             those that have not reported. With `Accept: text/csv` the answer is a file with the whole list, or with \
             as much of it as `limit` says.",
        )
        .bounded()
        .tagged()
        .query("without", "The sites that do not have it instead. Not with bounds.", boolean())
        .answers_part::<ProjectSiteList>("A part of the list.", example!("project_sites"))
        .answers_text("text/csv", "The list as a file.", include_str!("openapi/examples/project_sites.csv"))
        .with_headers(&["Vary", "Content-Disposition"]);
    routes.group("Releases").add(at("/projects/{project}/releases").get(releases, releases_says));
    routes.add(at("/projects/{project}/refresh").post(refresh, refresh_says));
    routes.add(at("/projects/{project}/sites").get(sites, sites_says));
}

async fn releases(
    caller: Caller,
    project: web::Path<String>,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let mut query = Query::of(&request);
    let wanted = query.take("feed", "current or 7.x", Feed::from_name);
    let paging = query.take_paging::<i64>("releases");
    query.finish()?;
    let project = parse(&project)?;
    let mut feeds = state.storage.project_feeds(&project).await?;
    // Nearly every project has one feed; of two, that of today's Drupal comes first.
    feeds.sort_by_key(|feed| feed.feed);
    let names = feeds.iter().map(|feed| feed.feed).collect();
    let shown = feeds.into_iter().find(|feed| wanted.is_none_or(|wanted| wanted == feed.feed)).ok_or_else(not_found)?;
    let found = state.storage.project_releases(&project, shown.feed, paging.page()).await?;
    let releases = paging.list(found, |(position, _)| *position, |(_, release)| ReleaseView::from(release));
    Ok(HttpResponse::Ok().json(ReleaseData::new(shown, names, releases)))
}

async fn refresh(
    caller: Caller,
    project: web::Path<String>,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    Query::of(&request).finish()?;
    let project = parse(&project)?;
    if !state.storage.request_refresh(&project, state.clock.now(), &caller.key_id).await? {
        return Err(not_found());
    }
    Ok(HttpResponse::Accepted().json(Scheduled { project: project.to_string(), status: "scheduled" }))
}

async fn sites(
    caller: Caller,
    project: web::Path<String>,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let mut query = Query::of(&request);
    let without = query.take_bool("without").unwrap_or(false);
    let asked = (!without).then(|| AskedVersions::take(&mut query));
    let tag = take_tag(&mut query);
    let paging = query.take_paging::<SiteId>(if without { "sites-without-project" } else { "project-sites" });
    query.finish()?;
    let project = parse(&project)?;
    let feeds = state.storage.project_feeds(&project).await?;
    if feeds.is_empty() {
        return Err(not_found());
    }
    let Some(asked) = asked else {
        return sites_without(project, tag, paging, &request, state).await;
    };
    let bounds = asked.bounds(Some(&project), &feeds);
    let filter = ProjectSitesFilter { project, bounds, tag };
    let read = async move |page| state.storage.project_sites(filter.clone(), page).await;
    let position = |site: &ProjectSite| site.site_id;
    if wants_csv(&request) {
        let read = async move |page| read(page).await.map(|found| found.sites);
        return csv_file("project-sites.csv", &paging, read, position, SiteOfProject::from).await;
    }
    let BoundedSites { sites, counts } = read(paging.page()).await?;
    Ok(HttpResponse::Ok().json(ProjectSiteList::new(paging.list(sites, position, SiteOfProject::from), counts)))
}

async fn sites_without(
    project: ProjectName,
    tag: Option<Tag>,
    paging: Paging<SiteId>,
    request: &HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let read = async move |page| state.storage.sites_without_project(&project, tag.as_ref(), page).await;
    let position = |site: &SiteWithout| site.site_id;
    if wants_csv(request) {
        return csv_file("sites-without-project.csv", &paging, read, position, SiteOfProject::from).await;
    }
    let sites = read(paging.page()).await?;
    Ok(HttpResponse::Ok().json(ProjectSiteList::new(paging.list(sites, position, SiteOfProject::from), None)))
}

fn parse(project: &str) -> Result<ProjectName, Problem> {
    ProjectName::parse(project).map_err(|_| not_found())
}

fn not_found() -> Problem {
    Problem::new(Code::ProjectNotFound, "No site has ever used this project")
}

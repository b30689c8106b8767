//! What drupal.org says of projects, and which sites have them.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use module_monitor_domain::{DrupalVersion, Feed, ProjectName, Release, Support, UpdateStatus};
use module_monitor_storage::{ProjectFeed, ProjectSite};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::AppState;
use super::auth::Caller;
use super::openapi::{Operation, Routes, at, example, words};
use super::problem::{Code, Problem};
use super::query::{List, Query};

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
        .about("`below=6.2.9` is the question of an advisory night.")
        .query("below", "Only sites with a version lower than this one.", words::version())
        .answers_list::<SiteOfProject>("A part of the list.", example!("project_sites"));
    routes.group("Releases").add(at("/projects/{project}/releases").get(releases, releases_says));
    routes.add(at("/projects/{project}/refresh").post(refresh, refresh_says));
    routes.add(at("/projects/{project}/sites").get(sites, sites_says));
}

/// A project that will be asked for.
#[derive(Serialize, ToSchema)]
struct Scheduled {
    #[schema(schema_with = words::project)]
    project: String,
    #[schema(schema_with = words::scheduled)]
    status: &'static str,
}

/// A feed of a project: what it says, how old that is, and the releases.
#[derive(Serialize, ToSchema)]
struct ReleaseData {
    #[schema(schema_with = words::project)]
    project: String,
    #[schema(schema_with = words::feed)]
    feed: Feed,
    /// All of the project's feeds that are known.
    #[schema(schema_with = words::feeds)]
    feeds: Vec<Feed>,
    title: Option<String>,
    r#type: Option<String>,
    status: &'static str,
    link: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    fetched_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    checked_at: Option<OffsetDateTime>,
    stale: bool,
    last_error: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    last_error_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    no_history_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    next_check_at: OffsetDateTime,
    supported_branches: Vec<String>,
    supported_majors: Vec<String>,
    items: Vec<ReleaseView>,
    next_cursor: Option<String>,
}

/// A release, as the feed has it.
#[derive(Serialize, ToSchema)]
#[schema(as = Release)]
struct ReleaseView {
    version: String,
    status: &'static str,
    #[serde(with = "time::serde::rfc3339::option")]
    released_at: Option<OffsetDateTime>,
    release_link: String,
    security_update: bool,
    insecure: bool,
    unsupported: bool,
    covered: Option<bool>,
    core_compatibility: Option<String>,
}

impl From<Release> for ReleaseView {
    fn from(release: Release) -> Self {
        Self {
            version: release.version,
            status: release.status.as_str(),
            released_at: release.date.and_then(|date| OffsetDateTime::from_unix_timestamp(date).ok()),
            release_link: release.link,
            security_update: release.security_update,
            insecure: release.insecure,
            unsupported: release.unsupported,
            covered: release.covered,
            core_compatibility: release.core_compatibility,
        }
    }
}

impl ReleaseData {
    fn new(shown: ProjectFeed, feeds: Vec<Feed>, releases: List<ReleaseView>) -> Self {
        let Support { branches, majors, .. } = &shown.support;
        Self {
            project: shown.project.to_string(),
            feed: shown.feed,
            feeds,
            supported_branches: listed(branches.as_deref()),
            supported_majors: listed(majors.as_deref()),
            status: shown.status.as_str(),
            stale: shown.is_stale(),
            title: shown.title,
            r#type: shown.project_type,
            link: shown.link,
            fetched_at: shown.fetched_at,
            checked_at: shown.checked_at,
            last_error: shown.last_error,
            last_error_at: shown.last_error_at,
            no_history_at: shown.no_history_at,
            next_check_at: shown.next_check_at,
            items: releases.items,
            next_cursor: releases.next_cursor,
        }
    }
}

/// The parts of a feed's list.
fn listed(text: Option<&str>) -> Vec<String> {
    let parts = text.unwrap_or_default().split(',').map(str::trim);
    parts.filter(|part| !part.is_empty()).map(ToOwned::to_owned).collect()
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

/// A site that has modules of a project.
#[derive(Serialize, ToSchema)]
struct SiteOfProject {
    #[schema(format = "uuid")]
    site_id: String,
    site_name: String,
    version: Option<String>,
    #[schema(schema_with = words::update_status)]
    update_status: UpdateStatus,
    modules: Vec<String>,
}

impl From<ProjectSite> for SiteOfProject {
    fn from(site: ProjectSite) -> Self {
        Self {
            site_id: site.site_id.to_string(),
            site_name: site.site_name,
            version: site.version,
            update_status: site.status,
            modules: site.modules.iter().map(ToString::to_string).collect(),
        }
    }
}

async fn sites(
    caller: Caller,
    project: web::Path<String>,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let mut query = Query::of(&request);
    let below = query.take("below", "a version", |version| DrupalVersion::parse(version).ok());
    let paging = query.take_paging("project-sites");
    query.finish()?;
    let project = parse(&project)?;
    let found = state.storage.project_sites(&project, below.as_ref(), paging.page()).await?;
    // Of a misspelt project nobody has a version below anything.
    if found.is_empty() && paging.is_first() && state.storage.project_feeds(&project).await?.is_empty() {
        return Err(not_found());
    }
    Ok(HttpResponse::Ok().json(paging.list(found, |site| site.site_id, SiteOfProject::from)))
}

fn parse(project: &str) -> Result<ProjectName, Problem> {
    ProjectName::parse(project).map_err(|_| not_found())
}

fn not_found() -> Problem {
    Problem::new(Code::ProjectNotFound, "No site has ever used this project")
}

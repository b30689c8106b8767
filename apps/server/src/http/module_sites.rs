//! Which sites run a module: the question of an advisory night.

use actix_web::{HttpRequest, HttpResponse, web};
use module_monitor_domain::{DrupalVersion, SiteId};
use module_monitor_storage::{ModuleSite, ModuleSitesFilter};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::AppState;
use super::auth::Caller;
use super::openapi::{Operation, boolean, example, words};
use super::problem::Problem;
use super::query::Query;
use super::registry;

/// The description of [`list`].
pub(super) fn describe() -> Operation {
    Operation::admin("list_module_sites", "List the sites that have a module")
        .about(
            "In the order of the sites' registration. `below` compares as Drupal orders versions: `8.x-1.0-beta2` is \
             below `1.0.0`. A site that does not know its version is in neither `version` nor `below`.",
        )
        .query("version", "Only sites that have exactly this version.", words::version())
        .query("below", "Only sites that have an earlier version than this one.", words::version())
        .query("removed", "`true` for the sites that had the module once and have it no longer.", boolean())
        .answers_list::<Row>("A part of the list.", example!("module_sites"))
}

/// A site that has a module.
#[derive(Serialize, ToSchema)]
#[schema(as = ModuleSite)]
struct Row {
    #[schema(format = "uuid")]
    site_id: String,
    site_name: String,
    version: Option<String>,
    enabled: bool,
    #[schema(schema_with = words::module_type)]
    r#type: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    first_seen: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    last_seen: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    removed_at: Option<OffsetDateTime>,
}

impl From<ModuleSite> for Row {
    fn from(site: ModuleSite) -> Self {
        Self {
            site_id: site.site_id.to_string(),
            site_name: site.site_name,
            version: site.version.map(|version| version.to_string()),
            enabled: site.enabled,
            r#type: site.module_type.as_str(),
            first_seen: site.first_seen,
            last_seen: site.last_seen,
            removed_at: site.removed_at,
        }
    }
}

pub(super) async fn list(
    caller: Caller,
    name: web::Path<String>,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let module = registry::find(&name, &state).await?.machine_name;
    let mut query = Query::of(&request);
    let version =
        |query: &mut Query, name| query.take(name, "a Drupal version", |text| DrupalVersion::parse(text).ok());
    let filter = ModuleSitesFilter {
        module,
        version: version(&mut query, "version"),
        below: version(&mut query, "below"),
        removed: query.take_bool("removed").unwrap_or(false),
    };
    let paging = query.take_paging::<SiteId>("module-sites");
    query.finish()?;
    let found = state.storage.module_sites(filter, paging.page()).await?;
    Ok(HttpResponse::Ok().json(paging.list(found, |site| site.site_id, Row::from)))
}

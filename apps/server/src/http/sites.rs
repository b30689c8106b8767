//! A site, for administrators.

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use module_monitor_domain::{CoreCoverage, CoreVersion, Feed, ProjectName, SiteId, core_coverage};
use module_monitor_ingestion::FieldError;
use module_monitor_storage::{SiteChange, StorageError};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::error::Category;

use super::AppState;
use super::auth::Caller;
use super::body::read_json;
use super::problem::{Code, Problem};
use crate::site_view::SiteView;

/// The most syncs in a window that a site can be allowed; as on the command line.
const MAX_RATE_LIMIT: u32 = 1_000_000;

/// `GET /sites/{site_id}` and `PATCH /sites/{site_id}`.
pub(crate) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(
        web::resource("/sites/{site_id}")
            .route(web::get().to(show))
            .route(web::head().to(show))
            .route(web::patch().to(change)),
    );
}

/// What may be changed. A field that is left out stays; one that is misspelt must not look as if it had been changed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    active: Option<bool>,
    strict_identity: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    rate_limit: Option<Option<u32>>,
}

/// Tells `null` from a field that is left out.
fn given<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<u32>>, D::Error> {
    Option::deserialize(value).map(Some)
}

impl Changes {
    fn parse(json: &[u8]) -> Result<Self, Problem> {
        let changes: Self = serde_json::from_slice(json).map_err(|error| match error.classify() {
            Category::Data => invalid("", error.to_string()),
            _ => Problem::new(Code::MalformedJson, error.to_string()),
        })?;
        if changes.rate_limit.flatten().is_some_and(|limit| !(1..=MAX_RATE_LIMIT).contains(&limit)) {
            return Err(invalid("/rate_limit", format!("it must be from 1 to {MAX_RATE_LIMIT}, or null")));
        }
        Ok(changes)
    }

    /// For the administrators' log.
    fn summary(&self) -> String {
        let limit = self.rate_limit.map(|limit| limit.map_or("null".to_owned(), |limit| limit.to_string()));
        let said = [
            self.active.map(|active| format!("active={active}")),
            self.strict_identity.map(|strict| format!("strict_identity={strict}")),
            limit.map(|limit| format!("rate_limit={limit}")),
        ];
        said.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

fn invalid(pointer: &str, detail: String) -> Problem {
    Problem::invalid(vec![FieldError { pointer: pointer.to_owned(), code: "invalid".to_owned(), detail }])
}

async fn show(caller: Caller, site: web::Path<String>, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    answer(caller.site(&site)?, &state).await
}

async fn change(
    caller: Caller,
    site: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let site = caller.site(&site)?;
    let changes = Changes::parse(&read_json(&request, payload).await?.json)?;
    let Changes { active, strict_identity, rate_limit } = changes;
    let change = SiteChange { active, strict_identity, rate_limit };
    if !state.storage.change_site(site, change, state.clock.now(), &caller.key_id, &changes.summary()).await? {
        return Err(Problem::site_not_found());
    }
    // It holds on this node from now on.
    state.keyring.refresh().await?;
    answer(site, &state).await
}

/// A site by itself.
#[derive(Serialize)]
struct SingleSite {
    #[serde(flatten)]
    site: SiteView,
    /// Until when its Drupal core gets security releases; `null` where that cannot be told.
    core_security_coverage: Option<CoreCoverage>,
}

async fn answer(site: SiteId, state: &AppState) -> Result<HttpResponse, Problem> {
    let site = state.storage.find_site(site).await?.ok_or_else(Problem::site_not_found)?;
    let core = site.drupal_version.as_deref().and_then(|version| CoreVersion::parse(version).ok());
    let core_security_coverage = match core {
        Some(core) => coverage(&core, state).await?,
        None => None,
    };
    Ok(HttpResponse::Ok().json(SingleSite { site: SiteView::from(site), core_security_coverage }))
}

async fn coverage(core: &CoreVersion, state: &AppState) -> Result<Option<CoreCoverage>, StorageError> {
    let history = state.storage.find_history(&ProjectName::drupal(), Feed::of(core)).await?;
    Ok(core_coverage(core, history.as_ref(), state.clock.now().date()))
}

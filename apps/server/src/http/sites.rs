//! A site, for administrators.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use module_monitor_domain::SiteId;
use module_monitor_ingestion::FieldError;
use module_monitor_storage::SiteChange;
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use utoipa::ToSchema;

use super::AppState;
use super::auth::Caller;
use super::body::read_json;
use super::openapi::{Operation, Routes, at, example};
use super::problem::{Code, Problem};
use crate::site_view::SiteView;

/// The most syncs in a window that a site can be allowed; as on the command line.
const MAX_RATE_LIMIT: u32 = 1_000_000;

/// `GET /sites/{site_id}` and `PATCH /sites/{site_id}`.
pub(crate) fn configure(routes: &mut Routes) {
    let show_says =
        Operation::admin("show_site", "Show a site").answers::<SiteView>(StatusCode::OK, "The site.", example!("site"));
    let change_says = Operation::admin("change_site", "Change a site")
        .about("What is left out stays as it is.")
        .body::<Changes>(r#"{"rate_limit": 120, "strict_identity": true}"#)
        .answers::<SiteView>(StatusCode::OK, "The site as it is now.", example!("site"));
    routes.group("Sites").add(at("/sites/{site_id}").get(show, show_says).patch(change, change_says));
}

/// What may be changed. A field that is left out stays; one that is misspelt must not look as if it had been changed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SiteChanges)]
struct Changes {
    active: Option<bool>,
    strict_identity: Option<bool>,
    /// How many syncs the site may send in a window; `null` for the server's default.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1_000_000)]
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

async fn answer(site: SiteId, state: &AppState) -> Result<HttpResponse, Problem> {
    let site = state.storage.find_site(site).await?.ok_or_else(Problem::site_not_found)?;
    Ok(HttpResponse::Ok().json(SiteView::from(site)))
}

//! The sites, for administrators: registered, shown, changed, removed. `site_list` has the list of them.

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use module_monitor_domain::{CoreCoverage, CoreVersion, Feed, ProjectName, SiteId, core_coverage};
use module_monitor_storage::{SiteChange, StorageError};

use super::auth::Caller;
use super::fields::read_fields;
use super::openapi::{Operation, Routes, at, example};
use super::problem::Problem;
use super::site_keys::undo_in_doubt;
use super::site_list;
use crate::admin::register_site;
use crate::api::fields::Faults;
use crate::api::site_changes::{Changes, NewSite};
use crate::api::sites::{Registered, SingleSite, SiteView};
use crate::state::AppState;

/// `/sites` and `/sites/{site_id}`.
pub(crate) fn configure(routes: &mut Routes) {
    let register_says = Operation::admin("create_site", "Register a site")
        .about("Takes what a change of a site takes, and needs a `name`. The site's first key is shown only now.")
        .body::<NewSite>(example!("new_site"))
        .answers::<Registered>(StatusCode::CREATED, "The site and its first key.", example!("registered_site"))
        .with_headers(&["Location"]);
    let show_says =
        Operation::admin("show_site", "Show a site").answers::<SiteView>(StatusCode::OK, "The site.", example!("site"));
    let change_says = Operation::admin("change_site", "Change a site")
        .about(
            "A JSON merge patch: what is left out stays as it is, `null` makes it what it is where nobody has said \
             anything. `mass_removal: false` and `conflict: false` acknowledge. A deactivated site may not report, and \
             is never silent. It is effective at once on this node, and within 5 seconds on others.",
        )
        .body::<Changes>(r#"{"tags": ["customer:acme", "tier-1"], "silent_after": 7200, "conflict": false}"#)
        .answers::<SiteView>(StatusCode::OK, "The site as it is now.", example!("site"));
    let remove_says = Operation::admin("delete_site", "Remove a site")
        .about(
            "For good. When this is answered, the site is gone for every route, its keys are revoked and its tags are \
             deleted; a report that was being applied has been applied before, and later ones are refused. Its \
             inventory, history and idempotency keys are deleted in the background. Kept are a tombstone without what \
             the site said of itself, and the audit log: `GET /audit` and, for administrators, `GET /syncs/{sync_id}`. \
             Its id is never used again, and a new site of the same name is a new site.",
        )
        .answers_empty(StatusCode::NO_CONTENT, "The site is gone.");
    routes.group("Sites").add(at("/sites").get(site_list::list, site_list::describe()).post(register, register_says));
    routes.add(at("/sites/{site_id}").get(show, show_says).patch(change, change_says).delete(remove, remove_says));
}

async fn register(
    caller: Caller,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let fields: Changes = read_fields(&caller, &request, payload, &state).await?;
    let mut settings = fields.checked()?;
    let name = settings.name.take().ok_or_else(|| Faults::one("/name", "a site needs a name"))?;
    let (storage, clock) = (state.storage.as_ref(), state.clock.as_ref());
    let registered = register_site(storage, clock, &caller.key_id, name, settings).await;
    let (site, key) = registered.map_err(|error| undo_in_doubt(error, &caller, true, &state))?;
    state.keyring.catch_up().await;
    let location = format!("/api/v1/sites/{}", site.id);
    // It has not said yet which core it runs.
    let site = SingleSite {
        site: SiteView::of(site, state.clock.now(), Some(state.site_bounds)),
        core_security_coverage: None,
    };
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(Registered { site, key: key.into() }))
}

async fn show(caller: Caller, site: web::Path<String>, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let site = caller.site(&site)?;
    state.rejections.write().await;
    Ok(HttpResponse::Ok().json(find(site, &state).await?))
}

async fn change(
    caller: Caller,
    site: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let site = caller.existing_site(&site, &state).await?;
    let fields: Changes = read_fields(&caller, &request, payload, &state).await?;
    let change = fields.checked()?;
    if change != SiteChange::default() {
        let now = state.clock.now();
        if !state.storage.change_site(site, change, now, &caller.key_id, &fields.summary()).await? {
            return Err(Problem::site_not_found());
        }
        // It holds on this node from now on.
        state.keyring.refresh().await?;
    }
    Ok(HttpResponse::Ok().json(find(site, &state).await?))
}

async fn remove(caller: Caller, site: web::Path<String>, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let site = caller.site(&site)?;
    // What was refused until now is still part of its log.
    state.rejections.write().await;
    if !state.storage.remove_site(site, state.clock.now(), &caller.key_id).await? {
        return Err(Problem::site_not_found());
    }
    state.keyring.refresh().await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn find(site: SiteId, state: &AppState) -> Result<SingleSite, Problem> {
    let site = state.storage.find_site(site).await?.ok_or_else(Problem::site_not_found)?;
    let core = site.drupal_version.as_deref().and_then(|version| CoreVersion::parse(version).ok());
    let core_security_coverage = match core {
        Some(core) => coverage(&core, state).await?,
        None => None,
    };
    Ok(SingleSite { site: SiteView::of(site, state.clock.now(), Some(state.site_bounds)), core_security_coverage })
}

async fn coverage(core: &CoreVersion, state: &AppState) -> Result<Option<CoreCoverage>, StorageError> {
    let history = state.storage.find_history(&ProjectName::drupal(), Feed::of(core)).await?;
    Ok(core_coverage(core, history.as_ref(), state.clock.now().date()))
}

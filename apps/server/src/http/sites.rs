//! The sites, for administrators: registered, shown, changed, removed. `site_list` has the list of them.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use module_monitor_domain::{CoreCoverage, CoreVersion, Feed, ProjectName, SiteId, core_coverage};
use module_monitor_storage::{SiteChange, StorageError};
use serde::{Deserialize, Serialize};
use utoipa::openapi::{AllOfBuilder, ObjectBuilder, Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::AppState;
use super::auth::Caller;
use super::fields::{Faults, given, nested, read_fields};
use super::openapi::{Operation, Routes, at, example, words};
use super::problem::Problem;
use super::site_list;
use crate::admin::register_site;
use crate::key_view::IssuedKeyView;
use crate::labels::{self, RATE_LIMITS, SILENT_AFTER};
use crate::site_view::SiteView;

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

/// What may be changed. A field that is left out stays; one that is misspelt must not look as if it had been changed.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SiteChanges)]
struct Changes {
    /// What people call the site, on one line.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
    )]
    #[schema(value_type = String, required = false)]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The site's address.
    #[schema(value_type = Option<String>, max_length = 2048)]
    #[schema(pattern = r"^https?://[^/\s\u0000-\u001f\u007f-\u009f][^\s\u0000-\u001f\u007f-\u009f]*$")]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    url: Option<Option<String>>,
    /// What the site is for, such as `production`; `null` for what it reports itself.
    #[schema(
        value_type = Option<String>,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
    )]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    environment: Option<Option<String>>,
    #[schema(required = false, schema_with = words::tags_or_null)]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    tags: Option<Option<Vec<String>>>,
    /// Whether the site may report.
    #[schema(value_type = bool, required = false)]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    active: Option<bool>,
    /// How many syncs the site may send in a window; `null` for the server's default.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1_000_000)]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    rate_limit: Option<Option<u32>>,
    /// Seconds without a report after which the site is silent; `null` for 26 hours.
    #[schema(value_type = Option<u32>, minimum = 60, maximum = 31_536_000)]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    silent_after: Option<Option<u32>>,
    /// Whether reports that come from another environment or URL are refused instead of warned about.
    #[schema(value_type = bool, required = false)]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    strict_identity: Option<bool>,
    #[schema(required = false, schema_with = words::acknowledgement)]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    mass_removal: Option<bool>,
    #[schema(required = false, schema_with = words::acknowledgement)]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    conflict: Option<bool>,
}

impl Changes {
    /// The change, where all of its values are allowed.
    fn checked(&self) -> Result<SiteChange, Problem> {
        let mut faults = Faults::default();
        let change = SiteChange {
            name: self.name.as_deref().and_then(|name| faults.check("/name", labels::name(name))),
            url: nested(&self.url, |url| faults.check("/url", labels::url(url))),
            environment: nested(&self.environment, |text| faults.check("/environment", labels::name(text))),
            tags: self.tags.as_ref().and_then(|tags| check_tags(tags.as_deref().unwrap_or_default(), &mut faults)),
            active: self.active,
            strict_identity: self.strict_identity,
            rate_limit: nested(&self.rate_limit, |n| faults.check("/rate_limit", labels::within(*n, RATE_LIMITS))),
            silent_after: nested(&self.silent_after, |n| {
                faults.check("/silent_after", labels::within(*n, SILENT_AFTER))
            }),
            mass_removal: self.mass_removal,
            conflict: self.conflict,
        };
        for (pointer, raised) in [("/mass_removal", self.mass_removal), ("/conflict", self.conflict)] {
            if raised == Some(true) {
                faults.check::<()>(pointer, Err("only false, which acknowledges, can be set".to_owned()));
            }
        }
        faults.finish()?;
        Ok(change)
    }

    /// For the administrators' log.
    fn summary(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn check_tags(given: &[String], faults: &mut Faults) -> Option<BTreeSet<String>> {
    let mut tags = BTreeSet::new();
    for (n, tag) in given.iter().enumerate() {
        tags.extend(faults.check(&format!("/tags/{n}"), labels::tag(tag)));
    }
    faults.check("/tags", labels::enough(tags))
}

/// What a site is registered with: a change of it that has a name.
struct NewSite;

impl PartialSchema for NewSite {
    fn schema() -> RefOr<Schema> {
        AllOfBuilder::new()
            .item(Ref::from_schema_name(Changes::name()))
            .item(ObjectBuilder::new().required("name"))
            .into()
    }
}

impl ToSchema for NewSite {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Changes::name().into_owned(), Changes::schema()));
        Changes::schemas(schemas);
    }
}

/// A site that has just been registered.
#[derive(Serialize, ToSchema)]
struct Registered {
    site: SingleView,
    key: IssuedKeyView,
}

async fn register(
    caller: Caller,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    caller.require_admin()?;
    let fields: Changes = read_fields(&request, payload, &state).await?;
    let mut settings = fields.checked()?;
    let mut faults = Faults::default();
    let name = faults.check("/name", settings.name.take().ok_or_else(|| "a site needs a name".to_owned()));
    faults.finish()?;
    let (storage, clock) = (state.storage.as_ref(), state.clock.as_ref());
    let (id, key) = register_site(storage, clock, &caller.key_id, name.unwrap_or_default(), settings).await?;
    state.keyring.refresh().await?;
    let site = find(id, &state).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/v1/sites/{id}")))
        .json(Registered { site, key: key.into() }))
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
    let fields: Changes = read_fields(&request, payload, &state).await?;
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

/// A site by itself.
#[derive(Serialize, ToSchema)]
#[schema(as = SingleSite)]
struct SingleView {
    #[serde(flatten)]
    site: SiteView,
    /// Until when its Drupal core gets security releases; `null` where that cannot be told.
    #[schema(schema_with = words::core_coverage_or_null)]
    core_security_coverage: Option<CoreCoverage>,
}

async fn find(site: SiteId, state: &AppState) -> Result<SingleView, Problem> {
    let site = state.storage.find_site(site).await?.ok_or_else(Problem::site_not_found)?;
    let core = site.drupal_version.as_deref().and_then(|version| CoreVersion::parse(version).ok());
    let core_security_coverage = match core {
        Some(core) => coverage(&core, state).await?,
        None => None,
    };
    Ok(SingleView { site: SiteView::of(site, state.clock.now()), core_security_coverage })
}

async fn coverage(core: &CoreVersion, state: &AppState) -> Result<Option<CoreCoverage>, StorageError> {
    let history = state.storage.find_history(&ProjectName::drupal(), Feed::of(core)).await?;
    Ok(core_coverage(core, history.as_ref(), state.clock.now().date()))
}

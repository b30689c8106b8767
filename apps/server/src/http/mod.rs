//! The HTTP interface: the table of routes, authentication, errors and the description.

mod accept;
mod acceptances;
mod audit;
mod auth;
mod body;
mod bounds;
mod client_address;
mod code;
mod csv;
mod deferred;
mod docs;
mod fields;
mod headers;
mod health;
mod identities;
mod inventory;
mod metrics;
mod module_sites;
mod observe;
mod openapi;
mod prefer;
mod problem;
mod projects;
mod query;
mod queue;
mod rate_limit;
mod recount;
mod registry;
mod request_id;
mod security;
mod site_events;
mod site_keys;
mod site_list;
mod sites;
mod sync;
mod webhooks;

use std::sync::LazyLock;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, HttpResponse, web};

use serde_json::Value;

use crate::state::AppState;
use code::Code;
use docs::Description;
use observe::observe;
use openapi::Routes;
use problem::Problem;

/// What all routes say of themselves, put together when it is first asked for.
static DESCRIPTION: LazyLock<Description> = LazyLock::new(|| Description::of([api(), beside_the_api()]));

/// The OpenAPI document that a server of this version serves.
pub fn openapi_document() -> &'static Value {
    &DESCRIPTION.document
}

/// The whole HTTP interface on this state. Every worker thread has one of its own.
pub(crate) fn app(
    state: web::Data<AppState>,
) -> App<impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse, Error = Error, InitError = ()>> {
    let observed = state.clone();
    App::new()
        .app_data(state)
        .wrap(from_fn(move |request: ServiceRequest, next: Next<BoxBody>| observe(observed.clone(), request, next)))
        .service(api().into_service())
        .service(beside_the_api().into_service())
        .default_service(web::to(no_such_route))
}

/// The routes that keys open.
fn api() -> Routes {
    let mut routes = Routes::below("/api/v1");
    sync::configure(&mut routes);
    inventory::configure(&mut routes);
    audit::configure(&mut routes);
    sites::configure(&mut routes);
    site_events::configure(&mut routes);
    site_keys::configure(&mut routes);
    registry::configure(&mut routes);
    module_sites::configure(&mut routes);
    projects::configure(&mut routes);
    identities::configure(&mut routes);
    security::configure(&mut routes);
    acceptances::configure(&mut routes);
    queue::configure(&mut routes);
    webhooks::configure(&mut routes);
    routes
}

/// The routes that are open to all.
fn beside_the_api() -> Routes {
    let mut routes = Routes::below("");
    health::configure(&mut routes);
    metrics::configure(&mut routes);
    docs::configure(&mut routes, &DESCRIPTION);
    routes
}

async fn no_such_route() -> Result<HttpResponse, Problem> {
    Err(Problem::new(Code::NotFound, "There is nothing at this address"))
}

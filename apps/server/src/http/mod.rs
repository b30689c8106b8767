//! The HTTP interface: routes, authentication, errors, limits and metrics.

mod acceptances;
mod audit;
mod auth;
mod body;
mod client_address;
mod csv;
mod deferred;
mod fields;
mod health;
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
mod queue_metrics;
mod rate_limit;
mod registry;
mod request_id;
mod security;
mod site_keys;
mod site_list;
mod sites;
mod state;
mod sync;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, HttpResponse, web};

pub(crate) use metrics::Metrics;
pub use openapi::openapi_document;
pub(crate) use openapi::words;
pub(crate) use state::{AppState, Limits};

use observe::observe;
use openapi::Routes;
use problem::{Code, Problem};

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
    site_keys::configure(&mut routes);
    registry::configure(&mut routes);
    projects::configure(&mut routes);
    security::configure(&mut routes);
    acceptances::configure(&mut routes);
    queue::configure(&mut routes);
    routes
}

/// The routes that are open to all.
fn beside_the_api() -> Routes {
    let mut routes = Routes::below("");
    health::configure(&mut routes);
    metrics::configure(&mut routes);
    openapi::configure(&mut routes);
    routes
}

async fn no_such_route() -> Result<HttpResponse, Problem> {
    Err(Problem::new(Code::NotFound, "There is nothing at this address"))
}

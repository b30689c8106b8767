//! The HTTP interface: routes, authentication, errors, limits and metrics.

mod acceptances;
mod audit;
mod auth;
mod body;
mod client_address;
mod csv;
mod fields;
mod health;
mod inventory;
mod metrics;
mod observe;
mod prefer;
mod problem;
mod projects;
mod query;
mod rate_limit;
mod registry;
mod request_id;
mod security;
mod sites;
mod state;
mod sync;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, HttpResponse, web};

pub(crate) use metrics::Metrics;
pub(crate) use state::{AppState, Limits};

use observe::observe;
use problem::{Code, Problem};

/// The whole HTTP interface on this state. Every worker thread has one of its own.
pub(crate) fn app(
    state: web::Data<AppState>,
) -> App<impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse, Error = Error, InitError = ()>> {
    let observed = state.clone();
    let api = web::scope("/api/v1")
        .configure(sync::configure)
        .configure(audit::configure)
        .configure(sites::configure)
        .configure(inventory::configure)
        .configure(registry::configure)
        .configure(projects::configure)
        .configure(security::configure)
        .configure(acceptances::configure);
    App::new()
        .app_data(state)
        .wrap(from_fn(move |request: ServiceRequest, next: Next<BoxBody>| observe(observed.clone(), request, next)))
        .configure(health::configure)
        .configure(metrics::configure)
        .service(api)
        .default_service(web::to(no_such_route))
}

async fn no_such_route() -> Result<HttpResponse, Problem> {
    Err(Problem::new(Code::NotFound, "There is nothing at this address"))
}

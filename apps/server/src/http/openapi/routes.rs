//! Registering routes. What is registered is described in the same breath, so neither can be had without the other.

use std::rc::Rc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{HttpServiceFactory, ServiceRequest};
use actix_web::middleware::{Next, from_fn};
use actix_web::{FromRequest, Handler, Resource, Responder, Route, web};
use utoipa::openapi::HttpMethod;

use super::operation::Operation;
use crate::http::accept::negotiate;

/// Routes under one prefix, and their descriptions.
pub(crate) struct Routes {
    prefix: &'static str,
    group: Option<&'static str>,
    resources: Vec<Resource>,
    described: Vec<Described>,
}

/// A route as the document shows it.
pub(crate) struct Described {
    /// The whole path, with its parameters in braces.
    pub(super) path: String,
    pub(super) method: HttpMethod,
    /// The heading it stands under.
    pub(super) group: &'static str,
    pub(super) operation: Operation,
}

impl Routes {
    /// No routes yet; all of them will be below `prefix`.
    pub(crate) fn below(prefix: &'static str) -> Self {
        Self { prefix, group: None, resources: Vec::new(), described: Vec::new() }
    }

    /// Puts what is added from now on under that heading; [`super::document`] has the order of the headings.
    pub(crate) fn group(&mut self, heading: &'static str) -> &mut Self {
        self.group = Some(heading);
        self
    }

    /// Adds an address. Where two match a request, the earlier one answers.
    pub(crate) fn add(&mut self, at: At) -> &mut Self {
        let path = format!("{}{}", self.prefix, at.path);
        let group = self.group.unwrap_or("Other");
        let described = at.operations.into_iter();
        self.described.extend(described.map(|(method, operation)| Described {
            path: path.clone(),
            method,
            group,
            operation,
        }));
        self.resources.push(at.resource);
        self
    }

    /// The routes, to be served.
    pub(crate) fn into_service(self) -> impl HttpServiceFactory + 'static {
        self.resources.into_iter().fold(web::scope(self.prefix), |scope, resource| scope.service(resource))
    }

    /// What they say of themselves, for the document.
    pub(crate) fn into_described(self) -> Vec<Described> {
        self.described
    }
}

/// An address and what it answers to.
pub(crate) struct At {
    path: &'static str,
    resource: Resource,
    operations: Vec<(HttpMethod, Operation)>,
}

/// An address below the prefix; a parameter is a whole segment in braces, and one that `parameters.rs` knows.
pub(crate) fn at(path: &'static str) -> At {
    At { path, resource: web::resource(path), operations: Vec::new() }
}

/// The route, for clients that accept one of the media types that it says it answers with.
fn negotiated(route: Route, operation: &Operation) -> Route {
    let offered: Rc<[&'static str]> = operation.media_types().into();
    route.wrap(from_fn(move |request: ServiceRequest, next: Next<BoxBody>| negotiate(offered.clone(), request, next)))
}

/// Declares how a method is answered and described.
macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident = $method:ident;)*) => {
        impl At {
            $($(#[$doc])*
            pub(crate) fn $name<F, Args>(mut self, handler: F, operation: Operation) -> Self
            where
                F: Handler<Args>,
                Args: FromRequest + 'static,
                F::Output: Responder<Body: MessageBody> + 'static,
            {
                self.resource = self.resource.route(negotiated(web::$name().to(handler), &operation));
                self.operations.push((HttpMethod::$method, operation));
                self
            })*
        }
    };
}

methods! {
    /// Takes `POST`.
    post = Post;
    /// Takes `PUT`.
    put = Put;
    /// Takes `PATCH`.
    patch = Patch;
    /// Takes `DELETE`.
    delete = Delete;
}

impl At {
    /// Takes `GET`, and `HEAD`, which is answered alike without the body.
    pub(crate) fn get<F, Args>(mut self, handler: F, operation: Operation) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder<Body: MessageBody> + 'static,
    {
        let operation = operation.reads();
        self.resource = self
            .resource
            .route(negotiated(web::get().to(handler.clone()), &operation))
            .route(negotiated(web::head().to(handler), &operation));
        self.operations.push((HttpMethod::Get, operation));
        self
    }
}

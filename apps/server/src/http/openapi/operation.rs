//! What a route takes and answers.

use actix_web::http::StatusCode;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{Content, ContentBuilder, Ref, RefOr, Required, Schema, Type};

use crate::api::words::{self, object, string};
use crate::http::code::Code;

/// An example from `examples/`, for bodies and answers.
macro_rules! example {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/openapi/examples/", $name, ".json"))
    };
}
pub(crate) use example;

/// A schema that others refer to, by its name.
pub(super) type Named = (String, RefOr<Schema>);

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Everybody.
    Open,
    /// The site's own key, and admins.
    Site,
    /// Admins.
    Admin,
}

/// The description of a route. Codes that follow from who may call it, its path, its parameters and its body are
/// added by themselves.
pub(crate) struct Operation {
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) about: &'static str,
    pub(super) access: Access,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Content>,
    pub(super) answers: Vec<Answer>,
    pub(super) codes: Vec<Code>,
    /// What the body refers to.
    pub(super) taken: Vec<Named>,
    /// What the answers refer to.
    pub(super) given: Vec<Named>,
}

/// An answer that is not a problem.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) about: &'static str,
    /// The media type and what is in it.
    pub(super) content: Vec<(&'static str, Content)>,
    /// Names of headers among `headers.rs`.
    pub(super) headers: Vec<&'static str>,
}

impl Operation {
    /// A route that takes no key.
    pub(crate) fn open(id: &'static str, summary: &'static str) -> Self {
        Self::new(id, summary, Access::Open, &[])
    }

    /// A route for the site's own key, and for admins.
    pub(crate) fn site(id: &'static str, summary: &'static str) -> Self {
        Self::new(id, summary, Access::Site, Code::OF_KEYS)
    }

    /// A route for admins.
    pub(crate) fn admin(id: &'static str, summary: &'static str) -> Self {
        Self::new(id, summary, Access::Admin, Code::OF_KEYS).fails(&[Code::AdminOnly])
    }

    fn new(id: &'static str, summary: &'static str, access: Access, codes: &[Code]) -> Self {
        let (parameters, answers) = (Vec::new(), Vec::new());
        let codes = [&[Code::NotAcceptable, Code::Internal], codes].concat();
        Self {
            id,
            summary,
            about: "",
            access,
            parameters,
            body: None,
            answers,
            codes,
            taken: Vec::new(),
            given: Vec::new(),
        }
    }

    /// More than the summary says: what one must know to call it. Markdown.
    pub(crate) fn about(mut self, text: &'static str) -> Self {
        self.about = text;
        self
    }

    /// Takes a query parameter.
    pub(crate) fn query(self, name: &'static str, about: &'static str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.parameter(ParameterIn::Query, name, about, schema).fails(&[Code::ValidationFailed])
    }

    /// Takes an optional request header.
    pub(crate) fn header(self, name: &'static str, about: &'static str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.parameter(ParameterIn::Header, name, about, schema)
    }

    fn parameter(mut self, place: ParameterIn, name: &str, about: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(Required::False)
            .description(Some(about))
            .schema(Some(schema))
            .build();
        self.parameters.push(parameter);
        self
    }

    /// Takes a JSON body of that shape.
    pub(crate) fn body<T: ToSchema>(mut self, example: &'static str) -> Self {
        register::<T>(&mut self.taken);
        self.body = Some(content(&T::name(), example));
        self.fails(Code::OF_BODIES)
    }

    /// Answers `status` with JSON of that shape.
    pub(crate) fn answers<T: ToSchema>(
        mut self,
        status: StatusCode,
        about: &'static str,
        example: &'static str,
    ) -> Self {
        register::<T>(&mut self.given);
        self.with_answer(status, about, Some(("application/json", content(&T::name(), example))))
    }

    /// Answers 200 with a part of a list, chosen with `limit` and `cursor`.
    pub(crate) fn answers_list<T: ToSchema>(self, about: &'static str, example: &'static str) -> Self {
        let mut this = self.paged();
        register::<T>(&mut this.given);
        let name = format!("{}List", T::name());
        this.given.push((name.clone(), words::list_of(&T::name()).into()));
        this.with_answer(StatusCode::OK, about, Some(("application/json", content(&name, example))))
    }

    /// Answers 200 with a part of a list, chosen in the same way, and more about the whole of it.
    pub(crate) fn answers_part<T: ToSchema>(self, about: &'static str, example: &'static str) -> Self {
        self.paged().answers::<T>(StatusCode::OK, about, example)
    }

    fn paged(self) -> Self {
        let limit = object(Type::Integer).minimum(Some(1)).maximum(Some(1000)).default(Some(100.into()));
        let cursor = "The `next_cursor` of the answer before; left out for the first part.";
        self.query("limit", "The most items of an answer.", limit).query("cursor", cursor, string())
    }

    fn with_answer(
        mut self,
        status: StatusCode,
        about: &'static str,
        content: Option<(&'static str, Content)>,
    ) -> Self {
        self.answers.push(Answer { status, about, content: content.into_iter().collect(), headers: Vec::new() });
        self
    }

    /// Answers `status` without a body.
    pub(crate) fn answers_empty(self, status: StatusCode, about: &'static str) -> Self {
        self.with_answer(status, about, None)
    }

    /// Answers 200 with text of another media type, also beside JSON: then the client's `Accept` chooses.
    pub(crate) fn answers_text(mut self, media_type: &'static str, about: &'static str, example: &'static str) -> Self {
        let content = ContentBuilder::new().schema(Some(string())).example(Some(example.into())).build();
        match self.answers.iter_mut().find(|answer| answer.status == StatusCode::OK) {
            Some(answer) => answer.content.push((media_type, content)),
            None => return self.with_answer(StatusCode::OK, about, Some((media_type, content))),
        }
        self
    }

    /// The answer before carries these headers of `headers.rs`.
    pub(crate) fn with_headers(mut self, names: &[&'static str]) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers.extend(names);
        }
        self
    }

    /// The media types of its answers, the first for clients that do not choose.
    pub(super) fn media_types(&self) -> Vec<&'static str> {
        let mut types: Vec<&'static str> =
            self.answers.iter().flat_map(|a| &a.content).map(|(name, _)| *name).collect();
        if types.is_empty() {
            types.push("application/json");
        }
        let mut seen = Vec::new();
        types.retain(|name| {
            !seen.contains(name) && {
                seen.push(*name);
                true
            }
        });
        types
    }

    /// Reads, which holders of keys may do so often.
    pub(super) fn reads(self) -> Self {
        if self.access == Access::Open { self } else { self.fails(&[Code::RateLimited]) }
    }

    /// May fail in these ways, beside those that follow from the rest.
    pub(crate) fn fails(mut self, codes: &[Code]) -> Self {
        self.codes.extend(codes);
        self
    }
}

/// Adds that shape, and what it refers to, to `schemas`.
fn register<T: ToSchema>(schemas: &mut Vec<Named>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

/// JSON of the shape `name`.
fn content(name: &str, example: &str) -> Content {
    // A test sees to it that examples are JSON.
    let example: Option<Value> = serde_json::from_str(example).ok();
    ContentBuilder::new().schema(Some(Ref::from_schema_name(name))).example(example).build()
}

//! How the statements of the areas get their parameters.

use diesel::sql_types::BigInt;
use module_monitor_domain::SiteId;
use time::OffsetDateTime;

use super::sweep::Span;
use crate::engine::sql_types::{At, Moment};
use crate::engine::statement::{BoxedSql, Portable, Sql, Text};
use crate::page::limit;

/// What is older than `before`, at most `batch` rows of it.
pub(crate) fn older(statement: Sql<Text>, before: OffsetDateTime, batch: usize) -> BoxedSql {
    statement.bind::<Moment, _>(At(before)).bind::<BigInt, _>(limit(batch)).boxed()
}

/// The rows of a span.
pub(crate) fn within(statement: Sql<Text>, span: Span) -> Sql<impl Portable> {
    statement.bind::<BigInt, _>(span.after).bind::<BigInt, _>(span.until).bind::<BigInt, _>(limit(span.limit))
}

/// The sites that have more than `most`.
pub(crate) fn with_more_than(statement: Sql<Text>, most: usize) -> BoxedSql {
    statement.bind::<BigInt, _>(limit(most)).boxed()
}

/// What a site has beyond `most`, at most `batch` rows of it.
pub(crate) fn beyond(statement: Sql<Text>, site: SiteId, most: usize, batch: usize) -> BoxedSql {
    statement.bind::<BigInt, _>(site.0).bind::<BigInt, _>(limit(most)).bind::<BigInt, _>(limit(batch)).boxed()
}

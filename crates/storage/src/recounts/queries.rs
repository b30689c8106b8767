//! The statements about sites that are to be counted again.

use diesel::sql_types::{BigInt, Text};
use module_monitor_domain::{CoverageClass, ProjectName, SiteId};
use time::OffsetDateTime;

use crate::engine::sql_types::{At, Moment};
use crate::engine::statement::{Portable, Sql, statement};
use crate::page::limit;

/// Has the sites counted again that use one of the assessments.
pub(crate) fn request(now: OffsetDateTime, assessments: Vec<i64>) -> Sql<impl Portable> {
    statement!(pair "request_recounts").bind::<Moment, _>(At(now)).bind_list(assessments)
}

/// Has one site counted again.
pub(crate) fn request_site(site: SiteId, now: OffsetDateTime) -> Sql<impl Portable> {
    statement!("request_recount_of_site").bind::<BigInt, _>(site.0).bind::<Moment, _>(At(now))
}

/// Has the sites counted again that an accepted risk of a project may cover something of.
pub(crate) fn request_of_project(
    now: OffsetDateTime,
    project: &ProjectName,
    class: CoverageClass,
) -> Sql<impl Portable + use<>> {
    statement!("request_recounts_of_project")
        .bind::<Moment, _>(At(now))
        .bind::<Text, _>(project.to_string())
        .bind::<Text, _>(class.as_str())
}

/// Has the sites with something of that name ask again what it is, where that is not for them to say.
pub(crate) fn request_identification(name: &str, now: OffsetDateTime) -> Sql<impl Portable + use<>> {
    statement!("request_identification").bind::<Moment, _>(At(now)).bind::<Text, _>(name.to_string())
}

/// Has the sites ask again for what was postponed because they had named too many versions.
pub(crate) fn request_postponed(now: OffsetDateTime) -> Sql<impl Portable> {
    statement!("request_postponed").bind::<Moment, _>(At(now))
}

/// Takes sites that are only to be counted, those that have waited longest, and locks them. The transaction that takes them
/// also [`delete`]s them.
pub(crate) fn take(most: usize) -> Sql<impl Portable> {
    statement!(pair "take_recounts").bind::<BigInt, _>(limit(most))
}

/// Deletes marks that the transaction has taken.
pub(crate) fn delete(sites: &[SiteId]) -> Sql<impl Portable + use<>> {
    statement!(pair "delete_recounts").bind_list(sites.iter().map(|site| site.0).collect::<Vec<_>>())
}

/// The site that waits longest for its extensions to be identified.
pub(crate) fn site_to_identify() -> Sql<impl Portable> {
    statement!("site_to_identify")
}

/// Puts a site behind all others.
pub(crate) fn postpone(site: SiteId, now: OffsetDateTime) -> Sql<impl Portable> {
    statement!("postpone_recount").bind::<BigInt, _>(site.0).bind::<Moment, _>(At(now))
}

/// How often a site has been marked that is marked.
pub(crate) fn marks(site: SiteId) -> Sql<impl Portable> {
    statement!("marks").bind::<BigInt, _>(site.0)
}

/// Takes a mark away, unless the site has been marked again since. To be run last: whoever marks sites may hold what the
/// work in between waits for.
pub(crate) fn done(site: SiteId, marks: i64) -> Sql<impl Portable> {
    statement!("recount_done").bind::<BigInt, _>(site.0).bind::<BigInt, _>(marks)
}

pub(crate) fn pending() -> Sql<impl Portable> {
    statement!("pending_recounts")
}

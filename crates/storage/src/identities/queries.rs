//! The statements about what extensions are.

use diesel::sql_types::{BigInt, Nullable, Text};
use module_monitor_domain::{Feed, MachineName, Settlement, SiteId};
use time::OffsetDateTime;

use super::rows::StandingWrite;
use crate::engine::batch::Batch;
use crate::engine::sql_types::{At, Moment};
use crate::engine::statement::{Portable, Sql, statement};

/// What is known of names that matter to a site: everything that was settled for it, and which of `names` are projects.
pub(crate) fn known_names<'a>(site: SiteId, feed: Feed, names: Vec<&'a str>) -> Sql<impl Portable + use<'a>> {
    statement!(pair "known_names").bind::<BigInt, _>(site.0).bind::<Text, _>(feed.as_str()).bind_list(names)
}

/// Waits for every sync in progress, and keeps others from beginning until the transaction has ended: they ask which names
/// are projects. To be taken before the row of a project.
pub(crate) fn lock_names() -> Sql<impl Portable> {
    statement!(pg "lock_names")
}

/// The same, where no sync is in progress: 1 where it was taken.
pub(crate) fn try_lock_names() -> Sql<impl Portable> {
    statement!(pg "try_lock_names")
}

/// Writes how extensions stand whose rows stay as they are otherwise.
pub(crate) fn stand_site_modules(site: SiteId, rows: &[StandingWrite]) -> Sql<impl Portable> {
    statement!(pair "stand_site_modules").bind::<BigInt, _>(site.0).bind_rows(
        Batch::of(rows)
            .column("module_id", |r| r.module_id)
            .column("assessed", |r| r.assessed)
            .column("assessment_id", |r| r.assessment_id)
            .column("in_use", |r| r.in_use)
            .column("identification", |r| r.identification),
    )
}

/// Ends what was settled; of a site's extension, or of a name for all sites.
pub(super) fn delete_settlement(name: &MachineName, site: Option<SiteId>) -> Sql<impl Portable + use<>> {
    statement!("delete_settlement").bind::<Text, _>(name.to_string()).bind::<BigInt, _>(site.map_or(0, |site| site.0))
}

/// Writes a row where the module is known and, of a site's, present there.
pub(super) fn insert_settlement(
    name: &MachineName,
    site: Option<SiteId>,
    settlement: &Settlement,
    now: OffsetDateTime,
    actor: &str,
) -> Sql<impl Portable + use<>> {
    let project = match settlement {
        Settlement::Own => None,
        Settlement::Project(project) => Some(project.to_string()),
    };
    statement!("insert_settlement")
        .bind::<Text, _>(name.to_string())
        .bind::<Nullable<BigInt>, _>(site.map(|site| site.0))
        .bind::<Nullable<Text>, _>(project)
        .bind::<Moment, _>(At(now))
        .bind::<Text, _>(actor.to_owned())
}

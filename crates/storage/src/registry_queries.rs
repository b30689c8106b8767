//! The statements about the modules that all sites share, the same on both backends.

use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use module_monitor_domain::{DrupalVersion, MachineName, SiteId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::queries::limit;
use crate::sql_types::{At, DbId, Id, Moment};
use crate::statement::{Portable, Sql, sql, sql_of};
use crate::{ModuleCorrection, ModuleFilter, ModuleSitesFilter, Page};

pub(crate) fn module(name: &MachineName) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/module.sql")).bind::<Text, _>(name.to_string())
}

pub(crate) fn modules(filter: ModuleFilter, page: Page<MachineName>) -> Sql<impl Portable> {
    // No character sorts after this one.
    let last = format!("{}{}", filter.prefix, char::MAX);
    sql(include_str!("sql/modules.sql"))
        .bind::<Text, _>(page.after.map(|name| name.to_string()).unwrap_or_default())
        .bind::<Text, _>(filter.prefix)
        .bind::<Text, _>(last)
        .bind::<Nullable<Text>, _>(filter.module_type.map(|t| t.as_str()))
        .bind::<BigInt, _>(limit(page.limit))
}

pub(crate) fn module_versions(name: &MachineName, page: Page<DrupalVersion>) -> Sql<impl Portable + use<>> {
    let after = |part: fn(&DrupalVersion) -> &str| page.after.as_ref().map(part).unwrap_or_default().to_owned();
    sql(include_str!("sql/module_versions.sql"))
        .bind::<Text, _>(name.to_string())
        .bind::<Text, _>(after(DrupalVersion::sort_key))
        .bind::<Text, _>(after(DrupalVersion::as_str))
        .bind::<BigInt, _>(limit(page.limit))
}

pub(crate) fn correct_module(
    name: &MachineName,
    correction: ModuleCorrection,
    now: OffsetDateTime,
) -> Sql<impl Portable + use<>> {
    let ModuleCorrection { name: display_name, description, project_link } = correction;
    sql(include_str!("sql/correct_module.sql"))
        .bind::<Text, _>(name.to_string())
        .bind::<Bool, _>(display_name.is_some())
        .bind::<Nullable<Text>, _>(display_name.flatten())
        .bind::<Bool, _>(description.is_some())
        .bind::<Nullable<Text>, _>(description.flatten())
        .bind::<Bool, _>(project_link.is_some())
        .bind::<Nullable<Text>, _>(project_link.flatten())
        .bind::<Moment, _>(At(now))
}

/// The conditions on versions are subqueries that do not depend on the row, so that the versions are looked up once and
/// compared within the index that lists a module's sites.
pub(crate) fn module_sites(filter: ModuleSitesFilter, page: &Page<SiteId>) -> Sql<impl Portable + use<>> {
    let mut text = include_str!("sql/module_sites.sql").to_owned();
    text.push_str(match filter.version {
        Some(_) => concat!("AND sm.version_id IN (", include_str!("sql/version_ids.sql"), " AND b.version = $5)"),
        None => "AND $5 IS NULL",
    });
    text.push_str(match filter.below {
        Some(_) => concat!(" AND sm.version_id IN (", include_str!("sql/version_ids.sql"), " AND b.sort_key < $6)"),
        None => " AND $6 IS NULL",
    });
    text.push_str(" ORDER BY sm.site_id LIMIT $4");
    sql_of(text)
        .bind::<Text, _>(filter.module.to_string())
        .bind::<Id, _>(DbId::from(page.after.unwrap_or(SiteId(Uuid::nil()))))
        .bind::<Bool, _>(filter.removed)
        .bind::<BigInt, _>(limit(page.limit))
        .bind::<Nullable<Text>, _>(filter.version.map(|version| version.to_string()))
        .bind::<Nullable<Text>, _>(filter.below.map(|version| version.sort_key().to_owned()))
}

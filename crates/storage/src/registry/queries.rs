//! The statements about the modules that all sites share.

use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use module_monitor_domain::{DrupalVersion, Feed, MachineName, ModuleType, SiteId, Tag};
use time::OffsetDateTime;

use super::{ModuleCorrection, ModuleFilter, ModuleSitesFilter};
use crate::engine::sql_types::{At, Moment};
use crate::engine::statement::{self, Portable, Sql, sql_of, statement};
use crate::page::Page;
use crate::retention::statements::within;
use crate::retention::sweep::Sweep;
use crate::sites::queries::of_tag;

pub(super) fn module(name: &MachineName) -> Sql<impl Portable + use<>> {
    statement!("module").bind::<Text, _>(name.to_string())
}

pub(super) fn modules(filter: ModuleFilter, page: &Page<MachineName>) -> Sql<impl Portable + use<>> {
    // No character sorts after this one.
    let last = format!("{}{}", filter.prefix, char::MAX);
    statement!("modules")
        .cut()
        .bind::<Text, _>(page.after.as_ref().map(MachineName::to_string).unwrap_or_default())
        .bind::<Text, _>(filter.prefix)
        .bind::<Text, _>(last)
        .bind::<Nullable<Text>, _>(filter.module_type.map(|t| t.as_str()))
        .bind::<BigInt, _>(page.rows())
}

pub(super) fn module_versions(name: &MachineName, page: &Page<DrupalVersion>) -> Sql<impl Portable + use<>> {
    let after = |part: fn(&DrupalVersion) -> &str| page.after.as_ref().map(part).unwrap_or_default().to_owned();
    statement!("module_versions")
        .cut()
        .bind::<Text, _>(name.to_string())
        .bind::<Text, _>(after(DrupalVersion::sort_key))
        .bind::<Text, _>(after(DrupalVersion::as_str))
        .bind::<BigInt, _>(page.rows())
}

pub(super) fn module_project(name: &MachineName) -> Sql<impl Portable + use<>> {
    statement!("module_project").bind::<Text, _>(name.to_string())
}

pub(super) fn correct_module(
    name: &MachineName,
    correction: ModuleCorrection,
    now: OffsetDateTime,
) -> Sql<impl Portable + use<>> {
    let ModuleCorrection { module_type, name: display_name, description, project_link } = correction;
    statement!("correct_module")
        .bind::<Text, _>(name.to_string())
        .bind::<Bool, _>(display_name.is_some())
        .bind::<Nullable<Text>, _>(display_name.flatten().map(String::from))
        .bind::<Bool, _>(description.is_some())
        .bind::<Nullable<Text>, _>(description.flatten().map(String::from))
        .bind::<Bool, _>(project_link.is_some())
        .bind::<Nullable<Text>, _>(project_link.flatten().map(String::from))
        .bind::<Moment, _>(At(now))
        .bind::<Nullable<Text>, _>(module_type.map(ModuleType::as_str))
}

/// The conditions on versions are subqueries that do not depend on the row, so that the versions are looked up once and
/// compared within the index that lists a module's sites.
pub(super) fn module_sites(filter: &ModuleSitesFilter, page: &Page<SiteId>) -> Sql<impl Portable + use<>> {
    let list = format!("{} ORDER BY sm.site_id LIMIT $4", sites_text(filter));
    bind_sites(sql_of(list), filter, filter.bounds.same_branch, page)
}

/// How many sites of the whole list are on the branch of the upper bound, and how many there are.
pub(super) fn count_module_sites(filter: &ModuleSitesFilter) -> Sql<impl Portable + use<>> {
    let list = sites_text(filter);
    let count =
        format!("SELECT count(*) FILTER (WHERE l.same_branch) AS same, count(*) AS total FROM ({list} LIMIT $4) l");
    bind_sites(sql_of(count), filter, false, &Page { limit: usize::MAX, after: None })
}

fn sites_text(filter: &ModuleSitesFilter) -> String {
    let mut text = include_str!("sql/module_sites.sql").to_owned();
    text.push_str(match filter.version {
        Some(_) => concat!("AND sm.version_id IN (", include_str!("sql/version_ids.sql"), " AND b.version = $5)"),
        None => "AND $5 IS NULL",
    });
    text.push_str(match filter.bounds.versions.feed() {
        Some(_) => concat!(" AND sm.version_id IN (", include_str!("sql/version_ids_between.sql"), ")"),
        None => " AND $6 IS NULL AND $7 IS NULL AND NOT $9 AND NOT $10",
    });
    text.push_str(&of_tag(" AND $11 IS NULL", "$11", filter.tag.as_ref()));
    text
}

fn bind_sites(
    text: Sql<statement::Text>,
    filter: &ModuleSitesFilter,
    same_branch: bool,
    page: &Page<SiteId>,
) -> Sql<impl Portable + use<>> {
    let ModuleSitesFilter { module, version, bounds, tag, removed } = filter;
    let versions = &bounds.versions;
    text.bind::<Text, _>(module.to_string())
        .bind::<BigInt, _>(page.after.map_or(0, |site| site.0))
        .bind::<Bool, _>(*removed)
        .bind::<BigInt, _>(page.rows())
        .bind::<Nullable<Text>, _>(version.as_ref().map(DrupalVersion::to_string))
        .bind::<Nullable<Text>, _>(versions.from().map(|from| from.sort_key().to_owned()))
        .bind::<Nullable<Text>, _>(versions.end_key())
        .bind::<Nullable<Text>, _>(bounds.branch_start.clone())
        .bind::<Bool, _>(same_branch)
        .bind::<Bool, _>(versions.feed() == Some(Feed::Drupal7))
        .bind::<Nullable<Text>, _>(tag.as_ref().map(Tag::to_string))
}

/// How far the ids that a process remembers can be trusted.
pub(crate) fn generation() -> Sql<impl Portable> {
    statement!("generation")
}

/// Has every process forget the ids that it remembers. Run it with what removes rows of them.
pub(crate) fn next_generation() -> Sql<impl Portable> {
    statement!("next_generation")
}

/// Versions that no row of a site names.
pub(crate) const UNUSED_VERSIONS: Sweep = Sweep {
    look: |span, cutoff| within(statement!("unused_versions"), span).bind::<Moment, _>(At(cutoff.recent())).boxed(),
    lock: |ids| statement!(pg "lock_unused_versions").bind_list(ids).boxed(),
    delete: |ids| vec![statement!(pair "delete_unused_versions").bind_list(ids).boxed(), next_generation().boxed()],
};

/// Modules that no row of a site names, nor an administrator has spoken of. Their versions go before them.
pub(crate) const UNUSED_MODULES: Sweep = Sweep {
    look: |span, cutoff| within(statement!("unused_modules"), span).bind::<Moment, _>(At(cutoff.recent())).boxed(),
    lock: |ids| statement!(pg "lock_unused_modules").bind_list(ids).boxed(),
    delete: |ids| vec![statement!(pair "delete_unused_modules").bind_list(ids).boxed(), next_generation().boxed()],
};

//! The statements about findings, accepted risks and figures.

use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use module_monitor_domain::{CoverageClass, DrupalVersion, Feed, ProjectName, SiteId, Tag};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{NewAcceptance, ProjectSitesFilter, SecurityFilter, TotalsFilter};
use crate::engine::sql_types::{At, DbId, Id, Moment};
use crate::engine::statement::{BoxedSql, Portable, Sql, sql_of, sql_of_both, statement};
use crate::page::{Page, limit};
use crate::retention::statements::{beyond, older, with_more_than};
use crate::retention::trim::Trim;
use crate::sites::queries::of_tag;

/// A condition of `security_updates.sql`, and what it is where only what is insecure is asked for.
const OF_ANY: &str = "s.site_id >= $1";
const WITH_FINDINGS: &str = "s.site_id >= $1 AND s.site_id IN (SELECT f.site_id FROM security_findings f \
                             WHERE f.fixed_at IS NULL AND f.site_id >= $1 AND ($4 IS NULL OR f.project = $4))";

/// SQLite reads the modules of one site after the other. PostgreSQL, which expects a single site, would judge those of all
/// sites first.
const OF_ALL: &str = "CROSS JOIN judged_modules j\n        LEFT";
const OF_EACH: &str =
    "CROSS JOIN LATERAL (SELECT * FROM judged_modules o WHERE o.site_id = h.site_id OFFSET 0) j\n        LEFT";

/// `text` with something else in the place of `part`, which it must have.
fn with(text: &str, part: &str, instead: &str) -> String {
    debug_assert!(text.matches(part).count() == 1, "{part:?} in {text}");
    text.replace(part, instead)
}

pub(super) fn security_updates(filter: SecurityFilter, page: &Page<(SiteId, String)>) -> Sql<impl Portable + use<>> {
    let (site, project) = page.after.clone().unwrap_or((SiteId(0), String::new()));
    let mut text = of_tag(include_str!("sql/security_updates.sql"), "$7", filter.tag.as_ref());
    if filter.class == Some(CoverageClass::Insecure) {
        // What is insecure has findings, and few sites have any.
        text = with(&text, OF_ANY, WITH_FINDINGS);
    }
    sql_of_both(with(&text, OF_ALL, OF_EACH), text)
        .cut()
        .bind::<BigInt, _>(site.0)
        .bind::<Text, _>(project)
        .bind::<Nullable<BigInt>, _>(filter.site_id.map(|site| site.0))
        .bind::<Nullable<Text>, _>(filter.project.map(|project| project.to_string()))
        .bind::<Bool, _>(filter.include_disabled)
        .bind::<BigInt, _>(page.rows())
        .bind::<Nullable<Text>, _>(filter.tag.map(String::from))
        .bind::<Nullable<Text>, _>(filter.class.map(CoverageClass::as_str))
}

pub(super) fn fixed_findings(filter: SecurityFilter, page: &Page<i64>) -> Sql<impl Portable + use<>> {
    sql_of(of_tag(include_str!("sql/fixed_findings.sql"), "$5", filter.tag.as_ref()))
        .bind::<BigInt, _>(page.after.unwrap_or(i64::MAX))
        .bind::<Nullable<BigInt>, _>(filter.site_id.map(|site| site.0))
        .bind::<Nullable<Text>, _>(filter.project.map(|project| project.to_string()))
        .bind::<BigInt, _>(page.rows())
        .bind::<Nullable<Text>, _>(filter.tag.map(String::from))
}

pub(super) fn project_sites(filter: &ProjectSitesFilter, page: &Page<SiteId>) -> Sql<impl Portable + use<>> {
    let ProjectSitesFilter { project, bounds, tag } = filter;
    let versions = &bounds.versions;
    sql_of(of_tag(include_str!("sql/project_sites.sql"), "$9", tag.as_ref()))
        .bind::<Text, _>(project.to_string())
        .bind::<Nullable<Text>, _>(versions.feed().map(Feed::as_str))
        .bind::<Nullable<Text>, _>(versions.from().map(|from| from.sort_key().to_owned()))
        .bind::<Nullable<Text>, _>(versions.end_key())
        .bind::<Nullable<Text>, _>(bounds.branch_start.clone())
        .bind::<Bool, _>(bounds.same_branch)
        .bind::<BigInt, _>(page.after.map_or(0, |site| site.0))
        .bind::<BigInt, _>(page.rows())
        .bind::<Nullable<Text>, _>(tag.as_ref().map(Tag::to_string))
}

pub(super) fn sites_without_project(
    project: &ProjectName,
    tag: Option<&Tag>,
    page: &Page<SiteId>,
) -> Sql<impl Portable + use<>> {
    sql_of(of_tag(include_str!("sql/sites_without_project.sql"), "$4", tag))
        .bind::<Text, _>(project.to_string())
        .bind::<BigInt, _>(page.after.map_or(0, |site| site.0))
        .bind::<BigInt, _>(page.rows())
        .bind::<Nullable<Text>, _>(tag.map(Tag::to_string))
}

pub(super) fn check_figures(page: &Page<SiteId>) -> Sql<impl Portable + use<>> {
    statement!("check_figures")
        .bind::<BigInt, _>(page.after.map_or(0, |site| site.0))
        .bind::<BigInt, _>(limit(page.limit))
}

/// The figures on a site's row, and the age of release data.
pub(crate) fn security_of_site(site: SiteId) -> Sql<impl Portable> {
    statement!("security_of_site").bind::<BigInt, _>(site.0)
}

pub(super) fn insert_acceptance(acceptance: NewAcceptance, actor: &str) -> Sql<impl Portable + use<>> {
    let (project, versions) = (&acceptance.project, &acceptance.versions);
    let text = |version: Option<&DrupalVersion>| version.map(DrupalVersion::to_string);
    let key = |version: Option<&DrupalVersion>| version.map(|version| version.sort_key().to_owned());
    statement!("insert_acceptance")
        .bind::<Id, _>(DbId(acceptance.id))
        .bind::<Text, _>(project.to_string())
        .bind::<Text, _>(acceptance.class.as_str())
        .bind::<Nullable<Text>, _>(versions.feed().map(Feed::as_str))
        .bind::<Nullable<Text>, _>(text(versions.from()))
        .bind::<Nullable<Text>, _>(key(versions.from()))
        .bind::<Nullable<Text>, _>(text(versions.to()))
        .bind::<Nullable<Text>, _>(key(versions.to()))
        .bind::<Nullable<BigInt>, _>(acceptance.site_id.map(|site| site.0))
        .bind::<Moment, _>(At(acceptance.until))
        .bind::<Text, _>(acceptance.reason)
        .bind::<Moment, _>(At(acceptance.created_at))
        .bind::<Text, _>(actor.to_owned())
}

pub(super) fn end_acceptance(id: Uuid, now: OffsetDateTime, reason: &'static str) -> Sql<impl Portable> {
    statement!("end_acceptance").bind::<Id, _>(DbId(id)).bind::<Moment, _>(At(now)).bind::<Text, _>(reason)
}

pub(super) fn acceptance(id: Uuid) -> Sql<impl Portable> {
    statement!("acceptance").bind::<Id, _>(DbId(id))
}

pub(super) fn acceptances(ended: bool, page: &Page<Uuid>) -> Sql<impl Portable + use<>> {
    statement!("acceptances_before")
        .bind::<Id, _>(DbId(page.after.unwrap_or(Uuid::max())))
        .bind::<Bool, _>(ended)
        .bind::<BigInt, _>(page.rows())
}

pub(super) fn due_acceptances(now: OffsetDateTime, most: usize) -> Sql<impl Portable> {
    statement!("due_acceptances").bind::<Moment, _>(At(now)).bind::<BigInt, _>(limit(most))
}

pub(super) fn security_totals(filter: TotalsFilter) -> Sql<impl Portable> {
    statement!(pair "security_totals")
        .bind::<Nullable<BigInt>, _>(filter.site_id.map(|site| site.0))
        .bind::<Bool, _>(filter.inactive)
        .bind::<Nullable<Text>, _>(filter.tag.map(String::from))
}

fn ids(sites: &[SiteId]) -> Vec<i64> {
    sites.iter().map(|site| site.0).collect()
}

/// The figures of sites and their findings, in one statement.
pub(super) fn recount_sites(now: OffsetDateTime, sites: &[SiteId]) -> Sql<impl Portable + use<>> {
    statement!(pg "recount_sites").bind::<Moment, _>(At(now)).bind_list(ids(sites))
}

pub(super) fn count_figures(sites: &[SiteId]) -> Sql<impl Portable + use<>> {
    statement!(sqlite "count_figures").bind_list(ids(sites))
}

/// Run it before [`close_findings`] and [`open_findings`].
pub(super) fn tell_findings(now: OffsetDateTime, sites: &[SiteId]) -> Sql<impl Portable + use<>> {
    statement!(sqlite "tell_findings").bind::<Moment, _>(At(now)).bind_list(ids(sites))
}

pub(super) fn close_findings(now: OffsetDateTime, sites: &[SiteId]) -> Sql<impl Portable + use<>> {
    statement!(sqlite "close_findings").bind::<Moment, _>(At(now)).bind_list(ids(sites))
}

pub(super) fn open_findings(now: OffsetDateTime, sites: &[SiteId]) -> Sql<impl Portable + use<>> {
    statement!(sqlite "open_findings").bind::<Moment, _>(At(now)).bind_list(ids(sites))
}

/// Those of a site that is removed.
pub(crate) fn end_site_acceptances(site: SiteId, now: OffsetDateTime) -> Sql<impl Portable> {
    statement!("end_site_acceptances").bind::<BigInt, _>(site.0).bind::<Moment, _>(At(now))
}

/// Closed ones.
pub(crate) fn prune_findings(before: OffsetDateTime, batch: usize) -> BoxedSql {
    older(statement!("prune_findings"), before, batch)
}

/// Those that have ended.
pub(crate) fn prune_acceptances(before: OffsetDateTime, batch: usize) -> BoxedSql {
    older(statement!("prune_acceptances"), before, batch)
}

/// Bounds the closed findings of a site.
pub(crate) const TRIM_FINDINGS: Trim = Trim {
    sites: |most| with_more_than(statement!("sites_with_many_findings"), most),
    delete: |site, most, batch| beyond(statement!("trim_findings"), site, most, batch),
};

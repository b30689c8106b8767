//! The statements about findings and accepted risks that are the same on both backends, with their parameters.

use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use module_monitor_domain::{DrupalVersion, Feed, ProjectName, SiteId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::queries::limit;
use crate::sql_types::{At, DbId, Id, Moment};
use crate::statement::{Portable, Sql, sql};
use crate::{Acceptance, NewAcceptance, Page, SecurityFilter};

pub(crate) fn security_updates(filter: SecurityFilter, page: Page<(SiteId, String)>) -> Sql<impl Portable> {
    let (site, project) = page.after.unwrap_or((SiteId(Uuid::nil()), String::new()));
    sql(include_str!("sql/security_updates.sql"))
        .bind::<Id, _>(DbId::from(site))
        .bind::<Text, _>(project)
        .bind::<Nullable<Id>, _>(filter.site_id.map(DbId::from))
        .bind::<Nullable<Text>, _>(filter.project.map(|project| project.to_string()))
        .bind::<Bool, _>(filter.include_disabled)
        .bind::<BigInt, _>(limit(page.limit))
}

pub(crate) fn fixed_findings(filter: SecurityFilter, page: &Page<i64>) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/fixed_findings.sql"))
        .bind::<BigInt, _>(page.after.unwrap_or(i64::MAX))
        .bind::<Nullable<Id>, _>(filter.site_id.map(DbId::from))
        .bind::<Nullable<Text>, _>(filter.project.map(|project| project.to_string()))
        .bind::<BigInt, _>(limit(page.limit))
}

pub(crate) fn project_sites(
    project: &ProjectName,
    below: Option<&DrupalVersion>,
    page: &Page<SiteId>,
) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/project_sites.sql"))
        .bind::<Text, _>(project.to_string())
        .bind::<Nullable<Text>, _>(below.map(|version| version.sort_key().to_owned()))
        .bind::<Id, _>(DbId::from(page.after.unwrap_or(SiteId(Uuid::nil()))))
        .bind::<BigInt, _>(limit(page.limit))
}

pub(crate) fn check_figures(page: &Page<SiteId>) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/check_figures.sql"))
        .bind::<Id, _>(DbId::from(page.after.unwrap_or(SiteId(Uuid::nil()))))
        .bind::<BigInt, _>(limit(page.limit))
}

/// The figures on a site's row, and the age of release data.
pub(crate) fn security_of_site(site: SiteId) -> Sql<impl Portable> {
    sql(include_str!("sql/security_of_site.sql")).bind::<Id, _>(DbId::from(site))
}

/// Takes the rows of a project, so that no sync begins to use it meanwhile.
pub(crate) fn lock_project(project: &ProjectName) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/lock_project.sql")).bind::<Text, _>(project.to_string())
}

/// Has the sites recounted that need a security update of a project.
pub(crate) fn revise_project(project: &ProjectName) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/revise_project.sql")).bind::<Text, _>(project.to_string())
}

pub(crate) fn insert_acceptance(acceptance: NewAcceptance, actor: &str) -> Sql<impl Portable + use<>> {
    let feed = feed_of(&acceptance);
    let key = |version: &Option<DrupalVersion>| version.as_ref().map(|version| version.sort_key().to_owned());
    let text = |version: &Option<DrupalVersion>| version.as_ref().map(DrupalVersion::to_string);
    sql(include_str!("sql/insert_acceptance.sql"))
        .bind::<Id, _>(DbId(acceptance.id))
        .bind::<Text, _>(acceptance.project.to_string())
        .bind::<Nullable<Text>, _>(feed.map(Feed::as_str))
        .bind::<Nullable<Text>, _>(text(&acceptance.from))
        .bind::<Nullable<Text>, _>(key(&acceptance.from))
        .bind::<Nullable<Text>, _>(text(&acceptance.to))
        .bind::<Nullable<Text>, _>(key(&acceptance.to))
        .bind::<Nullable<Id>, _>(acceptance.site_id.map(DbId::from))
        .bind::<Moment, _>(At(acceptance.until))
        .bind::<Text, _>(acceptance.reason)
        .bind::<Moment, _>(At(acceptance.created_at))
        .bind::<Text, _>(actor.to_owned())
}

/// The feed whose versions the bounds are: `7.x-1.5` and `8.x-1.5` are ordered alike, but accepting one accepts nothing
/// of the other. Versions of Drupal itself cannot be mistaken.
fn feed_of(acceptance: &NewAcceptance) -> Option<Feed> {
    let bound = acceptance.to.as_ref().or(acceptance.from.as_ref())?;
    if acceptance.project == ProjectName::drupal() {
        return None;
    }
    Some(if bound.as_str().starts_with("7.x-") { Feed::Drupal7 } else { Feed::Current })
}

pub(crate) fn end_acceptance(id: Uuid, now: OffsetDateTime, reason: &'static str) -> Sql<impl Portable> {
    sql(include_str!("sql/end_acceptance.sql"))
        .bind::<Id, _>(DbId(id))
        .bind::<Moment, _>(At(now))
        .bind::<Text, _>(reason)
}

/// What administrators read of an end at `now`; to be run after it.
pub(crate) fn insert_acceptance_ended_event(
    acceptance: &Acceptance,
    now: OffsetDateTime,
    actor: &str,
    action: &'static str,
) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/insert_acceptance_ended_event.sql"))
        .bind::<Moment, _>(At(now))
        .bind::<Text, _>(actor.to_owned())
        .bind::<Text, _>(action)
        .bind::<Text, _>(acceptance.id.to_string())
        .bind::<Text, _>(format!("{}: {}", acceptance.project, acceptance.reason))
        .bind::<Id, _>(DbId(acceptance.id))
}

pub(crate) fn acceptance(id: Uuid) -> Sql<impl Portable> {
    sql(include_str!("sql/acceptance.sql")).bind::<Id, _>(DbId(id))
}

pub(crate) fn acceptances(ended: bool, page: &Page<Uuid>) -> Sql<impl Portable + use<>> {
    sql(include_str!("sql/acceptances_before.sql"))
        .bind::<Id, _>(DbId(page.after.unwrap_or(Uuid::max())))
        .bind::<Bool, _>(ended)
        .bind::<BigInt, _>(limit(page.limit))
}

pub(crate) fn due_acceptances(now: OffsetDateTime, most: usize) -> Sql<impl Portable> {
    sql(include_str!("sql/due_acceptances.sql")).bind::<Moment, _>(At(now)).bind::<BigInt, _>(limit(most))
}

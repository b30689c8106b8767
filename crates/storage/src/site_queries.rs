//! The statements about sites that administrators look after, the same on both backends.

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use module_monitor_domain::{Reporting, SiteId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::queries::limit;
use crate::sql_types::{At, DbId, Id, Moment};
use crate::statement::{BoxedSql, Portable, Sql, sql, sql_of};
use crate::{NewSite, Page, SiteChange, SiteFilter};

/// Rows of a removed site that its tombstone does not keep, each statement deleting some of one kind.
pub(crate) const LEFTOVERS: [&str; 5] = [
    include_str!("sql/delete_leftover_modules.sql"),
    include_str!("sql/delete_leftover_module_events.sql"),
    include_str!("sql/delete_leftover_findings.sql"),
    include_str!("sql/delete_leftover_site_events.sql"),
    include_str!("sql/delete_leftover_idempotency_keys.sql"),
];

pub(crate) fn site(id: SiteId) -> Sql<impl Portable> {
    sql(concat!(include_str!("sql/sites.sql"), " AND s.id = $1")).bind::<Id, _>(DbId::from(id))
}

/// Each filter that picks out few sites has an index of its own, which the databases use only where its condition is
/// written out: so every combination of filters is a text of its own.
pub(crate) fn sites(filter: SiteFilter, page: &Page<SiteId>) -> Sql<impl Portable + use<>> {
    let mut text = include_str!("sql/sites.sql").to_owned();
    let mut and = |condition: &str| {
        text.push_str(" AND ");
        text.push_str(condition);
    };
    and("s.id > $1");
    // Subqueries, so that few tagged or silent sites are found by their index, and still come in the order of ids.
    and(match filter.silent {
        Some((true, _)) => "s.id IN (SELECT late.id FROM sites late WHERE late.silent_at < $3)",
        Some((false, _)) => "(s.silent_at IS NULL OR s.silent_at >= $3)",
        None => "$3 IS NULL",
    });
    and(match filter.tag {
        Some(_) => "s.id IN (SELECT t.site_id FROM site_tags t WHERE t.tag = $4)",
        None => "$4 IS NULL",
    });
    let flags = [
        (filter.conflict, "s.conflict", "NOT s.conflict"),
        (filter.mass_removal, "s.mass_removal", "NOT s.mass_removal"),
        (filter.security, "s.security_updates_found > 0", "s.security_updates_found = 0"),
        (filter.active, "s.active", "NOT s.active"),
    ];
    for (wanted, yes, no) in flags {
        if let Some(wanted) = wanted {
            and(if wanted { yes } else { no });
        }
    }
    if let Some(reporting) = filter.reporting {
        and(reporting_condition(reporting));
    }
    text.push_str(" ORDER BY s.id LIMIT $2");
    sql_of(text)
        .bind::<Id, _>(DbId::from(page.after.unwrap_or(SiteId(Uuid::nil()))))
        .bind::<BigInt, _>(limit(page.limit))
        .bind::<Nullable<Moment>, _>(filter.silent.map(|(_, now)| At(now)))
        .bind::<Nullable<Text>, _>(filter.tag)
}

/// As [`Reporting::of`]; the numbers are those of [`Reporting::FAILING_AFTER`] and of the indexes.
fn reporting_condition(reporting: Reporting) -> &'static str {
    match reporting {
        Reporting::Ok => "s.recent_refusals < 3 AND s.drupal_version IS NOT NULL",
        Reporting::Failing => "s.recent_refusals >= 3",
        Reporting::Never => "s.recent_refusals < 3 AND s.drupal_version IS NULL",
    }
}

/// The site, and then its settings.
pub(crate) fn insert_site(site: NewSite) -> Vec<BoxedSql> {
    let insert = sql(include_str!("sql/insert_site.sql"))
        .bind::<Id, _>(DbId::from(site.id))
        .bind::<Text, _>(site.name)
        .bind::<Moment, _>(At(site.created_at));
    let mut statements = vec![insert.boxed()];
    if site.settings != SiteChange::default() {
        statements.extend(change_site(site.id, site.settings));
    }
    statements
}

/// The first statement writes one row where there is such a site, and none of them any where there is not.
pub(crate) fn change_site(id: SiteId, change: SiteChange) -> Vec<BoxedSql> {
    let integer = |n: Option<u32>| n.map(|n| i32::try_from(n).unwrap_or(i32::MAX));
    let update = sql(include_str!("sql/change_site.sql"))
        .bind::<Id, _>(DbId::from(id))
        .bind::<Nullable<Text>, _>(change.name)
        .bind::<Nullable<Bool>, _>(change.active)
        .bind::<Nullable<Bool>, _>(change.strict_identity)
        .bind::<Nullable<Bool>, _>(change.mass_removal)
        .bind::<Nullable<Bool>, _>(change.conflict)
        .bind::<Bool, _>(change.url.is_some())
        .bind::<Nullable<Text>, _>(change.url.flatten())
        .bind::<Bool, _>(change.environment.is_some())
        .bind::<Nullable<Text>, _>(change.environment.flatten())
        .bind::<Bool, _>(change.rate_limit.is_some())
        .bind::<Nullable<Integer>, _>(integer(change.rate_limit.flatten()))
        .bind::<Bool, _>(change.silent_after.is_some())
        .bind::<Nullable<Integer>, _>(integer(change.silent_after.flatten()));
    let mut statements = vec![update.boxed()];
    if let Some(tags) = change.tags {
        statements.push(delete_site_tags(id).boxed());
        statements.extend(tags.into_iter().map(|tag| insert_site_tag(id, tag).boxed()));
    }
    statements
}

fn delete_site_tags(id: SiteId) -> Sql<impl Portable> {
    sql(include_str!("sql/delete_site_tags.sql")).bind::<Id, _>(DbId::from(id))
}

fn insert_site_tag(id: SiteId, tag: String) -> Sql<impl Portable> {
    sql(include_str!("sql/insert_site_tag.sql")).bind::<Id, _>(DbId::from(id)).bind::<Text, _>(tag)
}

/// The first statement writes one row where there is such a site.
pub(crate) fn remove_site(id: SiteId, now: OffsetDateTime) -> Vec<BoxedSql> {
    let at = |text: &'static str| sql(text).bind::<Id, _>(DbId::from(id)).bind::<Moment, _>(At(now)).boxed();
    vec![
        at(include_str!("sql/remove_site.sql")),
        at(include_str!("sql/revoke_site_keys.sql")),
        delete_site_tags(id).boxed(),
        at(include_str!("sql/end_site_acceptances.sql")),
        at(include_str!("sql/cancel_site_jobs.sql")),
    ]
}

pub(crate) fn site_with_leftovers() -> Sql<impl Portable> {
    sql(include_str!("sql/site_with_leftovers.sql"))
}

/// `text` is one of [`LEFTOVERS`].
pub(crate) fn delete_leftovers(text: &'static str, id: SiteId, batch: usize) -> Sql<impl Portable> {
    sql(text).bind::<Id, _>(DbId::from(id)).bind::<BigInt, _>(limit(batch))
}

pub(crate) fn leftovers_done(id: SiteId) -> Sql<impl Portable> {
    sql(include_str!("sql/leftovers_done.sql")).bind::<Id, _>(DbId::from(id))
}

pub(crate) fn site_keys(site: SiteId, page: Page<String>) -> Sql<impl Portable> {
    sql(include_str!("sql/site_keys.sql"))
        .bind::<Id, _>(DbId::from(site))
        .bind::<Text, _>(page.after.unwrap_or_default())
        .bind::<BigInt, _>(limit(page.limit))
}

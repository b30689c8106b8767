//! The statements about sites.

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use module_monitor_domain::{Reporting, SiteEventKind, SiteId, SiteName, SyncId, Tag};
use time::OffsetDateTime;

use super::{SiteChange, SiteFilter};
use crate::engine::sql_types::{At, DbId, Id, Moment};
use crate::engine::statement::{BoxedSql, Portable, Sql, sql, sql_of, statement};
use crate::page::{Page, limit};
use crate::retention::statements::{beyond, older, with_more_than};
use crate::retention::trim::Trim;

/// Rows of a removed site that its tombstone does not keep, each statement deleting some of one kind.
pub(super) const LEFTOVERS: [&str; 6] = [
    include_str!("sql/delete_leftover_modules.sql"),
    include_str!("sql/delete_leftover_change_sets.sql"),
    include_str!("sql/delete_leftover_findings.sql"),
    include_str!("sql/delete_leftover_site_events.sql"),
    include_str!("sql/delete_leftover_settlements.sql"),
    include_str!("sql/delete_leftover_idempotency_keys.sql"),
];

pub(super) fn site(id: SiteId) -> Sql<impl Portable> {
    sql(concat!(include_str!("sql/sites.sql"), " AND s.id = $1")).bind::<BigInt, _>(id.0)
}

/// Each filter that picks out few sites has an index of its own, which the databases use only where its condition is
/// written out: so every combination of filters is a text of its own.
pub(super) fn sites(filter: SiteFilter, page: &Page<SiteId>) -> Sql<impl Portable + use<>> {
    let mut text = include_str!("sql/sites.sql").to_owned();
    let mut and = |condition: &str| {
        text.push_str(" AND ");
        text.push_str(condition);
    };
    and("s.id > $1");
    // Subqueries, so that few tagged or silent sites are found by their index, and still come in the order of ids.
    and(match filter.silent {
        Some((true, _)) => {
            "s.id IN (SELECT late.id FROM sites late WHERE late.silent_day < $3 AND late.silent_at < $3)"
        }
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
        .cut()
        .bind::<BigInt, _>(page.after.map_or(0, |site| site.0))
        .bind::<BigInt, _>(page.rows())
        .bind::<Nullable<Moment>, _>(filter.silent.map(|(_, now)| At(now)))
        .bind::<Nullable<Text>, _>(filter.tag.map(String::from))
}

/// Completes a text that says `site_id` of what it lists and asks for `PARAMETER IS NULL`: where there is a tag, for sites
/// with it. Written out, and not as a condition that allows for both, so that few tagged sites are found by their index.
pub(crate) fn of_tag(text: &'static str, parameter: &str, tag: Option<&Tag>) -> String {
    let condition = format!("site_id IN (SELECT t.site_id FROM site_tags t WHERE t.tag = {parameter})");
    let without = format!("{parameter} IS NULL");
    if tag.is_some() { text.replace(&without, &condition) } else { text.to_owned() }
}

/// As [`Reporting::of`]; the numbers are those of [`Reporting::FAILING_AFTER`] and of the indexes.
fn reporting_condition(reporting: Reporting) -> &'static str {
    match reporting {
        Reporting::Ok => "s.recent_refusals < 3 AND s.drupal_version IS NOT NULL AND NOT s.partial",
        Reporting::Partial => "s.recent_refusals < 3 AND s.partial",
        Reporting::Failing => "s.recent_refusals >= 3",
        Reporting::Never => "s.recent_refusals < 3 AND s.drupal_version IS NULL",
    }
}

/// Answers its id.
pub(super) fn insert_site(name: &SiteName, created_at: OffsetDateTime) -> Sql<impl Portable + use<>> {
    statement!("insert_site").bind::<Text, _>(name.to_string()).bind::<Moment, _>(At(created_at))
}

/// The first statement writes one row where there is such a site, and none of them any where there is not.
pub(super) fn change_site(id: SiteId, change: SiteChange) -> Vec<BoxedSql> {
    let integer = |n: Option<u32>| n.map(|n| i32::try_from(n).unwrap_or(i32::MAX));
    let update = statement!("change_site")
        .bind::<BigInt, _>(id.0)
        .bind::<Nullable<Text>, _>(change.name.map(String::from))
        .bind::<Nullable<Bool>, _>(change.active)
        .bind::<Nullable<Bool>, _>(change.strict_identity)
        .bind::<Nullable<Bool>, _>(change.mass_removal)
        .bind::<Nullable<Bool>, _>(change.conflict)
        .bind::<Bool, _>(change.url.is_some())
        .bind::<Nullable<Text>, _>(change.url.flatten().map(String::from))
        .bind::<Bool, _>(change.environment.is_some())
        .bind::<Nullable<Text>, _>(change.environment.flatten().map(String::from))
        .bind::<Bool, _>(change.rate_limit.is_some())
        .bind::<Nullable<Integer>, _>(integer(change.rate_limit.flatten()))
        .bind::<Bool, _>(change.silent_after.is_some())
        .bind::<Nullable<Integer>, _>(integer(change.silent_after.flatten()));
    let mut statements = vec![update.boxed()];
    if let Some(tags) = change.tags {
        statements.push(delete_site_tags(id).boxed());
        statements.extend(tags.iter().map(|tag| insert_site_tag(id, tag).boxed()));
    }
    statements
}

pub(super) fn delete_site_tags(id: SiteId) -> Sql<impl Portable> {
    statement!("delete_site_tags").bind::<BigInt, _>(id.0)
}

fn insert_site_tag(id: SiteId, tag: &Tag) -> Sql<impl Portable + use<>> {
    statement!("insert_site_tag").bind::<BigInt, _>(id.0).bind::<Text, _>(tag.to_string())
}

/// The tombstone.
pub(super) fn remove_site(id: SiteId, now: OffsetDateTime) -> Sql<impl Portable> {
    statement!("remove_site").bind::<BigInt, _>(id.0).bind::<Moment, _>(At(now))
}

pub(super) fn site_with_leftovers() -> Sql<impl Portable> {
    statement!("site_with_leftovers")
}

/// `text` is one of [`LEFTOVERS`].
pub(super) fn delete_leftovers(text: &'static str, id: SiteId, batch: usize) -> Sql<impl Portable> {
    sql(text).bind::<BigInt, _>(id.0).bind::<BigInt, _>(limit(batch))
}

pub(super) fn leftovers_done(id: SiteId) -> Sql<impl Portable> {
    statement!("leftovers_done").bind::<BigInt, _>(id.0)
}

/// Reads what a sync decides by from a site's row, and locks it.
pub(crate) fn lock_site(id: SiteId) -> Sql<impl Portable> {
    statement!(pair "lock_site").bind::<BigInt, _>(id.0)
}

/// Locks the rows of sites in the order of their ids.
pub(crate) fn lock_sites(sites: &[SiteId]) -> Sql<impl Portable + use<>> {
    statement!(pg "lock_sites").bind_list(sites.iter().map(|site| site.0).collect::<Vec<_>>())
}

/// What happened to a site as a whole; `detail` is JSON.
pub(crate) fn insert_site_event(
    site: SiteId,
    kind: SiteEventKind,
    detail: &str,
    sync: SyncId,
    now: OffsetDateTime,
) -> Sql<impl Portable + use<>> {
    statement!("insert_site_event")
        .bind::<BigInt, _>(site.0)
        .bind::<Text, _>(kind.as_str())
        .bind::<Text, _>(detail.to_owned())
        .bind::<Id, _>(DbId::from(sync))
        .bind::<Moment, _>(At(now))
}

pub(super) fn events(site: SiteId, page: &Page<i64>) -> Sql<impl Portable + use<>> {
    statement!("site_events_before")
        .cut()
        .bind::<BigInt, _>(site.0)
        .bind::<BigInt, _>(page.after.unwrap_or(i64::MAX))
        .bind::<BigInt, _>(page.rows())
}

/// Marks sites as silent that have become so by `now`, and answers them.
pub(super) fn note_silent(now: OffsetDateTime, most: usize) -> Sql<impl Portable> {
    statement!("note_silent").bind::<Moment, _>(At(now)).bind::<BigInt, _>(limit(most))
}

pub(crate) fn prune_events(before: OffsetDateTime, batch: usize) -> BoxedSql {
    older(statement!("prune_site_events"), before, batch)
}

/// Bounds the events of a site.
pub(crate) const TRIM_EVENTS: Trim = Trim {
    sites: |most| with_more_than(statement!("sites_with_many_events"), most),
    delete: |site, most, batch| beyond(statement!("trim_site_events"), site, most, batch),
};

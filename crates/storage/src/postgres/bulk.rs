//! Many rows in one statement: each column is one array parameter, so neither the number of parameters nor the number
//! of statements grows with the number of modules.

use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use module_monitor_domain::{Report, SyncPlan};

use crate::id_cache::IdCache;
use crate::rows::{ModuleIdRow, VersionIdRow};
use crate::sql_types::{At, DbId, Id, Moment};
use crate::statement::sql;
use crate::sync_writes::{EventWrite, Ids, RowWrite};
use crate::{StorageError, SyncCommand};

pub(super) type Written = Result<(), StorageError>;

pub(super) fn column<'a, R, V>(rows: &'a [R], value: impl Fn(&'a R) -> V) -> Vec<V> {
    rows.iter().map(value).collect()
}

/// Finds or inserts the registry rows of the reported modules that the site does not have yet.
pub(super) async fn resolve_modules(
    connection: &mut AsyncPgConnection,
    command: &SyncCommand,
    ids: &mut Ids,
    cache: &IdCache,
) -> Written {
    let unknown = ids.unknown_modules(&command.report, cache);
    if unknown.is_empty() {
        return Ok(());
    }
    let rows: Vec<ModuleIdRow> = sql(include_str!("sql/insert_modules.sql"))
        .bind::<Array<Text>, _>(column(&unknown, |m| m.machine_name))
        .bind::<Array<Text>, _>(column(&unknown, |m| m.module_type))
        .bind::<Array<Nullable<Text>>, _>(column(&unknown, |m| m.display_name))
        .bind::<Array<Nullable<Text>>, _>(column(&unknown, |m| m.description))
        .bind::<Array<Nullable<Text>>, _>(column(&unknown, |m| m.project_link))
        .bind::<Moment, _>(At(command.received_at))
        .get_results(connection)
        .await?;
    ids.add_modules(rows)?;
    if !ids.know_modules(&unknown) {
        let rows: Vec<ModuleIdRow> = sql(include_str!("sql/find_modules.sql"))
            .bind::<Array<Text>, _>(column(&unknown, |m| m.machine_name))
            .get_results(connection)
            .await?;
        ids.add_modules(rows)?;
    }
    Ok(())
}

/// Finds or inserts the registry rows of the versions that the plan writes.
pub(super) async fn resolve_versions(
    connection: &mut AsyncPgConnection,
    plan: &SyncPlan,
    report: &Report,
    ids: &mut Ids,
    cache: &IdCache,
) -> Written {
    let unknown = ids.unknown_versions(plan, report, cache)?;
    if unknown.is_empty() {
        return Ok(());
    }
    let rows: Vec<VersionIdRow> = sql(include_str!("sql/insert_versions.sql"))
        .bind::<Array<BigInt>, _>(column(&unknown, |v| v.module_id))
        .bind::<Array<Text>, _>(column(&unknown, |v| v.version.as_str()))
        .bind::<Array<Text>, _>(column(&unknown, |v| v.sort_key.as_str()))
        .bind::<Array<Nullable<Text>>, _>(column(&unknown, |v| v.details.as_deref()))
        .get_results(connection)
        .await?;
    ids.add_versions(rows);
    if !ids.know_versions(&unknown) {
        let rows: Vec<VersionIdRow> = sql(include_str!("sql/find_versions.sql"))
            .bind::<Array<BigInt>, _>(column(&unknown, |v| v.module_id))
            .bind::<Array<Text>, _>(column(&unknown, |v| v.version.as_str()))
            .get_results(connection)
            .await?;
        ids.add_versions(rows);
    }
    Ok(())
}

pub(super) async fn write_site_modules(
    connection: &mut AsyncPgConnection,
    command: &SyncCommand,
    rows: Vec<RowWrite<'_>>,
) -> Written {
    sql(include_str!("sql/write_site_modules.sql"))
        .bind::<Id, _>(DbId::from(command.site_id))
        .bind::<Moment, _>(At(command.received_at))
        .bind::<Array<BigInt>, _>(column(&rows, |r| r.module_id))
        .bind::<Array<Nullable<BigInt>>, _>(column(&rows, |r| r.version_id))
        .bind::<Array<Bool>, _>(column(&rows, |r| r.enabled))
        .bind::<Array<Text>, _>(column(&rows, |r| r.module_type))
        .bind::<Array<Text>, _>(column(&rows, |r| r.extension))
        .bind::<Array<Nullable<Text>>, _>(column(&rows, |r| r.project))
        .bind::<Array<Nullable<BigInt>>, _>(column(&rows, |r| r.datestamp))
        .bind::<Array<Nullable<Integer>>, _>(column(&rows, |r| r.schema_version))
        .bind::<Array<Bool>, _>(column(&rows, |r| r.security_coverage))
        .bind::<Array<Nullable<Text>>, _>(column(&rows, |r| r.own_details.as_deref()))
        .bind::<Array<Nullable<BigInt>>, _>(column(&rows, |r| r.assessment_id))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn insert_events(
    connection: &mut AsyncPgConnection,
    command: &SyncCommand,
    events: Vec<EventWrite<'_>>,
) -> Written {
    sql(include_str!("sql/insert_events.sql"))
        .bind::<Id, _>(DbId::from(command.site_id))
        .bind::<Id, _>(DbId::from(command.sync_id))
        .bind::<Moment, _>(At(command.received_at))
        .bind::<Array<BigInt>, _>(column(&events, |e| e.module_id))
        .bind::<Array<Text>, _>(column(&events, |e| e.kind))
        .bind::<Array<Nullable<Text>>, _>(column(&events, |e| e.from_version))
        .bind::<Array<Nullable<Text>>, _>(column(&events, |e| e.to_version))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn remove_site_modules(
    connection: &mut AsyncPgConnection,
    command: &SyncCommand,
    module_ids: Vec<i64>,
    last_full_sync_at: Option<At>,
) -> Written {
    sql(include_str!("sql/remove_site_modules.sql"))
        .bind::<Id, _>(DbId::from(command.site_id))
        .bind::<Moment, _>(At(command.received_at))
        .bind::<Nullable<Moment>, _>(last_full_sync_at)
        .bind::<Array<BigInt>, _>(module_ids)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn report_again(
    connection: &mut AsyncPgConnection,
    command: &SyncCommand,
    module_ids: Vec<i64>,
) -> Written {
    sql(include_str!("sql/report_again.sql"))
        .bind::<Id, _>(DbId::from(command.site_id))
        .bind::<Moment, _>(At(command.received_at))
        .bind::<Array<BigInt>, _>(module_ids)
        .execute(connection)
        .await?;
    Ok(())
}

//! Many rows in one statement: the rows are one JSON parameter, so neither the number of parameters nor the number of
//! statements grows with the number of modules.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use module_monitor_domain::{Report, SyncPlan};

use crate::id_cache::IdCache;
use crate::rows::{ModuleIdRow, VersionIdRow};
use crate::sql_types::{At, DbId, Id, Moment};
use crate::statement::sql;
use crate::sync_writes::{EventWrite, Ids, RowWrite, json};
use crate::{StorageError, SyncCommand};

pub(super) type Written = Result<(), StorageError>;

/// Finds or inserts the registry rows of the reported modules that the site does not have yet.
pub(super) fn resolve_modules(
    connection: &mut SqliteConnection,
    command: &SyncCommand,
    ids: &mut Ids,
    cache: &IdCache,
) -> Written {
    let unknown = ids.unknown_modules(&command.report, cache);
    if unknown.is_empty() {
        return Ok(());
    }
    let unknown = json(&unknown);
    sql(include_str!("sql/insert_modules.sql"))
        .bind::<Moment, _>(At(command.received_at))
        .bind::<Text, _>(&unknown)
        .execute(connection)?;
    let rows: Vec<ModuleIdRow> =
        sql(include_str!("sql/find_modules.sql")).bind::<Text, _>(&unknown).get_results(connection)?;
    ids.add_modules(rows)
}

/// Finds or inserts the registry rows of the versions that the plan writes.
pub(super) fn resolve_versions(
    connection: &mut SqliteConnection,
    plan: &SyncPlan,
    report: &Report,
    ids: &mut Ids,
    cache: &IdCache,
) -> Written {
    let unknown = ids.unknown_versions(plan, report, cache)?;
    if unknown.is_empty() {
        return Ok(());
    }
    let unknown = json(&unknown);
    sql(include_str!("sql/insert_versions.sql")).bind::<Text, _>(&unknown).execute(connection)?;
    let rows: Vec<VersionIdRow> =
        sql(include_str!("sql/find_versions.sql")).bind::<Text, _>(&unknown).get_results(connection)?;
    ids.add_versions(rows);
    Ok(())
}

pub(super) fn write_site_modules(
    connection: &mut SqliteConnection,
    command: &SyncCommand,
    rows: &[RowWrite<'_>],
) -> Written {
    sql(include_str!("sql/write_site_modules.sql"))
        .bind::<Id, _>(DbId::from(command.site_id))
        .bind::<Moment, _>(At(command.received_at))
        .bind::<Text, _>(json(rows))
        .execute(connection)?;
    Ok(())
}

pub(super) fn insert_events(
    connection: &mut SqliteConnection,
    command: &SyncCommand,
    events: &[EventWrite<'_>],
) -> Written {
    sql(include_str!("sql/insert_events.sql"))
        .bind::<Id, _>(DbId::from(command.site_id))
        .bind::<Id, _>(DbId::from(command.sync_id))
        .bind::<Moment, _>(At(command.received_at))
        .bind::<Text, _>(json(events))
        .execute(connection)?;
    Ok(())
}

pub(super) fn remove_site_modules(
    connection: &mut SqliteConnection,
    command: &SyncCommand,
    module_ids: &[i64],
    last_full_sync_at: Option<At>,
) -> Written {
    sql(include_str!("sql/remove_site_modules.sql"))
        .bind::<Id, _>(DbId::from(command.site_id))
        .bind::<Moment, _>(At(command.received_at))
        .bind::<Nullable<Moment>, _>(last_full_sync_at)
        .bind::<Text, _>(json(module_ids))
        .execute(connection)?;
    Ok(())
}

pub(super) fn report_again(connection: &mut SqliteConnection, command: &SyncCommand, module_ids: &[i64]) -> Written {
    sql(include_str!("sql/report_again.sql"))
        .bind::<Id, _>(DbId::from(command.site_id))
        .bind::<Moment, _>(At(command.received_at))
        .bind::<Text, _>(json(module_ids))
        .execute(connection)?;
    Ok(())
}

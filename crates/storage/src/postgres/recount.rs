//! Counting the figures of sites from their rows, on PostgreSQL.

use diesel::sql_types::Array;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use module_monitor_domain::SiteId;
use time::OffsetDateTime;

use super::bulk::Written;
use crate::StorageError;
use crate::rows::SiteIdRow;
use crate::sql_types::{At, DbId, Id, Moment};
use crate::statement::{BoxedSql, sql};

/// Locks `sites` in the order of their ids, runs `statements`, and recounts. The lock is a statement of its own, because
/// a statement sees what was committed before it began: here, every sync that had the lock before.
pub(super) async fn lock_and_recount(
    connection: &mut AsyncPgConnection,
    now: OffsetDateTime,
    sites: &[SiteId],
    statements: Vec<BoxedSql>,
) -> Result<Vec<usize>, StorageError> {
    let ids: Vec<DbId> = sites.iter().copied().map(DbId::from).collect();
    let _: Vec<SiteIdRow> =
        sql(include_str!("sql/lock_sites.sql")).bind::<Array<Id>, _>(ids).get_results(connection).await?;
    let mut rows = Vec::with_capacity(statements.len());
    for statement in statements {
        rows.push(statement.execute(connection).await?);
    }
    recount(connection, now, sites).await?;
    Ok(rows)
}

/// Counts the figures of sites whose locks are held, and opens and closes their findings.
pub(super) async fn recount(connection: &mut AsyncPgConnection, now: OffsetDateTime, sites: &[SiteId]) -> Written {
    let ids: Vec<DbId> = sites.iter().copied().map(DbId::from).collect();
    sql(include_str!("sql/recount_sites.sql"))
        .bind::<Array<Id>, _>(ids)
        .bind::<Moment, _>(At(now))
        .execute(connection)
        .await?;
    Ok(())
}

//! Counting the figures of sites from their rows, on SQLite.

use diesel::prelude::*;
use diesel::sql_types::Text;
use module_monitor_domain::SiteId;
use time::OffsetDateTime;

use super::bulk::Written;
use crate::sql_types::{At, Moment};
use crate::statement::sql;
use crate::sync_writes::json;

/// Counts the figures of sites, and opens and closes their findings.
pub(super) fn recount(connection: &mut SqliteConnection, now: OffsetDateTime, sites: &[SiteId]) -> Written {
    let ids: Vec<String> = sites.iter().map(|site| site.0.simple().to_string()).collect();
    let ids = json(&ids);
    sql(include_str!("sql/recount_sites.sql")).bind::<Text, _>(&ids).execute(connection)?;
    for text in [include_str!("sql/close_findings.sql"), include_str!("sql/open_findings.sql")] {
        sql(text).bind::<Text, _>(&ids).bind::<Moment, _>(At(now)).execute(connection)?;
    }
    Ok(())
}

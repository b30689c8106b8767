//! What the database takes by itself for the least work that could be enough, in the same run.

use std::time::Duration;

use futures::future::join_all;
use module_monitor_ingestion::{Clock, SystemClock};
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::raw::RawConnection;

use super::load::Times;

/// A table like `site_modules`, of which only the primary key has an index.
const TABLES: &str = "
    CREATE TABLE bench_row (id bigint PRIMARY KEY, n bigint NOT NULL);
    CREATE TABLE bench_modules (
        site_id bigint NOT NULL, module_id bigint NOT NULL, version_id bigint, enabled boolean NOT NULL, type text NOT NULL,
        extension text NOT NULL, project text, datestamp bigint, security_coverage boolean NOT NULL, item_hash text,
        first_seen bigint NOT NULL, last_updated bigint NOT NULL, last_reported_at bigint NOT NULL, in_use boolean NOT NULL,
        last_change_sync text, last_change_position integer, assessment_id bigint,
        PRIMARY KEY (site_id, module_id)
    );";

/// Makes the tables.
pub(crate) async fn prepare(database: &TestDatabase) {
    database.raw().await.execute(TABLES).await;
}

/// Sends the statements of each lane one after the other, all lanes at once, each over a connection of its own. SQLite has
/// one writer, so there all of them are one lane: others would only wait.
async fn run(database: &TestDatabase, mut lanes: Vec<Vec<String>>) -> Times {
    if database.backend() == Backend::Sqlite {
        lanes = vec![lanes.concat()];
    }
    let mut connected = Vec::new();
    for lane in lanes {
        let mut raw = database.raw().await;
        if raw.backend() == Backend::Sqlite {
            raw.execute("PRAGMA synchronous = FULL").await;
        }
        connected.push((raw, lane));
    }
    let begun = SystemClock.instant();
    let each = join_all(connected.into_iter().map(|(raw, lane)| run_lane(raw, lane))).await.concat();
    Times::new(each, SystemClock.instant().duration_since(begun))
}

async fn run_lane(mut raw: RawConnection, lane: Vec<String>) -> Vec<Duration> {
    let mut each = Vec::with_capacity(lane.len());
    for statement in lane {
        let begun = SystemClock.instant();
        raw.execute(&statement).await;
        each.push(SystemClock.instant().duration_since(begun));
    }
    each
}

/// The smallest durable transaction: one row is updated, another one on each connection.
pub(crate) async fn updates(database: &TestDatabase, connections: usize, count: usize) -> Times {
    let mut raw = database.raw().await;
    raw.execute("DELETE FROM bench_row").await;
    let mut lanes = Vec::new();
    for id in 0..connections {
        raw.execute(&format!("INSERT INTO bench_row VALUES ({id}, 0)")).await;
        lanes.push(vec![format!("UPDATE bench_row SET n = n + 1 WHERE id = {id}"); count]);
    }
    run(database, lanes).await
}

/// So many rows in one statement, another site's on each connection.
pub(crate) async fn inserts(database: &TestDatabase, connections: usize, rows: usize, count: usize) -> Times {
    let mut raw = database.raw().await;
    raw.execute("DELETE FROM bench_modules").await;
    let site = |connection: usize, n: usize| insert(database.backend(), connection * count + n, rows);
    let lanes = (0..connections).map(|connection| (0..count).map(|n| site(connection, n)).collect());
    run(database, lanes.collect()).await
}

fn insert(backend: Backend, site: usize, rows: usize) -> String {
    let ids: Vec<String> = (0..rows).map(|n| n.to_string()).collect();
    let names: Vec<String> = (0..rows).map(|n| format!("module_{n:04}")).collect();
    // As many bytes as a hash has.
    let hashes: Vec<String> = (0..rows).map(|n| format!("{:032}", n + site)).collect();
    let list = |items: &[String]| items.join(",");
    let from = match backend {
        Backend::Postgres => format!(
            "unnest('{{{}}}'::bigint[], '{{{}}}'::text[], '{{{}}}'::text[]) AS r (m, p, h)",
            list(&ids),
            list(&names),
            list(&hashes)
        ),
        Backend::Sqlite => {
            let row = |n: usize| format!("[{},\"{}\",\"{}\"]", ids[n], names[n], hashes[n]);
            let rows: Vec<String> = (0..rows).map(row).collect();
            format!(
                "(SELECT value ->> 0 AS m, value ->> 1 AS p, value ->> 2 AS h FROM json_each('[{}]')) AS r",
                list(&rows)
            )
        }
    };
    format!(
        "INSERT INTO bench_modules SELECT {site}, r.m, r.m, true, 'contrib', 'module', r.p, 1700000000, true, r.h, \
         1700000000000000, 1700000000000000, 1700000000000000, true, '01a20a59-62d8-7616-b2d6-03c938a3f45c', r.m, r.m FROM {from}"
    )
}

/// So many rows of `site_modules` in the order of their key, with the names of two tables: what a list at least reads.
pub(crate) async fn reads(database: &TestDatabase, site: &str, rows: usize, count: usize) -> Times {
    let mut raw = database.raw().await;
    let select = format!(
        "SELECT m.machine_name || v.version FROM site_modules sm JOIN modules m ON m.id = sm.module_id \
         JOIN module_versions v ON v.id = sm.version_id WHERE sm.site_id >= {site} ORDER BY sm.site_id, sm.module_id LIMIT {rows}"
    );
    let mut each = Vec::new();
    let all = SystemClock.instant();
    for _ in 0..count {
        let begun = SystemClock.instant();
        assert_eq!(raw.texts(&select).await.len(), rows, "too few rows to read");
        each.push(SystemClock.instant().duration_since(begun));
    }
    Times::new(each, SystemClock.instant().duration_since(all))
}

//! Filling the database: a few sites report, and all others are copies of their rows.
//!
//! So the rows are those that the server of today writes, whatever the schema is, and reports of the copies are known to be
//! unchanged.

use module_monitor_tests::api::TestSite;
use module_monitor_tests::raw::RawConnection;
use serde_json::Value;

use super::super::bodies::{COMMON, NEXT, VERSION, body, modules, update};
use super::super::lists::import;
use super::super::load::Prepared;
use super::super::subject::Subject;
use super::super::table::{number, say};

/// Sites that report; their modules overlap.
const TEMPLATES: usize = 10;
/// By how many modules the list of one differs from that of the next.
const SHIFT: usize = 10;
/// Modules of every other one that are in the next version.
const AHEAD: usize = 60;
/// A project that all of them have, in the same version.
pub(super) const EVERYWHERE: &str = "pool_0180";
/// Sites that are copied in one transaction.
const BATCH: usize = 250;
/// Tables that grow with sites, with what a copy has of its own.
const COPIED: [(&str, &[(&str, &str)]); 5] = [
    ("sites", &[("id", "n"), ("name", "'Site ' || n")]),
    ("site_modules", &[("site_id", "n"), ("last_change_sync", SYNC_ID)]),
    ("change_sets", &[("site_id", "n"), ("sync_id", SYNC_ID)]),
    ("syncs", &[("site_id", "n"), ("id", SYNC_ID)]),
    ("api_keys", &[("site_id", "n"), ("id", "lpad(to_hex(n), length(t.id), '0')")]),
];
/// A UUID version 7, later for later sites.
const SYNC_ID: &str = "(lpad(to_hex(1760000000000 + n), 12, '0') || '7' || substr(md5(n::text), 1, 3) || 'a' || \
                       substr(md5(n::text), 4, 15))::uuid";

/// Many sites.
pub(super) struct Crowd {
    pub(super) count: usize,
    templates: Vec<(TestSite, Vec<Value>)>,
    size: i64,
    tables: Vec<(String, i64)>,
}

impl Crowd {
    /// Fills the database with so many sites.
    pub(super) async fn fill(subject: &Subject, count: usize) -> anyhow::Result<Self> {
        let count = count.max(TEMPLATES);
        let pool = modules("pool", COMMON + TEMPLATES * SHIFT);
        let mut templates = Vec::new();
        let folder = tempfile::tempdir()?;
        for (n, site) in subject.sites(TEMPLATES).await.into_iter().enumerate() {
            let mut list = pool[n * SHIFT..n * SHIFT + COMMON].to_vec();
            update(&mut list, 0, if n % 2 == 0 { 0 } else { AHEAD });
            let first = Prepared::sync(subject.api(), &site, body(&list, 0), COMMON, 0);
            super::super::load::send(vec![vec![first]]).await?;
            templates.push((site, list));
        }
        import(subject, folder.path(), 0..pool.len(), |feed| feed.release(NEXT, &[]).release(VERSION, &[])).await?;
        let mut raw = subject.database.raw().await;
        copy(&mut raw, count).await;
        let size = raw.number("SELECT pg_database_size(current_database())").await;
        let mut tables = Vec::new();
        for (table, _) in COPIED {
            tables.push((table.to_owned(), raw.number(&format!("SELECT pg_total_relation_size('{table}')")).await));
        }
        Ok(Self { count, templates, size, tables })
    }

    /// The `n`th site, with its key.
    pub(super) fn site(&self, n: usize) -> TestSite {
        let template = &self.templates[n % TEMPLATES].0;
        if n < TEMPLATES {
            return template.clone();
        }
        let (public, secret) = template.key.rsplit_once('_').expect("a key of two parts");
        let (prefix, id) = public.rsplit_once('_').expect("a prefix");
        let number = n + 1;
        TestSite { id: number.to_string(), key: format!("{prefix}_{number:0width$x}_{secret}", width = id.len()) }
    }

    /// What it has installed.
    pub(super) fn list(&self, n: usize) -> &[Value] {
        &self.templates[n % TEMPLATES].1
    }

    /// What all of it takes on disk, a line each.
    pub(super) async fn sizes(&self, subject: &Subject) -> Vec<String> {
        let each = |(table, bytes): &(String, i64)| {
            format!("{table} {} kB", number(*bytes as f64 / 1000.0 / self.count as f64))
        };
        let parts: Vec<String> = self.tables.iter().map(each).collect();
        let total: i64 = self.tables.iter().map(|(_, bytes)| bytes).sum();
        let mut raw = subject.database.raw().await;
        let now = raw.number("SELECT pg_database_size(current_database())").await;
        let (gb, each) = (|bytes: i64| number(bytes as f64 / 1e9), number(total as f64 / 1000.0 / self.count as f64));
        vec![
            format!("a site takes {each} kB with its first sync, indexes included: {}", parts.join(", ")),
            format!("the database had {} GB once it was filled, {} GB at the end", gb(self.size), gb(now)),
        ]
    }
}

/// Copies the rows of the first sites until there are so many, and does what autovacuum would do then.
async fn copy(raw: &mut RawConnection, count: usize) {
    // Foreign keys are those of the rows that are copied: no need to look.
    raw.execute("SET session_replication_role = replica").await;
    let mut statements = Vec::new();
    for (table, own) in COPIED {
        statements.push(copying(raw, table, own).await);
    }
    for from in (TEMPLATES + 1..=count).step_by(BATCH) {
        let to = (from + BATCH - 1).min(count);
        let range = |statement: &String| statement.replace("$range", &format!("{from}, {to}"));
        let batch: Vec<String> = statements.iter().map(range).collect();
        raw.execute(&format!("BEGIN; {}; COMMIT", batch.join("; "))).await;
        if to % (8 * BATCH) < BATCH || to == count {
            say(&format!("{to} of {count} sites"));
        }
    }
    raw.execute("SET session_replication_role = origin").await;
    raw.execute(&format!("SELECT setval(pg_get_serial_sequence('sites', 'id'), {count})")).await;
    raw.execute("VACUUM (ANALYZE)").await;
    raw.execute("CHECKPOINT").await;
}

/// The statement that copies rows of a table, with `$range` for the ids of the sites they are for.
async fn copying(raw: &mut RawConnection, table: &str, own: &[(&str, &str)]) -> String {
    let columns = raw
        .texts(&format!(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '{table}' \
             AND is_generated = 'NEVER' ORDER BY ordinal_position"
        ))
        .await;
    let value = |column: &String| {
        let found = own.iter().find(|(name, _)| name == column);
        found.map_or_else(|| format!("t.{column}"), |(_, value)| (*value).to_owned())
    };
    let values: Vec<String> = columns.iter().map(value).collect();
    let site = if table == "sites" { "id" } else { "site_id" };
    format!(
        "INSERT INTO {table} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM generate_series($range) AS n \
         JOIN {table} t ON t.{site} = 1 + (n - 1) % {TEMPLATES}",
        columns.join(", "),
        values.join(", ")
    )
}

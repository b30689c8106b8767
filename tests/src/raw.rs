//! Looking into a test database, and changing it, behind the storage's back.

use std::collections::HashSet;

use diesel::connection::SimpleConnection;
use diesel::deserialize::QueryableByName;
use diesel::sql_types::{Integer, Text};
use diesel::{Connection, RunQueryDsl, SqliteConnection, sql_query};
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::backends::Backend;

/// A connection that is not the storage's.
pub struct RawConnection(Kind);

enum Kind {
    Sqlite(Box<SqliteConnection>),
    Postgres(tokio_postgres::Client),
}

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = Text)]
    value: String,
}

#[derive(QueryableByName)]
struct PlanRow {
    #[diesel(sql_type = Integer)]
    parent: i32,
    #[diesel(sql_type = Text)]
    detail: String,
}

impl RawConnection {
    /// Connects to the database at `url`.
    pub async fn open(url: &str) -> Self {
        if let Some(path) = url.strip_prefix("sqlite://") {
            let mut connection = SqliteConnection::establish(path).expect("the database file");
            connection.batch_execute("PRAGMA busy_timeout = 60000").expect("a pragma");
            return Self(Kind::Sqlite(Box::new(connection)));
        }
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the test server answers");
        tokio::spawn(connection);
        Self(Kind::Postgres(client))
    }

    /// Which kind of database it is.
    pub fn backend(&self) -> Backend {
        match self.0 {
            Kind::Sqlite(_) => Backend::Sqlite,
            Kind::Postgres(_) => Backend::Postgres,
        }
    }

    /// Runs any statements.
    pub async fn execute(&mut self, sql: &str) {
        match &mut self.0 {
            Kind::Sqlite(connection) => connection.batch_execute(sql).expect(sql),
            Kind::Postgres(client) => client.batch_execute(sql).await.expect(sql),
        }
    }

    /// Runs any statements; whether all of them succeeded.
    pub async fn try_execute(&mut self, sql: &str) -> bool {
        match &mut self.0 {
            Kind::Sqlite(connection) => connection.batch_execute(sql).is_ok(),
            Kind::Postgres(client) => client.batch_execute(sql).await.is_ok(),
        }
    }

    /// The rows of a query for one column, each as text, `-` where it is null.
    pub async fn texts(&mut self, select: &str) -> Vec<String> {
        let sql = format!("SELECT coalesce(CAST(v AS text), '-') AS value FROM ({select}) AS t (v)");
        match &mut self.0 {
            Kind::Sqlite(connection) => {
                // SQLite names no columns of a subquery from outside.
                let sql = format!("WITH t (v) AS ({select}) SELECT coalesce(CAST(v AS text), '-') AS value FROM t");
                let rows: Vec<TextRow> = sql_query(&sql).load(&mut **connection).expect(&sql);
                rows.into_iter().map(|row| row.value).collect()
            }
            Kind::Postgres(client) => {
                client.query(&sql, &[]).await.expect(&sql).iter().map(|row| row.get("value")).collect()
            }
        }
    }

    /// How many changes of modules are on record.
    pub async fn changes(&mut self) -> i64 {
        let query = format!("SELECT coalesce(sum({}), 0) FROM change_sets", self.changes_in_set());
        self.number(&query).await
    }

    /// How the database says how many changes a change set holds.
    pub fn changes_in_set(&self) -> &'static str {
        match self.backend() {
            Backend::Sqlite => "json_array_length(changes)",
            Backend::Postgres => "json_array_length(changes::json)",
        }
    }

    /// The number that a query for one value gives.
    pub async fn number(&mut self, select: &str) -> i64 {
        let texts = self.texts(select).await;
        texts.first().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no number: {select}: {texts:?}"))
    }

    /// Whether SQLite would take a JSON text apart once for each row of a table, instead of once.
    pub fn takes_json_apart_in_a_loop(&mut self, statement: &str) -> bool {
        let Kind::Sqlite(connection) = &mut self.0 else { return false };
        let sql = format!("EXPLAIN QUERY PLAN {statement}");
        let rows: Vec<PlanRow> = sql_query(&sql).load(&mut **connection).expect(&sql);
        let mut outer: HashSet<i32> = HashSet::new();
        rows.iter().any(|row| {
            let inside = row.detail.contains("VIRTUAL TABLE") && outer.contains(&row.parent);
            if row.detail.starts_with("SCAN") || row.detail.starts_with("SEARCH") {
                outer.insert(row.parent);
            }
            inside
        })
    }

    /// How the database would run `statement`, line by line; `types` and `values` are those of its parameters, as
    /// PostgreSQL writes them. SQLite plans without them.
    pub async fn plan(&mut self, statement: &str, types: &str, values: &str) -> Vec<String> {
        match &mut self.0 {
            Kind::Sqlite(connection) => {
                // With them a plan also shows what would be done if a foreign key were violated.
                connection.batch_execute("PRAGMA foreign_keys = OFF").expect("a pragma");
                let sql = format!("EXPLAIN QUERY PLAN {statement}");
                let rows: Vec<PlanRow> = sql_query(&sql).load(&mut **connection).expect(&sql);
                rows.into_iter().map(|row| row.detail).collect()
            }
            Kind::Postgres(client) => {
                let sql = format!("PREPARE planned ({types}) AS {statement}");
                client.batch_execute(&sql).await.expect(&sql);
                let sql = format!("EXPLAIN EXECUTE planned ({values})");
                let rows = client.query(&sql, &[]).await.expect(&sql);
                client.batch_execute("DEALLOCATE planned").await.expect("a prepared statement");
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }

    /// The id of a sync, or another UUID, as it is written in SQL.
    pub fn id(&self, id: Uuid) -> String {
        match self.0 {
            Kind::Sqlite(_) => format!("x'{}'", id.simple()),
            Kind::Postgres(_) => format!("'{id}'::uuid"),
        }
    }

    /// The tables of the schema, sorted; without what the migrations and the watch keep for themselves.
    pub async fn tables(&mut self) -> Vec<String> {
        let names = match self.0 {
            Kind::Sqlite(_) => "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
            Kind::Postgres(_) => "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
        };
        let mut tables = self.texts(names).await;
        tables.retain(|table| table != "__diesel_schema_migrations" && table != "written_rows");
        tables.sort();
        tables
    }

    /// How many rows each table has.
    pub async fn row_counts(&mut self) -> Vec<(String, i64)> {
        let mut counts = Vec::new();
        for table in self.tables().await {
            let count = self.number(&format!("SELECT count(*) FROM {table}")).await;
            counts.push((table, count));
        }
        counts
    }
}

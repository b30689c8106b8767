//! Watching what the storage asks of the database and which rows it writes.

use std::sync::{Arc, Mutex};

use module_monitor_storage::{StatementObserver, StorageOptions};

use crate::backends::Backend;
use crate::raw::RawConnection;

/// Every statement that a storage has sent, in order.
#[derive(Clone, Default)]
pub struct StatementLog(Arc<Mutex<Vec<String>>>);

impl StatementLog {
    /// `options`, with the statements going to this log.
    pub fn watch(&self, options: StorageOptions) -> StorageOptions {
        let log = Arc::clone(&self.0);
        let observe: StatementObserver = Arc::new(move |statement| {
            log.lock().expect("the log").push(statement.to_string());
        });
        StorageOptions { on_statement: Some(observe), ..options }
    }

    /// The statements since the last call.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("the log"))
    }
}

/// From now on the database itself notes every row that is inserted, updated or deleted, in every table.
pub async fn watch_rows(raw: &mut RawConnection) {
    raw.execute("CREATE TABLE written_rows (entry text NOT NULL)").await;
    if raw.backend() == Backend::Postgres {
        raw.execute(
            "CREATE FUNCTION note_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             INSERT INTO written_rows VALUES (lower(TG_OP) || ' ' || TG_TABLE_NAME); RETURN NULL; END $$",
        )
        .await;
    }
    for table in raw.tables().await {
        for operation in ["insert", "update", "delete"] {
            let body = match raw.backend() {
                Backend::Sqlite => format!("BEGIN INSERT INTO written_rows VALUES ('{operation} {table}'); END"),
                Backend::Postgres => "FOR EACH ROW EXECUTE FUNCTION note_row()".to_owned(),
            };
            raw.execute(&format!("CREATE TRIGGER note_{operation}_{table} AFTER {operation} ON {table} {body}")).await;
        }
    }
}

/// The rows written since the last call, sorted: `update sites`.
pub async fn written_rows(raw: &mut RawConnection) -> Vec<String> {
    let mut rows = raw.texts("SELECT entry FROM written_rows").await;
    raw.execute("DELETE FROM written_rows").await;
    rows.sort();
    rows
}

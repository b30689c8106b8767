//! Databases that answer but take no writes, or no connections: one that only reads, has no room, or is held by somebody else.

use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contribs, full};
use module_monitor_tests::process::{ServerProcess, run, wait_for};
use module_monitor_tests::raw::RawConnection;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

on_both_backends!(what_takes_no_writes);

/// Statements of an administrator that make the fault and mend it.
struct Fault {
    make: String,
    mend: String,
}

/// PostgreSQL finds no room for anything, and says so as it would. On a disk that is really full, what it finds room for differs
/// from time to time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_without_any_room() {
    let Some(database) = TestDatabase::new(Backend::Postgres).await else { return };
    let tables = ["schema_text", "syncs", "sites", "api_keys"];
    let function = "CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                    RAISE EXCEPTION 'could not extend file \"base/1/2\": No space left on device' \
                    USING ERRCODE = '53100'; END $$;";
    let trigger = |table: &&str| {
        format!(
            "CREATE TRIGGER full_{table} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION full_disk();"
        )
    };
    let triggers: String = tables.iter().map(trigger).collect();
    let mend = tables.iter().map(|table| format!("DROP TRIGGER full_{table} ON {table};")).collect();
    let fault = Fault { make: format!("{function}{triggers}"), mend };
    story(&database.url, &mut database.raw().await, &fault, &database.url, &[]).await;
}

/// PostgreSQL only reads; another process holds the lock of the SQLite file.
async fn what_takes_no_writes(database: TestDatabase) {
    let fault = match database.backend() {
        Backend::Sqlite => Fault { make: "BEGIN IMMEDIATE".to_owned(), mend: "ROLLBACK".to_owned() },
        Backend::Postgres => {
            let name = database.url.rsplit_once('/').expect("a database").1;
            let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                          WHERE datname = current_database() AND pid <> pg_backend_pid()";
            let read_only =
                |on: &str| format!("ALTER DATABASE {name} SET default_transaction_read_only = {on}; {others}");
            Fault { make: read_only("on"), mend: read_only("off") }
        }
    };
    story(&database.url, &mut database.raw().await, &fault, &database.url, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_without_free_connections() {
    let Some(database) = TestDatabase::new(Backend::Postgres).await else { return };
    let mut raw = database.raw().await;
    let role = format!("mm_{}", Uuid::new_v4().simple());
    raw.execute(&format!("CREATE ROLE {role} LOGIN; GRANT ALL ON SCHEMA public TO {role}")).await;
    let others = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'");
    let fault = Fault {
        make: format!("ALTER ROLE {role} CONNECTION LIMIT 0; {others}"),
        mend: format!("ALTER ROLE {role} CONNECTION LIMIT -1"),
    };
    let url = database.url.replace("postgres@", &format!("{role}@"));
    story(&url, &mut raw, &fault, &url, &["too many connections for role"]).await;
    raw.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

/// A server works, stumbles, says so honestly and comes back by itself. What it logs contains `reasons`.
async fn story(url: &str, raw: &mut RawConnection, fault: &Fault, command_url: &str, reasons: &[&str]) {
    let server = ServerProcess::start(url, &["--database-checkout-timeout", "1s"]).await;
    let create = |kind: &'static [&'static str]| async move {
        let created = run(command_url, kind).await;
        serde_json::from_str::<Value>(&created.stdout).unwrap_or_else(|error| panic!("{error}: {created:?}"))
    };
    let created = create(&["site", "create", "--name", "A site", "--json"]).await;
    let site = TestSite { id: created["site_id"].to_string(), key: text(&created["api_key"]) };
    let admin = text(&create(&["key", "create", "--admin", "--json"]).await["api_key"]);
    let register = async || {
        let request = server.api.request(Method::POST, "/api/v1/sites").header("X-API-Key", &admin);
        Answer::of(request.json(&json!({"name": "Another"}))).await
    };
    assert_eq!(server.api.sync(&site, &full(contribs("m", 3, "1.0.0"))).await.counts(), (3, 0, 0));

    raw.execute(&fault.make).await;
    for version in ["2.0.0", "3.0.0"] {
        for answer in [server.api.sync(&site, &full(contribs("m", 3, version))).await, register().await] {
            answer.problem(503, "database-unavailable");
            assert!(answer.header("retry-after").is_some());
        }
        let not_ready = server.api.get_open("/readyz").await;
        not_ready.problem(503, "database-unavailable");
        assert!(not_ready.header("retry-after").is_some());
        server.api.get_open("/healthz").await.ok();
    }

    raw.execute(&fault.mend).await;
    // Nobody touches the server: it finds its way back by itself.
    wait_for("it is ready", async || (server.api.get_open("/readyz").await.status == 200).then_some(())).await;
    assert_eq!(server.api.sync(&site, &full(contribs("m", 3, "4.0.0"))).await.counts(), (0, 3, 0));
    assert_eq!(register().await.status, 201);
    server.terminate().await;
    let (status, log) = server.wait().await;
    assert!(status.success(), "{log}");
    let told: Vec<&str> = log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).collect();
    assert!(told.len() == 1 && told[0].contains("the database cannot be used"), "{log}");
    assert!(reasons.iter().all(|reason| told[0].contains(reason)), "{log}");
    assert_eq!(log.matches("the database can be used again").count(), 1, "{log}");
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

//! Two servers behind a PgBouncer that pools transactions, as docs/operations.md has it: sessions are shared, and each
//! statement may reach another one.

use std::time::Duration;

use module_monitor_storage::{StorageOptions, connect};
use module_monitor_tests::api::{Answer, Api, TestSite};
use module_monitor_tests::ledger::Ledger;
use module_monitor_tests::payloads::{State, again, contribs, full, partial, state_after, state_of};
use module_monitor_tests::pgbouncer::PrivatePgBouncer;
use module_monitor_tests::postgres::PrivatePostgres;
use module_monitor_tests::process::{ServerProcess, create_site, run, wait_for};
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::server::TestServer;
use reqwest::Method;
use serde_json::{Value, json};

use crate::stream::{Progress, assert_all_kept, report_all, reporters};

/// What the documentation says to set for the role, because settings of a session do not reach all of the pool.
fn documented_settings() -> String {
    let (_, section) = include_str!("../../../docs/operations.md").split_once("### PgBouncer").expect("the section");
    let (_, block) = section.split_once("```sql\n").expect("the settings");
    let (settings, _) = block.split_once("```").expect("their end");
    assert!(settings.contains("ALTER ROLE mm SET statement_timeout"), "{settings}");
    settings.replace("ROLE mm", "ROLE postgres")
}

/// Both of them, the PostgreSQL migrated through the PgBouncer.
async fn pooled() -> Option<(PrivatePostgres, PrivatePgBouncer)> {
    let postgres = PrivatePostgres::running().await?;
    RawConnection::open(&postgres.url()).await.execute(&documented_settings()).await;
    let bouncer = PrivatePgBouncer::start(&postgres, 500).await?;
    let migrated = run(&bouncer.url(), &["migrate"]).await;
    assert_eq!(migrated.code, 0, "{migrated:?}");
    Some((postgres, bouncer))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_share_the_sessions_of_a_pool() {
    let Some((postgres, bouncer)) = pooled().await else { return };
    let url = bouncer.url();
    let start = || ServerProcess::start(&url, &["--queue-threshold", "100"]);
    let (one, two) = tokio::join!(start(), start());
    let site = create_site(&url).await;
    let expected = reports_of_every_kind(&one.api, &two.api, &site).await;
    queued(&one.api, &two.api, &create_site(&url).await).await;
    a_revoked_key(&one.api, &two.api, &url, &site).await;
    let ledger = Ledger::read(&postgres.url()).await;
    ledger.assert_whole();
    assert_eq!(ledger.state(&site), expected);
    for server in [one, two] {
        server.api.get_open("/readyz").await.ok();
        let log = server.log();
        assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
        server.kill().await;
    }
}

/// First, unchanged, changed and partial, many times over, so that every statement meets every session.
async fn reports_of_every_kind(one: &Api, two: &Api, site: &TestSite) -> State {
    let mut state = None;
    for (round, (here, there)) in [(one, two), (two, one)].into_iter().cycle().take(12).enumerate() {
        let report = full(contribs("m", 30, &format!("1.{round}.0")));
        let (new, updated) = if round == 0 { (30, 0) } else { (1, 29) };
        assert_eq!(here.sync(site, &report).await.counts(), (new, updated, 0), "round {round}");
        assert_eq!(there.sync(site, &again(&report)).await.counts(), (0, 0, 0), "round {round}");
        let changed = partial(contribs("m", 5, &format!("2.{round}.0")));
        assert_eq!(there.sync(site, &changed).await.counts(), (0, 5, 0), "round {round}");
        let fewer = full(contribs("m", 29, &format!("1.{round}.0")));
        assert_eq!(here.sync(site, &fewer).await.counts(), (0, 5, 1), "round {round}");
        let after = state_after(state_after(state_of(&report), &changed), &fewer);
        assert_eq!(after.len(), 29);
        assert_eq!(there.list(&site.key, &site.modules(""), 10).await.len(), 29);
        state = Some(after);
    }
    state.expect("a state")
}

/// A large report goes through the queue, whichever of them takes it out.
async fn queued(one: &Api, two: &Api, site: &TestSite) {
    let request = one.sync_request(site, &full(contribs("large", 300, "1.0.0"))).header("Prefer", "wait=0");
    let answer = Answer::of(request).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let path = format!("/api/v1/syncs/{}", answer.json()["sync_id"].as_str().expect("an id"));
    let done = wait_for("the job is done", async || {
        Some(two.get(&site.key, &path).await.ok()).filter(|sync| sync["status"] == "succeeded")
    });
    assert_eq!(done.await["result"]["new_modules"], 300);
}

/// A key that is revoked on one server ends on the other, too.
async fn a_revoked_key(one: &Api, two: &Api, url: &str, site: &TestSite) {
    let created = run(url, &["key", "create", "--admin", "--name", "admin", "--json"]).await;
    let admin: Value = serde_json::from_str(&created.stdout).unwrap_or_else(|error| panic!("{error}: {created:?}"));
    let admin = admin["api_key"].as_str().expect("a key");
    let send = async |method, path: String, body: Option<Value>| {
        let request = one.request(method, &path).header("X-API-Key", admin);
        Answer::of(if let Some(body) = body { request.json(&body) } else { request }).await
    };
    let keys = format!("/api/v1/sites/{}/keys", site.id);
    let issued = send(Method::POST, keys, Some(json!({"name": "second"}))).await;
    assert_eq!(issued.status, 201, "{}", issued.text);
    let (id, key) = (&issued.json()["id"], issued.json()["api_key"].as_str().expect("a key").to_owned());
    two.get(&key, &site.modules("")).await.ok();
    let id = id.as_str().expect("an id");
    assert_eq!(send(Method::DELETE, format!("/api/v1/keys/{id}"), None).await.status, 204);
    assert_eq!(one.get(&key, &site.modules("")).await.status, 401);
    let refused = async || (two.get(&key, &site.modules("")).await.status == 401).then_some(());
    wait_for("the key is refused by the other server", refused).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn syncs_survive_a_restart_of_the_pool() {
    let Some((postgres, mut bouncer)) = pooled().await else { return };
    let url = bouncer.url();
    let storage = connect(&url, StorageOptions::default()).expect("a usable URL");
    let mut reporters = reporters(storage.as_ref(), 4).await;
    let server = TestServer::start_with(&url, |config| {
        config.database_checkout_timeout = Duration::from_secs(1);
        config.database_connections = 4;
    })
    .await;
    for _ in 0..2 {
        let progress = Progress::default();
        let disturb = async {
            progress.more(15).await;
            bouncer.kill().await;
            wait_for("syncs are refused", async || (progress.refused() > 0).then_some(())).await;
            server.api.get_open("/readyz").await.problem(503, "database-unavailable");
            bouncer.restart().await;
            // Nobody touches the server: it finds its way back by itself.
            progress.more(15).await;
            progress.stop();
        };
        tokio::join!(report_all(&mut reporters, &server.api, &progress), disturb);
        assert_all_kept(&reporters, &postgres.url(), &server.api).await;
        server.api.get_open("/readyz").await.ok();
    }
    server.stop().await;
}

/// Without room for prepared statements the error says what is wrong, instead of leaving it to be guessed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_that_loses_prepared_statements_is_named() {
    let Some(postgres) = PrivatePostgres::running().await else { return };
    let Some(bouncer) = PrivatePgBouncer::start(&postgres, 0).await else { return };
    assert_eq!(run(&postgres.url(), &["migrate"]).await.code, 0);
    let url = bouncer.url();
    wait_for("a program meets statements of another one", async || {
        let listed = run(&url, &["site", "list"]).await;
        listed.stderr.contains("a connection pooler loses prepared statements").then_some(())
    })
    .await;
}

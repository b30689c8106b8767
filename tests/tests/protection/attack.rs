//! One key does its worst, within its limits and with the server's default settings, while others go on: what they are
//! answered stays right, and what is left behind stays within bounds.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::feeds::Feed;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{again, contrib, contribs, full};
use module_monitor_tests::process::{ServerProcess, run, wait_for};
use module_monitor_tests::server::new_site;
use serde_json::{Value, json};

use crate::support::{compress, raw_sync};

on_both_backends!(an_attack_by_one_key_changes_nothing_for_its_neighbours);

/// Connections of the attacker.
const CONNECTIONS: usize = 4;
/// Reports over each of them; together less than the rate limit.
const REPORTS: usize = 4;
/// Syncs of the victim before the security release, and as many after it; together less than its rate limit.
const SYNCS: usize = 12;
/// What the server may take at most, in MiB, in a debug build.
const MEMORY: u64 = 300;

/// A report of 2000 modules that exist nowhere else, of versions and datestamps that do not either, with 15 MiB of words.
async fn heavy(n: usize) -> Vec<u8> {
    let module = |i: usize| {
        json!({
            "machine_name": format!("attack_{n}_{i}"), "name": format!("Attack {i}"), "version": format!("1.{n}.{i}-dev"),
            "type": "contrib", "status": true, "project": format!("attack_{n}_{i}"), "datestamp": 1_700_000_000 + n * 2000 + i,
            "description": "w".repeat(7_700),
        })
    };
    let body = full((0..2000).map(module).collect()).to_string();
    assert!(body.len() > 15 << 20 && body.len() < 16 << 20, "{} bytes", body.len());
    compress("gzip", body.as_bytes()).await
}

/// Sends report after report over one connection, and counts those that were taken.
async fn attack(server: &ServerProcess, site: &TestSite, connection: usize, taken: &AtomicUsize) {
    for report in 0..REPORTS {
        let body = heavy(connection * REPORTS + report).await;
        let answer = Answer::of(raw_sync(&server.api, site, body).header("Content-Encoding", "gzip")).await;
        // A report may be older than one that has overtaken it, and there may be no room just now.
        assert!([200, 202, 409, 503].contains(&answer.status), "{}", answer.text);
        taken.fetch_add(usize::from([200, 202].contains(&answer.status)), Ordering::Relaxed);
    }
}

/// The victim, whose reports never change, and whoever looks at it.
struct Victim<'a> {
    server: &'a ServerProcess,
    site: TestSite,
    admin: String,
    report: Value,
}

impl Victim<'_> {
    async fn get(&self, path: &str) -> Value {
        self.server.api.get(&self.admin, &format!("/api/v1{path}")).await.ok()
    }

    async fn updates(&self, status: &str) -> Vec<Value> {
        let path = format!("/api/v1/security/updates?status={status}&site={}", self.site.id);
        self.server.api.list(&self.admin, &path, 50).await
    }

    /// Reports again and again; each time nothing has changed, and so much is insecure and unknown.
    async fn report(&self, times: usize, insecure: i64, unknown: i64) {
        for n in 0..times {
            let answer = self.server.api.sync(&self.site, &again(&self.report)).await;
            assert_eq!(answer.counts(), (0, 0, 0), "sync {n}: {}", answer.text);
            let body = answer.json();
            assert_eq!(body["processed_count"], 191, "{body}");
            let found = (&body["security_updates_found"], &body["security_unknown"], &body["coverage"]["unknown"]);
            assert_eq!(found, (&json!(insecure), &json!(unknown), &json!(unknown)), "sync {n}: {body}");
        }
    }

    /// What the site's object says, without what each report changes.
    async fn shown(&self) -> Value {
        let mut site = self.get(&format!("/sites/{}", self.site.id)).await;
        for passing in ["last_sync_at", "last_full_sync_at", "security_data_as_of"] {
            site.as_object_mut().expect("a site").remove(passing);
        }
        site
    }
}

async fn an_attack_by_one_key_changes_nothing_for_its_neighbours(database: TestDatabase) {
    let storage = database.open().await;
    let attacker = new_site(storage.as_ref(), "Attacker").await;
    let site = new_site(storage.as_ref(), "Victim").await;
    drop(storage);
    let server = ServerProcess::start(&database.url, &[]).await;
    let mut modules = contribs("m", 190, "1.0.0");
    modules.push(contrib("token", "8.x-1.15"));
    let victim = Victim { server: &server, site, admin: admin_key(&database.url).await, report: full(modules) };
    server.api.sync(&victim.site, &victim.report).await.ok();
    let (before, listed) = (victim.shown().await, victim.updates("all").await);
    // The core is judged, too.
    assert_eq!(listed.len(), 192);

    let taken = AtomicUsize::new(0);
    let attacks = join_all((0..CONNECTIONS).map(|n| attack(&server, &attacker, n, &taken)));
    let others = async {
        victim.report(SYNCS, 0, 192).await;
        import_security_release(&database.url).await;
        victim.report(SYNCS, 1, 191).await;
    };
    tokio::join!(attacks, others);
    assert!(taken.into_inner() >= CONNECTIONS, "the attack has taken place");

    let insecure = victim.updates("insecure").await;
    let projects: Vec<&Value> = insecure.iter().map(|update| &update["project"]).collect();
    assert_eq!(projects, ["token"], "a real security release shows");
    let of_others =
        |list: Vec<Value>| list.into_iter().filter(|update| update["project"] != "token").collect::<Vec<_>>();
    assert_eq!(of_others(victim.updates("all").await), of_others(listed));
    let mut after = victim.shown().await;
    assert_eq!((&after["security_updates_found"], &after["security_unknown"]), (&json!(1), &json!(191)));
    for changed in ["security_updates_found", "security_projects", "security_unknown", "unknown_reasons", "coverage"] {
        after[changed] = before[changed].clone();
    }
    after["kept"]["history_bytes"] = before["kept"]["history_bytes"].clone();
    assert_eq!(after, before);

    within_bounds(&database, &victim, &attacker).await;
    let peak = server.peak_memory_kib() / 1024;
    assert!(peak < MEMORY, "{peak} MiB of memory");
    server.kill().await;
}

async fn admin_key(url: &str) -> String {
    let created = run(url, &["key", "create", "--admin", "--name", "admin", "--json"]).await;
    let key: Value = serde_json::from_str(&created.stdout).unwrap_or_else(|error| panic!("{error}: {created:?}"));
    key["api_key"].as_str().expect("a key").to_owned()
}

/// As an administrator does who has the file.
async fn import_security_release(url: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let feed = Feed::new("token", "8.x-1.").release("8.x-1.15", &["Bug fixes"]).fixed_by("8.x-1.16");
    let path = feed.file(folder.path());
    let imported = run(url, &["releases", "import", path.to_str().expect("a path")]).await;
    assert_eq!(imported.code, 0, "{imported:?}");
}

/// What the attacker has left behind, once all that was taken is applied.
async fn within_bounds(database: &TestDatabase, victim: &Victim<'_>, attacker: &TestSite) {
    let mut raw = database.raw().await;
    let waiting = "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')";
    let mut left = raw.number(waiting).await;
    while left > 0 {
        let next = async || Some(database.raw().await.number(waiting).await).filter(|now| *now < left);
        left = wait_for("another job ends", next).await;
    }
    let kept = victim.get(&format!("/sites/{}", attacker.id)).await["kept"].clone();
    let number = |name: &str| kept[name].as_i64().unwrap_or_else(|| panic!("{name}: {kept}"));
    assert!((2000..=number("modules_bound")).contains(&number("modules")), "{kept}");
    assert!((1..=number("history_bytes_bound")).contains(&number("history_bytes")), "{kept}");
    let details = format!("SELECT sum(octet_length(own_details)) FROM site_modules WHERE site_id = {}", attacker.id);
    let details = match database.backend() {
        Backend::Sqlite => format!("SELECT coalesce(({details}), 0)"),
        Backend::Postgres => format!("SELECT coalesce(({details}), 0)::bigint"),
    };
    assert!(raw.number(&details).await <= number("details_bytes_bound"), "{kept}");
}

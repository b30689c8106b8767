//! Jobs that cannot be done: how they get to the dead letters, and out of them.

use std::time::Duration;

use module_monitor_tests::api::{Answer, Api, TestSite};
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::ledger::Ledger;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contribs, full, partial, state_of};
use module_monitor_tests::process::{Finished, ServerProcess, WorkerProcess, run, wait_for};
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::server::{TestServer, new_site};
use reqwest::Method;
use serde_json::{Value, json};

use crate::sabotage::Sabotage;
use crate::support::{accept, becomes, job, shown};

on_both_backends!(
    a_job_that_always_fails_is_dead_after_its_attempts_and_can_be_retried,
    a_job_that_kills_its_worker_every_time_gets_to_the_dead_letters,
    a_dead_letter_that_the_site_has_outlived_ends_superseded,
    a_payload_that_cannot_be_read_is_dead_at_once_and_can_be_discarded,
    dead_letters_are_listed_page_by_page_and_for_admins_alone,
    a_dead_letter_nobody_decides_about_is_announced_and_removed,
);

const LETTERS: &str = "/api/v1/queue/dead-letters";

fn letter(sync_id: &str) -> String {
    format!("{LETTERS}/{sync_id}")
}

async fn request(api: &Api, method: Method, key: &str, path: &str) -> Answer {
    Answer::of(api.request(method, path).header("X-API-Key", key)).await
}

async fn retry(api: &Api, key: &str, sync_id: &str) -> Answer {
    request(api, Method::POST, key, &format!("{}/retry", letter(sync_id))).await
}

/// A server that tries a job three times, without losing time in between.
async fn server(database: &TestDatabase) -> TestServer {
    TestServer::start_with(&database.url, |config| {
        config.queue.max_attempts = 3;
        config.queue.first_pause = Duration::from_millis(10);
    })
    .await
}

fn json_of(finished: &Finished) -> Value {
    assert_eq!((finished.code, finished.stderr.as_str()), (0, ""), "{finished:?}");
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
}

/// What administrators did with jobs, newest first: `action target actor`.
async fn audit(api: &Api, admin: &str) -> Vec<String> {
    let entries = api.list(admin, "/api/v1/audit", 100).await;
    let jobs = entries.iter().filter(|entry| entry["action"].as_str().is_some_and(|action| action.starts_with("job.")));
    jobs.map(|e| format!("{} {} {}", e["action"], e["target"], e["actor"]).replace('"', "")).collect()
}

async fn a_job_that_always_fails_is_dead_after_its_attempts_and_can_be_retried(database: TestDatabase) {
    let server = server(&database).await;
    let (admin, bad, good) = (server.admin_key().await, server.site("Bad").await, server.site("Good").await);
    let (api, mut raw) = (&server.api, database.raw().await);
    Sabotage::Refuse.of(&mut raw, &bad).await;
    let report = full(contribs("m", 3, "1.0.0"));
    let poison = accept(api, &bad, &report).await;
    let others = [
        accept(api, &good, &full(contribs("m", 3, "1.0.0"))).await,
        accept(api, &good, &partial(contribs("m", 3, "1.1.0"))).await,
    ];
    for other in others {
        becomes(&mut raw, &other, "succeeded").await;
    }
    assert_eq!(becomes(&mut raw, &poison, "dead").await.attempts, 3);

    let figures = api.get(&admin, "/api/v1/queue").await.ok();
    assert_eq!((&figures["queued"], &figures["running"], &figures["dead_letters"]), (&json!(0), &json!(0), &json!(1)));
    assert_eq!((&figures["failed_attempts"], &figures["oldest_at"]), (&json!(3), &Value::Null));
    let shown = api.get(&admin, &letter(&poison)).await.ok();
    assert_eq!((&shown["sync_id"], &shown["site_id"]), (&json!(poison), &json!(bad.number())));
    assert_eq!(
        (&shown["payload"], &shown["attempts"], &shown["reason"]),
        (&report, &json!(3), &json!("attempts-used-up"))
    );
    assert_eq!((&shown["client_address"], &shown["sync_type"]), (&json!("127.0.0.1"), &json!("full")));
    let errors = shown["errors"].as_array().expect("errors");
    let attempts: Vec<&Value> = errors.iter().map(|error| &error["attempt"]).collect();
    assert_eq!(attempts, [1, 2, 3]);
    for error in errors {
        assert_eq!(error["lost"], false);
        assert!(error["error"].as_str().is_some_and(|text| text.contains("sabotage")), "the whole chain: {error}");
    }
    assert_eq!(crate::support::shown(api, &bad, &poison).await["status"], "dead");
    assert_eq!(Ledger::read(&database.url).await.timestamps(&bad).len(), 0);

    // As long as the cause is there it comes back, with attempts of its own.
    assert_eq!(retry(api, &admin, &poison).await.ok(), json!({"sync_id": poison, "status": "queued"}));
    assert_eq!(becomes(&mut raw, &poison, "dead").await.attempts, 3);
    assert_eq!(api.get(&admin, &letter(&poison)).await.ok()["errors"].as_array().map(Vec::len), Some(6));
    Sabotage::end(&mut raw).await;
    retry(api, &admin, &poison).await.ok();
    becomes(&mut raw, &poison, "succeeded").await;
    let ledger = Ledger::read(&database.url).await;
    ledger.assert_whole();
    assert_eq!((ledger.state(&bad), ledger.events(&bad)), (state_of(&report), 3));
    retry(api, &admin, &poison).await.problem(404, "dead-letter-not-found");
    request(api, Method::DELETE, &admin, &letter(&poison)).await.problem(404, "dead-letter-not-found");
    let id = admin.split('_').nth(1).expect("mm_ID_SECRET");
    assert_eq!(audit(api, &admin).await, [format!("job.retried {poison} {id}"), format!("job.retried {poison} {id}")]);
    server.stop().await;
}

async fn a_job_that_kills_its_worker_every_time_gets_to_the_dead_letters(database: TestDatabase) {
    let storage = database.open().await;
    let (bad, good) = (new_site(storage.as_ref(), "Bad").await, new_site(storage.as_ref(), "Good").await);
    let first = new_site(storage.as_ref(), "First").await;
    drop(storage);
    let (url, mut raw) = (&database.url, database.raw().await);
    let server = ServerProcess::start(url, &["--workers", "0"]).await;
    // Whoever introduces Drupal itself as a project has others wait, and every site has it.
    server.api.sync(&first, &full(contribs("k", 1, "1.0.0"))).await.ok();
    Sabotage::Hang.of(&mut raw, &bad).await;
    let poison = accept(&server.api, &bad, &full(contribs("m", 3, "1.0.0"))).await;
    // Of other modules: whoever introduces the same ones waits for the first of them.
    let other = accept(&server.api, &good, &full(contribs("n", 3, "1.0.0"))).await;

    let args = ["--queue-max-attempts", "3"];
    for attempt in 1..=3 {
        let worker = WorkerProcess::start(url, &args).await;
        wait_for("it is taken", async || {
            let poison = job(&mut raw, &poison).await;
            (poison.state == "running" && poison.attempts == attempt).then_some(())
        })
        .await;
        if database.backend() == Backend::Postgres {
            becomes(&mut raw, &other, "succeeded").await;
        }
        Sabotage::has_begun(&mut raw).await;
        worker.kill().await;
        Sabotage::forget_the_dead(&mut raw).await;
    }
    let worker = WorkerProcess::start(url, &args).await;
    assert_eq!(becomes(&mut raw, &poison, "dead").await.attempts, 3);
    becomes(&mut raw, &other, "succeeded").await;

    // The other job may have died with the first worker, but not with the next ones.
    let lost = raw.number("SELECT count(*) FROM job_errors WHERE lost").await;
    assert!((3..=4).contains(&lost), "{lost}");
    // On a node that has no worker of its own.
    for (name, figure) in [("dead_letters", 1), ("lost_attempts", lost), ("depth", 0), ("running", 0)] {
        let line = format!("module_monitor_queue_{name} {figure}\n");
        let shown = async || server.api.get_open("/metrics").await.text.contains(&line).then_some(());
        wait_for(&format!("the metrics show {line}"), shown).await;
    }
    let letters = json_of(&run(url, &["queue", "dead-letters", "--json"]).await);
    assert_eq!((letters.as_array().map(Vec::len), &letters[0]["sync_id"]), (Some(1), &json!(poison)));
    let shown = json_of(&run(url, &["queue", "show", &poison, "--json"]).await);
    let errors = shown["errors"].as_array().expect("errors").iter();
    let attempts: Vec<String> = errors.map(|error| format!("{} {}", error["attempt"], error["lost"])).collect();
    assert_eq!(attempts, ["1 true", "2 true", "3 true"]);
    assert!(shown["payload"]["modules"].is_array(), "{shown}");
    for table in [&["queue", "dead-letters"][..], &["queue", "show", &poison], &["queue", "status"]] {
        let table = run(url, table).await;
        assert_eq!((table.code, table.stderr.as_str()), (0, ""), "{table:?}");
        let words = table.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(&poison) || words.contains(&format!("Lease reclaims {lost}")), "{table:?}");
    }

    Sabotage::end(&mut raw).await;
    let retried = json_of(&run(url, &["queue", "retry", &poison, "--json"]).await);
    assert_eq!(retried, json!({"sync_id": poison, "status": "queued"}));
    becomes(&mut raw, &poison, "succeeded").await;
    let ledger = Ledger::read(url).await;
    ledger.assert_whole();
    assert_eq!((ledger.events(&bad), ledger.events(&good)), (3, 3));
    worker.kill().await;
    server.kill().await;
}

/// A job of `site` that cannot be done, once it is dead.
async fn dead(api: &Api, raw: &mut RawConnection, site: &TestSite, report: &Value) -> String {
    Sabotage::Refuse.of(raw, site).await;
    let id = accept(api, site, report).await;
    becomes(raw, &id, "dead").await;
    Sabotage::end(raw).await;
    id
}

async fn a_dead_letter_that_the_site_has_outlived_ends_superseded(database: TestDatabase) {
    let server = server(&database).await;
    let (admin, one, two) = (server.admin_key().await, server.site("One").await, server.site("Two").await);
    let (api, mut raw) = (&server.api, database.raw().await);
    let letters = [
        dead(api, &mut raw, &one, &full(contribs("old", 3, "1.0.0"))).await,
        dead(api, &mut raw, &two, &partial(contribs("old", 3, "1.0.0"))).await,
    ];
    // Dead letters hold up nobody.
    let reports = [full(contribs("m", 3, "1.0.0")), partial(contribs("m", 3, "1.0.0"))];
    for (site, report) in [&one, &two].into_iter().zip(&reports) {
        assert_eq!(api.sync(site, report).await.counts(), (3, 0, 0));
    }
    assert_eq!(retry(api, &admin, &letters[0]).await.ok()["status"], "superseded");
    let told = run(&database.url, &["queue", "retry", &letters[1]]).await;
    assert_eq!((told.code, told.stderr.as_str()), (0, ""), "{told:?}");
    assert!(told.stdout.contains("newer report"), "{told:?}");
    let ledger = Ledger::read(&database.url).await;
    for ((site, report), letter) in [&one, &two].into_iter().zip(&reports).zip(&letters) {
        assert_eq!(ledger.state(site), state_of(report));
        assert_eq!(shown(api, site, letter).await["status"], "superseded");
    }
    assert_eq!(api.list(&admin, LETTERS, 10).await, [] as [Value; 0]);
    let actors = audit(api, &admin).await;
    assert!(actors[0].ends_with("command line") && actors.len() == 2, "{actors:?}");
    server.stop().await;
}

async fn a_payload_that_cannot_be_read_is_dead_at_once_and_can_be_discarded(database: TestDatabase) {
    let mut raw = database.raw().await;
    let idle = TestServer::start_with(&database.url, |config| config.queue.workers = 0).await;
    let (admin, site) = (idle.admin_key().await, idle.site("A site").await);
    let ids = [
        accept(&idle.api, &site, &partial(contribs("a", 3, "1.0.0"))).await,
        accept(&idle.api, &site, &partial(contribs("b", 3, "1.0.0"))).await,
    ];
    idle.stop().await;
    raw.execute(match raw.backend() {
        Backend::Sqlite => "UPDATE jobs SET payload = x'00'",
        Backend::Postgres => "UPDATE jobs SET payload = '\\x00'",
    })
    .await;
    let server = server(&database).await;
    let api = &server.api;
    for id in &ids {
        assert_eq!(becomes(&mut raw, id, "dead").await.attempts, 1, "another attempt would go no better");
        assert_eq!(api.get(&admin, &letter(id)).await.ok()["payload"], Value::Null);
    }
    let text = run(&database.url, &["queue", "show", &ids[0]]).await;
    assert!(text.code == 0 && text.stdout.contains("cannot be read"), "{text:?}");

    let gone = request(api, Method::DELETE, &admin, &letter(&ids[0])).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    let discarded = json_of(&run(&database.url, &["queue", "discard", &ids[1], "--json"]).await);
    assert_eq!(discarded, json!({"sync_id": ids[1], "status": "failed"}));
    for id in &ids {
        api.get(&admin, &letter(id)).await.problem(404, "dead-letter-not-found");
        let sync = shown(api, &site, id).await;
        assert_eq!((&sync["status"], &sync["reason"]), (&json!("failed"), &json!("discarded")));
        for command in ["show", "retry", "discard"] {
            let told = run(&database.url, &["queue", command, id]).await;
            assert_eq!((told.code, told.stdout.as_str()), (1, ""), "{told:?}");
            assert!(told.stderr.starts_with("error: there is no dead letter"), "{told:?}");
        }
    }
    let actions = audit(api, &admin).await;
    assert!(actions.len() == 2 && actions.iter().all(|action| action.starts_with("job.discarded")), "{actions:?}");
    server.stop().await;
}

async fn dead_letters_are_listed_page_by_page_and_for_admins_alone(database: TestDatabase) {
    let server = server(&database).await;
    let (admin, site) = (server.admin_key().await, server.site("A site").await);
    let (api, mut raw) = (&server.api, database.raw().await);
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(dead(api, &mut raw, &site, &partial(contribs("m", n + 1, "1.0.0"))).await);
    }
    ids.reverse();
    for limit in [2, 5, 100] {
        let listed = api.list(&admin, LETTERS, limit).await;
        let listed: Vec<&str> = listed.iter().filter_map(|letter| letter["sync_id"].as_str()).collect();
        assert_eq!(listed, ids, "newest first, {limit} a page");
    }
    api.get(&admin, &format!("{LETTERS}?state=dead")).await.problem(422, "validation-failed");
    api.get(&admin, "/api/v1/queue?x=y").await.problem(422, "validation-failed");
    for path in ["/api/v1/queue", LETTERS, &letter(&ids[0])] {
        api.get(&site.key, path).await.problem(403, "admin-only");
        api.get_open(path).await.problem(401, "key-missing");
    }
    retry(api, &site.key, &ids[0]).await.problem(403, "admin-only");
    request(api, Method::DELETE, &site.key, &letter(&ids[0])).await.problem(403, "admin-only");
    for id in ["sync_00000000-0000-7000-8000-000000000000", "nonsense"] {
        api.get(&admin, &letter(id)).await.problem(404, "dead-letter-not-found");
        retry(api, &admin, id).await.problem(404, "dead-letter-not-found");
    }
    let refused = run(&database.url, &["queue", "show", "nonsense"]).await;
    assert_eq!((refused.code, refused.stderr.lines().count()), (2, 1), "{refused:?}");
    assert_eq!(job(&mut raw, &ids[0]).await.state, "dead", "nobody has touched it");
    server.stop().await;
}

async fn a_dead_letter_nobody_decides_about_is_announced_and_removed(database: TestDatabase) {
    let storage = database.open().await;
    let site = new_site(storage.as_ref(), "A site").await;
    drop(storage);
    let (url, mut raw) = (&database.url, database.raw().await);
    Sabotage::Refuse.of(&mut raw, &site).await;
    let server = ServerProcess::start(url, &["--queue-max-attempts", "1"]).await;
    let id = accept(&server.api, &site, &full(contribs("m", 3, "1.0.0"))).await;
    becomes(&mut raw, &id, "dead").await;
    let shows = async |server: &ServerProcess, lines: &[&str]| {
        let shown = async || {
            let text = server.api.get_open("/metrics").await.text;
            lines.iter().all(|line| text.contains(&format!("module_monitor_queue_dead_letters{line}\n"))).then_some(())
        };
        wait_for(&format!("the metrics show {lines:?}"), shown).await;
    };
    shows(&server, &[" 1", "_retention_seconds 7776000", "_expired_total 0"]).await;
    server.kill().await;

    let server = ServerProcess::start(url, &["--workers", "0", "--dead-letter-retention", "3s"]).await;
    let said = async |what: &str| wait_for(what, async || server.log().contains(what).then_some(())).await;
    said("dead letters are going to be removed for good").await;
    assert!(!server.log().contains("removed a dead letter"), "notice comes first: {}", server.log());
    said("removed a dead letter that nobody had retried or discarded in time").await;
    assert!(server.log().contains(&id), "it says which: {}", server.log());
    shows(&server, &[" 0", "_retention_seconds 3", "_expired_total 1", "_oldest_age_seconds 0"]).await;
    assert_eq!(raw.number("SELECT count(*) FROM jobs").await, 0);
    server.kill().await;
}

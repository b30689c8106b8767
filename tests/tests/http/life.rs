//! What a site's reports do to its inventory, over time.

use module_monitor_tests::api::Answer;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::ledger::Ledger;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{again, contrib, contribs, full, partial, state_of};
use module_monitor_tests::server::TestServer;
use serde_json::{Value, json};

on_both_backends!(
    the_life_of_a_site,
    the_fingerprint_never_skips_wrongly,
    the_registry_shows_what_the_first_site_said,
    mass_removal_and_a_changed_identity_are_warned_about,
    a_sync_is_found_by_its_id_for_its_own_site_only,
);

async fn the_life_of_a_site(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let api = &server.api;

    let mut modules = contribs("m", 300, "8.x-1.0");
    assert_eq!(api.sync(&site, &full(modules.clone())).await.counts(), (300, 0, 0));
    assert_eq!(api.sync(&site, &full(modules.clone())).await.counts(), (0, 0, 0));

    // Two gone, three updated, one of them also disabled, one disabled only, two new.
    modules.drain(..2);
    for module in &mut modules[..3] {
        module["version"] = "8.x-1.1".into();
    }
    modules[2]["status"] = false.into();
    modules[3]["status"] = false.into();
    modules.extend([contrib("new_a", "1.0.0"), contrib("new_b", "1.0.0")]);
    let mixed = full(modules.clone());
    assert_eq!(api.sync(&site, &mixed).await.counts(), (2, 3, 2));
    assert_eq!(api.history(&site, "m_0000").await, ["installed - -> 8.x-1.0", "removed 8.x-1.0 -> -"]);
    let both = ["installed - -> 8.x-1.0", "version_changed 8.x-1.0 -> 8.x-1.1", "disabled - -> -"];
    assert_eq!(api.history(&site, "m_0004").await, both);
    assert_eq!(api.history(&site, "m_0005").await, ["installed - -> 8.x-1.0", "disabled - -> -"]);
    assert_eq!(api.history(&site, "m_0006").await, ["installed - -> 8.x-1.0"]);

    let removed = api.list(&site.key, &site.modules("?removed=true"), 50).await;
    let names: Vec<&Value> = removed.iter().map(|m| &m["machine_name"]).collect();
    assert_eq!(names, ["m_0000", "m_0001"]);
    assert!(removed.iter().all(|m| m["removed_at"].is_string() && m["last_seen"].as_str() < m["removed_at"].as_str()));

    // A partial report removes nothing, and the one that returns counts as new.
    let some = partial(vec![contrib("m_0000", "8.x-2.0"), contrib("m_0006", "8.x-1.2")]);
    assert_eq!(api.sync(&site, &some).await.counts(), (1, 1, 0));
    let returned = api.history(&site, "m_0000").await;
    assert_eq!(returned[2..], ["restored - -> 8.x-2.0", "version_changed 8.x-1.0 -> 8.x-2.0"]);
    let shown = api.get(&site.key, &site.modules("/m_0000")).await.ok();
    assert_eq!((&shown["removed_at"], &shown["version"]), (&Value::Null, &json!("8.x-2.0")));
    assert_eq!(shown["first_seen"], removed[0]["first_seen"], "restoring keeps it");

    // The same full report as before the partial one takes back what that one did.
    assert_eq!(api.sync(&site, &again(&mixed)).await.counts(), (0, 1, 1));
    let ledger = Ledger::read(&database.url).await;
    ledger.assert_whole();
    assert_eq!(ledger.state(&site), state_of(&mixed));
    server.stop().await;
}

async fn the_fingerprint_never_skips_wrongly(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let api = &server.api;
    let whole = full(contribs("m", 30, "1.0.0"));
    assert_eq!(api.sync(&site, &whole).await.counts(), (30, 0, 0));

    assert_eq!(api.sync(&site, &partial(vec![contrib("m_0001", "1.1.0")])).await.counts(), (0, 1, 0));
    assert_eq!(api.sync(&site, &again(&whole)).await.counts(), (0, 1, 0));
    assert_eq!(api.sync(&site, &again(&whole)).await.counts(), (0, 0, 0));

    // A core update alone changes no module, and is not lost.
    let mut updated = again(&whole);
    updated["drupal_version"] = "10.4.0".into();
    assert_eq!(api.sync(&site, &updated).await.counts(), (0, 0, 0));
    let stored = server.storage().find_site(site.id.parse().expect("an id")).await.expect("a row").expect("the site");
    assert_eq!(stored.drupal_version.as_deref(), Some("10.4.0"));

    // A detail alone: no event, but the view shows it.
    let mut detailed = again(&updated);
    detailed["modules"][3]["schema_version"] = 8001.into();
    assert_eq!(api.sync(&site, &detailed).await.counts(), (0, 0, 0));
    assert_eq!(api.get(&site.key, &site.modules("/m_0003")).await.ok()["schema_version"], 8001);
    assert_eq!(api.history(&site, "m_0003").await.len(), 1);

    // The order of modules and of fields is no change.
    let mut reordered = again(&detailed);
    reordered["modules"].as_array_mut().expect("modules").reverse();
    assert_eq!(api.sync(&site, &reordered).await.counts(), (0, 0, 0));

    let less = full(contribs("m", 29, "1.0.0"));
    assert_eq!(api.sync(&site, &less).await.counts(), (0, 0, 1));
    assert_eq!(api.sync(&site, &again(&reordered)).await.counts(), (1, 0, 0), "a restored module counts as new");
    Ledger::read(&database.url).await.assert_whole();
    server.stop().await;
}

async fn the_registry_shows_what_the_first_site_said(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let (first, second) = (server.site("First").await, server.site("Second").await);
    let admin = server.admin_key().await;
    let api = &server.api;
    let told = |name: &str, kind: &str, description: &str| {
        let mut module = contrib("token", "8.x-1.15");
        (module["name"], module["type"], module["description"]) = (name.into(), kind.into(), description.into());
        let link = "https://www.drupal.org/project/token";
        (module["package"], module["project_link"]) = ("Other".into(), link.into());
        module
    };
    let own = json!({"machine_name": "city_core", "name": "Our secret plans", "type": "custom", "version": null,
        "status": true, "description": "Not for others"});
    api.sync(&first, &full(vec![told("Token", "contrib", "Placeholders."), own])).await.ok();
    let before = api.get(&admin, "/api/v1/modules/token").await.ok();
    assert_eq!((&before["name"], &before["description"]), (&json!("Token"), &json!("Placeholders.")));

    let answer = api.sync(&second, &full(vec![told("Hacked", "custom", "Ours.")])).await.ok();
    let warnings = answer["warnings"].as_array().expect("warnings");
    assert_eq!(
        warnings[..2],
        ["Unknown module: token", "Module token is known as contrib; this site reports it as custom"]
    );
    assert_eq!(api.get(&admin, "/api/v1/modules/token").await.ok(), before);

    // Each site still sees what it said itself, and the type it gave.
    let shown = api.get(&second.key, &second.modules("/token")).await.ok();
    assert_eq!(
        (&shown["name"], &shown["type"], &shown["description"]),
        (&json!("Hacked"), &json!("custom"), &json!("Ours."))
    );
    let shown = api.get(&first.key, &first.modules("/token")).await.ok();
    assert_eq!((&shown["name"], &shown["type"]), (&json!("Token"), &json!("contrib")));

    // Of custom modules the registry holds only the name.
    let custom = api.get(&admin, "/api/v1/modules/city_core").await.ok();
    assert_eq!((&custom["name"], &custom["description"]), (&Value::Null, &Value::Null));
    api.get(&first.key, "/api/v1/modules/token").await.problem(403, "admin-only");
    api.get(&admin, "/api/v1/modules/never_seen").await.problem(404, "module-not-found");
    server.stop().await;
}

async fn mass_removal_and_a_changed_identity_are_warned_about(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let api = &server.api;
    let flags = async || {
        let id = site.id.parse().expect("an id");
        let stored = server.storage().find_site(id).await.expect("a row").expect("the site");
        (stored.mass_removal, stored.conflict)
    };
    let warns = |answer: &Answer, words: &str| answer.ok()["warnings"].to_string().contains(words);

    api.sync(&site, &full(contribs("m", 20, "1.0.0"))).await.ok();
    let answer = api.sync(&site, &full(contribs("m", 9, "1.0.0"))).await;
    assert_eq!(answer.counts(), (0, 0, 11));
    assert!(warns(&answer, "This report removed 11 of 20 modules"), "{}", answer.text);
    assert_eq!(flags().await, (true, false));
    api.sync(&site, &full(contribs("m", 9, "1.0.0"))).await.ok();
    assert_eq!(flags().await, (false, false), "the next full report clears it");

    let mut clone = full(contribs("m", 9, "1.0.0"));
    clone["site_info"] = json!({"environment": "production", "url": "https://a.example"});
    assert!(!warns(&api.sync(&site, &clone).await, "another environment"), "nothing was known before");
    clone = again(&clone);
    clone["site_info"]["environment"] = "staging".into();
    let answer = api.sync(&site, &clone).await;
    assert_eq!(answer.counts(), (0, 0, 0));
    assert!(warns(&answer, "another environment or URL"), "{}", answer.text);
    assert_eq!(flags().await, (false, true));
    assert_eq!(
        database.raw().await.texts("SELECT kind FROM site_events ORDER BY id").await,
        ["mass_removal", "identity_changed"]
    );
    server.stop().await;
}

async fn a_sync_is_found_by_its_id_for_its_own_site_only(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let (site, other) = (server.site("A site").await, server.site("Another").await);
    let answer = server.api.sync(&site, &full(contribs("m", 3, "1.0.0"))).await.ok();
    let path = format!("/api/v1/syncs/{}", answer["sync_id"].as_str().expect("an id"));
    for key in [&site.key, &server.admin_key().await] {
        let found = server.api.get(key, &path).await.ok();
        assert_eq!((&found["status"], &found["result"]), (&json!("succeeded"), &answer));
    }
    let foreign = server.api.get(&other.key, &path).await.problem(404, "sync-not-found");
    let unknown = "/api/v1/syncs/sync_00000000-0000-7000-8000-000000000000";
    let unknown = server.api.get(&other.key, unknown).await.problem(404, "sync-not-found");
    assert_eq!((&foreign["detail"], &foreign["title"]), (&unknown["detail"], &unknown["title"]));
    for bad in ["x", "sync_", "sync_x"] {
        server.api.get(&site.key, &format!("/api/v1/syncs/{bad}")).await.problem(404, "sync-not-found");
    }
    server.stop().await;
}

//! What administrators say of code of which its sites do not say what it is.

use module_monitor_ingestion::Clock;
use module_monitor_tests::api::TestSite;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contrib, timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

use super::support::{agreed, class, core, coverage, drupal, finish, insecure, is_on_no_feed, node, partial, report};
use crate::support::{Monitor, custom, with};

on_both_backends!(
    a_name_is_settled_for_a_site_or_for_all,
    a_settlement_gives_way_to_a_project_that_the_site_sends,
    what_is_not_on_drupal_org_is_accepted_or_settled,
    what_claims_to_be_core_is_settled_and_opened_again,
);

/// Settles a name on a site or on all; gives what the answer shows.
async fn settle(monitor: &Monitor, site: Option<&TestSite>, name: &str, identity: Value) -> Value {
    match site {
        Some(site) => {
            let path = format!("/sites/{}/modules/{name}/identity", site.id);
            monitor.send(Method::POST, &path, &identity).await.ok()
        }
        None => monitor.send(Method::PUT, &format!("/modules/{name}/identity"), &identity).await.ok(),
    }
}

/// Takes back what was settled; the status of the answer.
async fn open(monitor: &Monitor, site: Option<&TestSite>, name: &str) -> u16 {
    let of_site = site.map(|site| format!("/sites/{}", site.id)).unwrap_or_default();
    monitor.send(Method::DELETE, &format!("{of_site}/modules/{name}/identity"), &Value::Null).await.status
}

/// Custom code with the name of a project, in its insecure version.
fn ctools() -> Value {
    with(custom("ctools"), "version", "1.0.0")
}

/// The classes of a module on two sites, on which everything agrees.
async fn on_both(monitor: &Monitor, sites: [&TestSite; 2], name: &str) -> [String; 2] {
    for site in sites {
        agreed(monitor, site).await;
    }
    [class(monitor, sites[0], name).await, class(monitor, sites[1], name).await]
}

async fn a_name_is_settled_for_a_site_or_for_all(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&drupal()).await;
    monitor.import(&insecure("ctools")).await;
    let modules = [node(), ctools()];
    let (one, two) = (monitor.server.site("One").await, monitor.server.site("Two").await);
    for site in [&one, &two] {
        report(&monitor, site, &modules).await;
    }
    let both = [&one, &two];
    assert_eq!(on_both(&monitor, both, "ctools").await, ["unknown unidentified"; 2]);

    let shown = settle(&monitor, Some(&one), "ctools", json!({"own": true})).await;
    assert_eq!((&shown["class"], &shown["unknown_reason"]), (&json!("own"), &Value::Null));
    assert_eq!(on_both(&monitor, both, "ctools").await, ["own", "unknown unidentified"]);
    // What was said of a site alone comes first.
    settle(&monitor, None, "ctools", json!({"project": "ctools"})).await;
    assert_eq!(on_both(&monitor, both, "ctools").await, ["own", "insecure"]);
    assert_eq!(monitor.module(&two, "ctools").await["update_status"], "not_secure");

    // It stays, whatever the sites report.
    for site in both {
        report(&monitor, site, &modules).await;
        partial(&monitor, site, &[with(ctools(), "description", "Ours")]).await;
        report(&monitor, site, &[&modules[..], &[custom("more")]].concat()).await;
        report(&monitor, site, &[node()]).await;
        report(&monitor, site, &modules).await;
    }
    assert_eq!(on_both(&monitor, both, "ctools").await, ["own", "insecure"]);

    assert_eq!(open(&monitor, Some(&one), "ctools").await, 204);
    assert_eq!(on_both(&monitor, both, "ctools").await, ["insecure"; 2]);
    assert_eq!(open(&monitor, Some(&one), "ctools").await, 404, "there is nothing left of it");
    settle(&monitor, None, "ctools", json!({"own": true})).await;
    assert_eq!(on_both(&monitor, both, "ctools").await, ["own"; 2]);
    assert_eq!(open(&monitor, None, "ctools").await, 204);
    assert_eq!(on_both(&monitor, both, "ctools").await, ["unknown unidentified"; 2]);
    assert_eq!(open(&monitor, None, "ctools").await, 404);
    let audited = monitor.list("/audit").await;
    let settled = audited.iter().filter(|event| event["action"] == "identity.settled").count();
    assert_eq!(settled, 5, "{audited:?}");
    finish(monitor, &database).await;
}

async fn a_settlement_gives_way_to_a_project_that_the_site_sends(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&drupal()).await;
    monitor.import(&insecure("ctools")).await;
    let site = monitor.server.site("Site").await;
    report(&monitor, &site, &[node(), ctools()]).await;
    settle(&monitor, Some(&site), "ctools", json!({"own": true})).await;
    settle(&monitor, None, "ctools", json!({"own": true})).await;
    assert_eq!(class(&monitor, &site, "ctools").await, "own");
    let sent = report(&monitor, &site, &[node(), with(ctools(), "project", "ctools")]).await;
    assert_eq!(coverage(&sent), [1, 0, 0, 0, 1]);
    // As contrib it has its own name for a project.
    assert_eq!(coverage(&report(&monitor, &site, &[node(), contrib("ctools", "1.0.0")]).await), [1, 0, 0, 0, 1]);
    assert_eq!(coverage(&report(&monitor, &site, &[node(), ctools()]).await), [0, 0, 0, 1, 1], "it was kept");
    finish(monitor, &database).await;
}

async fn what_is_not_on_drupal_org_is_accepted_or_settled(database: TestDatabase) {
    const ABSENT: &str = "unknown not_on_drupal_org";
    let monitor = Monitor::start(&database).await;
    monitor.import(&drupal()).await;
    monitor.import(&insecure("token")).await;
    let site = monitor.server.site("Site").await;
    let modules = [node(), contrib("acme", "1.0.0"), with(contrib("acme_ui", "1.0.0"), "project", "acme")];
    report(&monitor, &site, &modules).await;
    is_on_no_feed(&monitor, "acme").await;
    assert_eq!(coverage(&agreed(&monitor, &site).await), [0, 0, 2, 0, 1]);
    assert_eq!(class(&monitor, &site, "acme_ui").await, ABSENT);

    let until = timestamp(monitor.clock.now() + Duration::DAY);
    let risk = json!({"project": "acme", "status": "unknown", "until": until, "reason": "we wrote it"});
    let accepted = monitor.send(Method::POST, "/security/acceptances", &risk).await;
    let shown = agreed(&monitor, &site).await;
    assert_eq!((&shown["security_unknown"], &shown["accepted"]["unknown"]), (&json!(0), &json!(2)));
    assert_eq!(class(&monitor, &site, "acme").await, ABSENT, "what is not known is called so");
    let row = &monitor.list("/security/updates?status=unknown").await[0];
    assert_eq!((&row["project"], &row["accepted"]["reason"]), (&json!("acme"), &json!("we wrote it")));
    report(&monitor, &site, &modules).await;
    let id = accepted.json()["id"].as_str().expect("an id").to_owned();
    monitor.send(Method::DELETE, &format!("/security/acceptances/{id}"), &Value::Null).await;
    assert_eq!(agreed(&monitor, &site).await["security_unknown"], 2);

    // Own for all never covers what a site reports as contrib; of a site alone it can be said.
    settle(&monitor, None, "acme", json!({"own": true})).await;
    agreed(&monitor, &site).await;
    assert_eq!(class(&monitor, &site, "acme").await, ABSENT);
    for name in ["acme", "acme_ui"] {
        settle(&monitor, Some(&site), name, json!({"own": true})).await;
        assert_eq!(class(&monitor, &site, name).await, "own", "{name}");
    }
    assert_eq!(coverage(&report(&monitor, &site, &modules).await), [0, 0, 0, 2, 1]);
    for name in ["acme", "acme_ui"] {
        assert_eq!(open(&monitor, Some(&site), name).await, 204);
    }
    assert_eq!(coverage(&agreed(&monitor, &site).await), [0, 0, 2, 0, 1]);

    // It was only renamed.
    settle(&monitor, None, "acme", json!({"project": "token"})).await;
    agreed(&monitor, &site).await;
    assert_eq!(class(&monitor, &site, "acme").await, "insecure");
    assert_eq!(open(&monitor, None, "acme").await, 204);
    agreed(&monitor, &site).await;
    assert_eq!(class(&monitor, &site, "acme").await, ABSENT);
    finish(monitor, &database).await;
}

async fn what_claims_to_be_core_is_settled_and_opened_again(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&drupal()).await;
    monitor.import(&insecure("token")).await;
    let (one, two) = (monitor.server.site("One").await, monitor.server.site("Two").await);
    let claim = core("our_core", "1.0.0");
    for site in [&one, &two] {
        assert_eq!(coverage(&report(&monitor, site, &[node(), claim.clone()]).await), [0, 0, 1, 0, 1]);
    }
    let both = [&one, &two];
    settle(&monitor, Some(&one), "our_core", json!({"own": true})).await;
    assert_eq!(on_both(&monitor, both, "our_core").await, ["own", "unknown unidentified"]);
    settle(&monitor, None, "our_core", json!({"project": "token"})).await;
    assert_eq!(on_both(&monitor, both, "our_core").await, ["own", "insecure"]);
    assert_eq!(open(&monitor, None, "our_core").await, 204);
    assert_eq!(on_both(&monitor, both, "our_core").await, ["own", "unknown unidentified"]);
    assert_eq!(open(&monitor, Some(&one), "our_core").await, 204);
    assert_eq!(on_both(&monitor, both, "our_core").await, ["unknown unidentified"; 2]);
    finish(monitor, &database).await;
}

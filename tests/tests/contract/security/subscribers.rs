//! Who wants to know is told what became insecure, and what no longer is.

use module_monitor_domain::WebhookEvent;
use module_monitor_storage::OutboxEvent;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::module;
use serde_json::json;

use super::support::{FETCHED, import, insecure, recount, secure, store, submodule};
use crate::support::{Reporter, subscribe, waiting};

on_both_backends!(
    an_import_tells_what_became_insecure_and_what_is_fixed,
    a_sync_tells_of_its_own_site,
    only_what_somebody_wants_of_a_tagged_site_is_told,
);

const AVAILABLE: WebhookEvent = WebhookEvent::SecurityUpdateAvailable;
const FIXED: WebhookEvent = WebhookEvent::SecurityFixed;

/// What waits: which site, what, and the project.
fn lines(events: &[OutboxEvent], sites: &[&Reporter]) -> Vec<(usize, WebhookEvent, String)> {
    let site = |event: &OutboxEvent| sites.iter().position(|site| event.site_id == Some(site.id)).expect("a site");
    let project = |event: &OutboxEvent| event.data["project"].as_str().expect("a project").to_owned();
    events.iter().map(|event| (site(event), event.kind, project(event))).collect()
}

fn line(site: usize, kind: WebhookEvent, project: &str) -> (usize, WebhookEvent, String) {
    (site, kind, project.to_owned())
}

async fn an_import_tells_what_became_insecure_and_what_is_fixed(database: TestDatabase) {
    let storage = database.open().await;
    let (mut one, mut two) = (Reporter::new(&storage, "One").await, Reporter::new(&storage, "Two").await);
    let mut current = Reporter::new(&storage, "Current").await;
    subscribe(&*storage, &[AVAILABLE, FIXED], None).await;
    import(&storage, secure("a"), FETCHED).await;
    // Two modules of one project are one update.
    one.full(vec![module("a", "1.0.0"), submodule("a_sub", "1.0.0", "a")]).await;
    two.full(vec![module("a", "1.0.0")]).await;
    current.full(vec![module("a", "1.0.1")]).await;
    assert_eq!(waiting(&*storage).await, []);

    let at = one.at;
    store(&storage, insecure("a"), at).await;
    assert_eq!(waiting(&*storage).await, [], "told with the figures of the sites");
    recount(&storage, at).await;
    let events = waiting(&*storage).await;
    assert_eq!(lines(&events, &[&one, &two, &current]), [line(0, AVAILABLE, "a"), line(1, AVAILABLE, "a")]);
    assert!(events.iter().all(|event| event.at == at && event.data == json!({"project": "a"})), "{events:?}");
    // What is known is not told again.
    import(&storage, insecure("a"), at).await;
    import(&storage, insecure("b"), at).await;
    storage.recount_all(at, module_monitor_storage::Page { limit: 10, after: None }).await.unwrap();
    assert_eq!(waiting(&*storage).await.len(), 2);

    import(&storage, secure("a"), at).await;
    let events = waiting(&*storage).await;
    assert_eq!(lines(&events[2..], &[&one, &two]), [line(0, FIXED, "a"), line(1, FIXED, "a")]);
}

async fn a_sync_tells_of_its_own_site(database: TestDatabase) {
    let storage = database.open().await;
    for name in ["a", "b"] {
        import(&storage, insecure(name), FETCHED).await;
    }
    let mut other = Reporter::new(&storage, "Other").await;
    other.full(vec![module("a", "1.0.0")]).await;
    subscribe(&*storage, &[AVAILABLE, FIXED], None).await;
    let mut site = Reporter::new(&storage, "Site").await;
    site.full(vec![module("a", "1.0.0"), module("b", "1.0.0")]).await;
    site.full(vec![module("a", "1.0.0"), module("b", "1.0.0")]).await;
    site.full(vec![module("a", "1.0.1"), module("b", "1.0.0")]).await;
    site.full(vec![module("a", "1.0.1")]).await;
    let events = waiting(&*storage).await;
    let expected = [line(0, AVAILABLE, "a"), line(0, AVAILABLE, "b"), line(0, FIXED, "a"), line(0, FIXED, "b")];
    assert_eq!(lines(&events, &[&site]), expected);
    assert_eq!(events[3].at, site.at);
}

async fn only_what_somebody_wants_of_a_tagged_site_is_told(database: TestDatabase) {
    let storage = database.open().await;
    let (mut inside, mut outside) = (Reporter::new(&storage, "In").await, Reporter::new(&storage, "Out").await);
    inside.file_under(&["acme"]).await;
    subscribe(&*storage, &[FIXED], Some("acme")).await;
    import(&storage, insecure("a"), FETCHED).await;
    for site in [&mut inside, &mut outside] {
        site.full(vec![module("a", "1.0.0")]).await;
        site.full(vec![module("a", "1.0.1")]).await;
    }
    assert_eq!(lines(&waiting(&*storage).await, &[&inside, &outside]), [line(0, FIXED, "a")]);
}

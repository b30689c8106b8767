//! Two sites send the same reports. Those of one are read as a whole, at those of the other the server only glances where
//! it can: nobody can tell them apart.

use std::sync::Arc;

use module_monitor_domain::{ModulesHash, Site, SiteId};
use module_monitor_ingestion::{Handling, SyncRequest, SyncService};
use module_monitor_storage::{SiteChange, Storage, SyncOrigin};
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::timestamp;
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::reports::{ManualClock, register};
use serde_json::Value;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::support::Reporter;

on_both_backends!(nobody_can_tell_a_glance_from_a_look);

const A: &str = r#"{"machine_name":"a","name":"T\u00f6ken","type":"contrib","version":"8.x-1.0","status":true}"#;
const B: &str = r#"{"machine_name":"b","name":"B","type":"custom","version":null,"status":true}"#;
const NEW_B: &str = r#"{"machine_name":"b","name":"B","type":"custom","version":"2.0.0","status":false}"#;
const STRANGE: &str = r#"{"machine_name":"c","name":"C","type":"custom","version":"of ours","status":true}"#;
const BROKEN: &str = r#"{"machine_name":"b","name":"","type":"custom","version":null,"status":true}"#;

/// Numbers that look like chance and are the same every time.
struct Dice(u64);

impl Dice {
    fn throw<T: Clone>(&mut self, of: &[T]) -> T {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let n = usize::try_from(self.0 >> 33).unwrap() % of.len();
        of[n].clone()
    }

    /// One of eight times something else than usual.
    fn rarely<T: Clone>(&mut self, usual: &T, other: &[T]) -> T {
        let other = self.throw(other);
        if self.throw(&[0, 1, 2, 3, 4, 5, 6, 7]) == 0 { other } else { usual.clone() }
    }
}

/// The same few reports again and again, most of them plain.
fn body(dice: &mut Dice, at: OffsetDateTime) -> String {
    let plain = format!("[{A},{B}]");
    let list = dice.rarely(
        &plain,
        &[
            format!("[{B},{A}]"),
            format!("[ {A}, {B} ]"),
            format!("[{},{B}]", A.replace("\\u00f6", "ö")),
            format!("[{A},{B},{A}]"),
            format!("[{A},{NEW_B}]"),
            format!("[{A},{STRANGE}]"),
            format!("[{A},{BROKEN}]"),
            format!("[{A}]"),
        ],
    );
    let drupal = dice.rarely(&"10.3.6", &["10.4.0"]);
    let php = dice.throw(&["8.3.0", "8.4.1"]);
    let info = dice.throw(&["{}", r#"{"environment":"prod"}"#, r#"{ "environment":"prod"}"#]);
    let info = dice.rarely(&info, &[r#"{"environment":"test"}"#]);
    let kind = dice.rarely(&"", &[r#","sync_type":"full""#, r#","sync_type":"partial""#]);
    let facts = dice.throw(&["", r#","facts":{"n":1}"#, r#","facts":[]"#]);
    let rest = dice.rarely(&facts, &[r#","facts":7"#, r#","unknown":1"#, r#","modules":[]"#]);
    let at = timestamp(dice.rarely(&at, &[at - Duration::DAY, at + Duration::DAY]));
    format!(
        r#"{{"site_info":{info},"sync_timestamp":"{at}","drupal_version":"{drupal}","php_version":"{php}","modules":{list}{kind}{rest}}}"#
    )
}

struct Twins {
    storage: Arc<dyn Storage>,
    service: SyncService,
    /// Whose reports are read as a whole, and at whose there is only a glance.
    sites: [SiteId; 2],
    glances: usize,
}

impl Twins {
    async fn send(&mut self, glance: bool, body: &str, handling: Handling, key: Option<&str>) -> Value {
        let site = self.sites[usize::from(glance)];
        if glance && let Some(mut request) = SyncRequest::glance(body.as_bytes()) {
            if let Some(key) = key {
                request = request.with_idempotency_key(key.to_owned(), body.as_bytes());
            }
            if let Some(response) = self.service.sync_glanced(site, request, SyncOrigin::default()).await.unwrap() {
                self.glances += 1;
                return comparable(serde_json::to_value(response).unwrap());
            }
        }
        let mut request = match SyncRequest::from_json(body.as_bytes(), handling) {
            Ok(request) => request,
            Err(error) => return format!("{error:?}").into(),
        };
        if let Some(key) = key {
            request = request.with_idempotency_key(key.to_owned(), body.as_bytes());
        }
        match self.service.sync(site, request, SyncOrigin::default()).await {
            Ok(synced) => comparable(serde_json::to_value(synced.response).unwrap()),
            Err(error) => format!("{error:?}").into(),
        }
    }

    /// All that is known of a site but its name and id.
    async fn stored(&self, raw: &mut RawConnection, site: SiteId) -> (Site, Vec<String>, Vec<String>) {
        let known = Reporter { storage: Arc::clone(&self.storage), id: site, at: datetime!(2026-03-01 12:00 UTC) };
        let row = known.site().await;
        let row = Site { id: SiteId(0), name: String::new(), created_at: known.at, silent_at: None, ..row };
        let states = known.present().await.into_iter().chain(known.removed().await).collect();
        let log = raw
            .texts(&format!(
                "SELECT scope || processed_count || '/' || new_modules || '/' || warnings FROM syncs \
                 WHERE site_id = {site} ORDER BY received_at, id"
            ))
            .await;
        (row, states, log)
    }
}

/// An answer without what is of its sync or its site alone.
fn comparable(mut answer: Value) -> Value {
    for own in ["sync_id", "site_id", "processing_time_ms", "next_sync_after"] {
        answer[own].take();
    }
    answer
}

async fn nobody_can_tell_a_glance_from_a_look(database: TestDatabase) {
    let storage = database.open().await;
    let mut raw = database.raw().await;
    let clock = ManualClock::at(datetime!(2026-03-01 12:00 UTC));
    let mut now = datetime!(2026-03-01 12:00 UTC);
    let service = SyncService::new(Arc::clone(&storage), Arc::new(clock.clone()));
    let sites = [register(&*storage, "Whole").await, register(&*storage, "Glanced").await];
    let mut twins = Twins { storage: Arc::clone(&storage), service, sites, glances: 0 };
    let mut dice = Dice(7);
    let foreign = ModulesHash::new(0, [0; 32]);
    let foreign: String = foreign.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    for step in 0..300 {
        clock.advance(Duration::HOUR);
        now += Duration::HOUR;
        let body = body(&mut dice, now);
        let handling = dice.throw(&[Handling::Strict, Handling::Lenient]);
        let new = format!("key {step}");
        let key = dice.throw(&[None, Some(new.as_str())]);
        let key = dice.rarely(&key, &[Some("again")]);
        let answers = [twins.send(false, &body, handling, key).await, twins.send(true, &body, handling, key).await];
        assert_eq!(answers[0], answers[1], "{step}: {body}");
        let stored = [twins.stored(&mut raw, sites[0]).await, twins.stored(&mut raw, sites[1]).await];
        assert_eq!(stored[0], stored[1], "{step}: {body}");
        // What happens to sites between their reports.
        match dice.throw(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 2, 3, 3, 4, 5]) {
            1 => {
                for site in sites {
                    let change = SiteChange { active: Some(false), ..SiteChange::default() };
                    storage.change_site(site, change, now, "ann", "{}").await.unwrap();
                }
            }
            2 => {
                for site in sites {
                    let change = SiteChange {
                        active: Some(true),
                        strict_identity: Some(step % 2 == 0),
                        ..SiteChange::default()
                    };
                    storage.change_site(site, change, now, "ann", "{}").await.unwrap();
                }
            }
            // A recount.
            3 => raw.execute(&format!("UPDATE sites SET security_unknown = {step}, coverage = coverage")).await,
            // Another program has been here.
            4 => raw.execute("UPDATE sites SET fingerprint = NULL, modules_hash = NULL").await,
            5 => {
                let hash = match raw.backend() {
                    Backend::Sqlite => format!("x'{foreign}'"),
                    Backend::Postgres => format!("'\\x{foreign}'"),
                };
                raw.execute(&format!("UPDATE sites SET modules_hash = {hash} WHERE modules_hash IS NOT NULL")).await;
            }
            _ => {}
        }
    }
    assert!(twins.glances > 10, "a glance was enough {} times", twins.glances);
}

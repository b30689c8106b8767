//! How all sites together stand, for Prometheus.

use module_monitor_domain::{CoverageClass, UnknownReason};
use module_monitor_ingestion::Clock;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::feeds::Feed;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contrib, timestamp};
use module_monitor_tests::process::wait_for;
use module_monitor_tests::server::TestServer;
use reqwest::Method;
use serde_json::json;
use time::Duration;

use crate::support::{Monitor, custom, token, with};

on_both_backends!(how_all_sites_stand_is_in_the_metrics);

async fn how_all_sites_stand_is_in_the_metrics(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&token().fixed_by("8.x-1.16")).await;
    monitor.import(&Feed::new("old", "8.x-1.").of_status("unsupported").release("8.x-1.15", &[])).await;
    let modules = [
        contrib("token", "8.x-1.15"),
        contrib("old", "8.x-1.15"),
        with(contrib("token_dev", "8.x-1.x-dev"), "project", "token"),
        contrib("new", "1.0.0"),
        custom("own_code"),
    ];
    for name in ["One", "Two"] {
        monitor.site(name, &modules).await;
    }
    let off = monitor.site("Off", &modules).await;
    let inactive = json!({"active": false});
    monitor.send(Method::PATCH, &format!("/sites/{}", off.id), &inactive).await.ok();
    for (project, status) in [("token", "insecure"), ("new", "unknown")] {
        let until = timestamp(monitor.clock.now() + Duration::DAY);
        let risk = json!({"project": project, "status": status, "versions": {}, "until": until, "reason": "known"});
        let made = monitor.send(Method::POST, "/security/acceptances", &risk).await;
        assert_eq!(made.status, 201, "{}", made.text);
    }
    let recounted = async || (monitor.server.storage().pending_recounts().await.expect("a count") == 0).then_some(());
    wait_for("the sites are recounted", recounted).await;
    monitor.server.stop().await;

    // A server reads them as soon as it starts.
    let server = TestServer::start(&database).await;
    let shown = async || {
        let text = server.api.get_open("/metrics").await.text;
        text.contains("module_monitor_extensions{").then_some(text)
    };
    let text = wait_for("the figures are shown", shown).await;
    let is = |name: &str, figure: i64| {
        let line = format!("module_monitor_{name} {figure}");
        assert!(text.lines().any(|shown| shown == line), "{line}: {text}");
    };
    for (class, figure) in CoverageClass::NAMES.into_iter().zip([2, 2, 6, 2, 0]) {
        is(&format!("extensions{{class=\"{class}\"}}"), figure);
    }
    for (class, figure) in CoverageClass::NAMES.into_iter().zip([2, 0, 2]) {
        is(&format!("extensions_accepted{{class=\"{class}\"}}"), figure);
    }
    // The core is not fetched, and the dev release has no date.
    for (reason, figure) in UnknownReason::NAMES.into_iter().zip([0, 0, 0, 2, 0, 2]) {
        is(&format!("extensions_unknown{{reason=\"{reason}\"}}"), figure);
    }
    is("sites_with_unknown", 2);
    server.stop().await;
}

//! The answer.

use module_monitor_domain::{CoverageCounts, Rejection, SecurityCounts, SiteId, SyncCounts, SyncId, SyncOutcome};
use module_monitor_ingestion::SyncResponse;
use serde_json::json;
use time::macros::datetime;
use uuid::Uuid;

fn outcome() -> SyncOutcome {
    SyncOutcome {
        sync_id: SyncId(Uuid::from_u128(1)),
        site_id: SiteId(2),
        counts: SyncCounts { processed: 4, new: 3, updated: 2, removed: 1 },
        security: SecurityCounts {
            recounting: false,
            updates_found: 1,
            projects: 1,
            unsupported: 2,
            unknown: 21,
            rest: CoverageCounts::of_list([7, 8, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6]),
            data_as_of: None,
        },
        warnings: vec!["Unknown module: mine".to_owned()],
        rejected: Vec::new(),
        next_sync_after: datetime!(2026-01-31 10:00 UTC),
        processing_time_ms: 12,
    }
}

fn rejection(machine_name: Option<&str>) -> Rejection {
    Rejection {
        pointer: "/modules/3/status".to_owned(),
        machine_name: machine_name.map(str::to_owned),
        code: "type".to_owned(),
        detail: "expected true or false, found null".to_owned(),
    }
}

#[test]
fn the_answer_has_the_fields_of_the_contract() {
    let response = SyncResponse::from(outcome());
    let json = serde_json::to_value(&response).unwrap();
    assert_eq!(
        json,
        json!({
            "success": true,
            "sync_id": "sync_00000000-0000-0000-0000-000000000001",
            "site_id": 2,
            "processed_count": 4,
            "new_modules": 3,
            "updated_modules": 2,
            "removed_modules": 1,
            "security_updates_found": 1,
            "security_projects": 1,
            "security_unsupported": 2,
            "security_unknown": 21,
            "unknown_reasons": {
                "rejected": 1,
                "unidentified": 2,
                "not_on_drupal_org": 3,
                "not_fetched": 4,
                "no_version": 5,
                "not_comparable": 6,
            },
            "coverage": {"insecure": 5, "unsupported": 7, "unknown": 27, "own": 7, "secure": 8},
            "not_covered": 3,
            "accepted": {"insecure": 4, "unsupported": 5, "unknown": 6},
            "security_data_as_of": null,
            "recounting": false,
            "warnings": ["Unknown module: mine", "Security status not known yet for 21 modules"],
            "errors": [],
            "processing_time_ms": 12,
            "next_sync_after": "2026-01-31T10:00:00Z",
        })
    );
    assert_eq!(serde_json::from_value::<SyncResponse>(json).unwrap(), response);
}

#[test]
fn unjudged_modules_and_rejections_are_said_in_words_too() {
    let mut outcome = outcome();
    outcome.security.unknown = 7;
    outcome.security.data_as_of = Some(datetime!(2026-01-30 08:00 UTC));
    outcome.rejected = vec![rejection(Some("views")), rejection(None)];
    let response = SyncResponse::from(outcome);
    assert_eq!(response.warnings, ["Unknown module: mine", "Security status not known yet for 7 modules"]);
    assert_eq!(
        response.errors,
        [
            "Module views was rejected: expected true or false, found null (/modules/3/status)",
            "An item without a readable name was rejected: expected true or false, found null (/modules/3/status)"
        ]
    );
    let json = serde_json::to_value(&response).unwrap();
    assert_eq!(json["security_data_as_of"], "2026-01-30T08:00:00Z");
    assert_eq!(json["rejected"][0]["machine_name"], "views");
    assert_eq!(json["rejected"][1]["machine_name"], json!(null));
    assert_eq!(serde_json::from_value::<SyncResponse>(json).unwrap(), response);
}

//! Accepted risks, as they are asked for and shown.

use module_monitor_domain::{CoverageClass, ProjectName, SiteId, VersionBound, VersionRange};
use module_monitor_ingestion::{FieldError, uuid_at};
use module_monitor_storage::{Acceptance, NewAcceptance};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;

use super::fields::Faults;
use super::time::still_to_come;
use super::words;

/// The classes that something can be accepted in.
const ACCEPTABLE: [CoverageClass; 3] = [CoverageClass::Insecure, CoverageClass::Unsupported, CoverageClass::Unknown];
/// The longest reason, in characters.
const MAX_REASON: usize = 1000;

/// An accepted risk, on the wire.
#[derive(Serialize, ToSchema)]
#[schema(as = Acceptance)]
pub(crate) struct AcceptanceView {
    #[schema(format = "uuid")]
    pub(crate) id: String,
    #[schema(schema_with = words::project)]
    pub(crate) project: String,
    /// The class that it is for.
    #[schema(schema_with = words::unsettled_class)]
    pub(crate) status: &'static str,
    pub(crate) versions: Versions,
    /// `null`: all sites.
    pub(crate) site_id: Option<i64>,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) until: OffsetDateTime,
    pub(crate) reason: String,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
    pub(crate) created_by: String,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) ended_at: Option<OffsetDateTime>,
    pub(crate) ended_reason: Option<String>,
}

/// Which versions it is for; both bounds are part of it.
#[derive(Serialize, ToSchema)]
#[schema(as = VersionBounds)]
pub(crate) struct Versions {
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
}

impl From<Acceptance> for AcceptanceView {
    fn from(acceptance: Acceptance) -> Self {
        Self {
            id: acceptance.id.to_string(),
            project: acceptance.project.to_string(),
            status: acceptance.class.as_str(),
            versions: Versions { from: acceptance.from, to: acceptance.to },
            site_id: acceptance.site_id.map(|site| site.0),
            until: acceptance.until,
            reason: acceptance.reason,
            created_at: acceptance.created_at,
            created_by: acceptance.created_by,
            ended_at: acceptance.ended_at,
            ended_reason: acceptance.ended_reason,
        }
    }
}

/// What a client wants accepted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAcceptance)]
pub(crate) struct WantedAcceptance {
    #[schema(schema_with = words::project)]
    pub(crate) project: String,
    /// The class that it is for, `insecure` where it is left out: it covers nothing of another.
    #[schema(schema_with = words::unsettled_class, required = false)]
    pub(crate) status: Option<String>,
    /// Left out: all versions.
    pub(crate) versions: Option<WantedVersions>,
    /// Left out or `null`: all sites.
    #[schema(minimum = 1)]
    pub(crate) site_id: Option<i64>,
    /// A time that is still to come.
    #[schema(format = "date-time")]
    pub(crate) until: String,
    /// Why the risk can be taken, for those who come later.
    #[schema(min_length = 1, max_length = 1000, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub(crate) reason: String,
}

/// The bounds, which are part of it; a missing one leaves its side open.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AcceptedVersions)]
pub(crate) struct WantedVersions {
    #[schema(schema_with = words::version_or_null)]
    pub(crate) from: Option<String>,
    #[schema(schema_with = words::version_or_null)]
    pub(crate) to: Option<String>,
}

impl WantedAcceptance {
    /// The acceptance, or everything that is wrong with it.
    pub(crate) fn checked(&self, now: OffsetDateTime) -> Result<NewAcceptance, Vec<FieldError>> {
        let mut faults = Faults::default();
        let expected = |what: &str| format!("it must be {what}");
        let project = ProjectName::parse(&self.project).map_err(|_| expected("the name of a drupal.org project"));
        let project = faults.check("/project", project);
        let class = self.status.as_deref().map_or(Some(CoverageClass::Insecure), |status| {
            let class = CoverageClass::from_name(status).filter(|class| ACCEPTABLE.contains(class));
            faults.check("/status", class.ok_or_else(|| expected("insecure, unsupported or unknown")))
        });
        let versions = self.versions.as_ref().and_then(|versions| versions.checked(&mut faults)).unwrap_or_default();
        let site_id = self.site_id.and_then(|id| {
            let id = Some(SiteId(id)).filter(|_| id > 0);
            faults.check("/site_id", id.ok_or_else(|| expected("the id of a site, or null for all")))
        });
        let until = OffsetDateTime::parse(&self.until, &Rfc3339).ok().and_then(|until| still_to_come(until, now));
        let until = faults.check("/until", until.ok_or_else(|| expected("a time that is still to come")));
        let reason = Some(self.reason.trim().to_owned())
            .filter(|reason| !reason.is_empty() && reason.chars().count() <= MAX_REASON && !reason.contains('\0'));
        let reason = faults.check("/reason", reason.ok_or_else(|| expected("a text of 1 to 1000 characters")));
        faults.finish()?;
        match (project, class, until, reason) {
            (Some(project), Some(class), Some(until), Some(reason)) => {
                let id = uuid_at(now);
                Ok(NewAcceptance { id, project, class, versions, site_id, until, reason, created_at: now })
            }
            // `finish` has told what is missing.
            _ => Err(Vec::new()),
        }
    }
}

impl WantedVersions {
    fn checked(&self, faults: &mut Faults) -> Option<VersionRange> {
        let mut bound = |pointer: &str, text: &Option<String>| {
            faults.check(pointer, VersionBound::parse(text.as_ref()?).map_err(|_| "it must be a version"))
        };
        let (from, to) = (bound("/versions/from", &self.from), bound("/versions/to", &self.to));
        faults.check("/versions/to", VersionRange::new(from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

    fn good() -> Value {
        json!({"project": "token", "versions": {"from": "8.x-1.0", "to": "8.x-1.15"}, "site_id": null,
               "until": "2026-12-24T00:00:00+01:00", "reason": " behind a firewall "})
    }

    fn check(body: Value) -> Result<NewAcceptance, Vec<FieldError>> {
        serde_json::from_value::<WantedAcceptance>(body).unwrap().checked(NOW)
    }

    /// The pointers to everything that is wrong.
    fn wrong(body: Value) -> Vec<String> {
        check(body).unwrap_err().into_iter().map(|error| error.pointer).collect()
    }

    #[test]
    fn a_good_one_is_taken_as_it_is() {
        let taken = check(good()).unwrap();
        assert_eq!((taken.project.as_str(), taken.reason.as_str()), ("token", "behind a firewall"));
        assert_eq!(taken.until, datetime!(2026-12-23 23:00 UTC));
        let bounds = [taken.versions.from(), taken.versions.to()].map(|bound| bound.unwrap().to_string());
        assert_eq!(bounds, ["8.x-1.0", "8.x-1.15"]);
        for open in [json!(null), json!({}), json!({"from": null})] {
            let mut body = good();
            body["versions"] = open;
            let taken = check(body).unwrap();
            assert_eq!((taken.versions.from(), taken.versions.to()), (None, None));
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let all = json!({"project": "../x", "versions": {"from": "latest", "to": "?"}, "site_id": -3,
                         "until": "tomorrow", "reason": ""});
        assert_eq!(wrong(all), ["/project", "/versions/from", "/versions/to", "/site_id", "/until", "/reason"]);
    }

    #[test]
    fn each_field_is_checked() {
        for (field, value, pointer) in [
            ("project", json!("Token"), "/project"),
            ("versions", json!({"from": "2.0.0", "to": "1.0.0"}), "/versions/to"),
            ("versions", json!({"from": "7.x-1.0", "to": "8.x-1.0"}), "/versions/to"),
            ("site_id", json!(0), "/site_id"),
            ("until", json!("2026-11-23T12:00:00Z"), "/until"),
            ("until", json!("9999-12-31T23:59:59-01:00"), "/until"),
            ("until", json!("9999-12-31T23:59:59-23:59"), "/until"),
            ("reason", json!(" "), "/reason"),
            ("reason", json!("x".repeat(1001)), "/reason"),
            ("reason", json!("a\0b"), "/reason"),
        ] {
            let mut body = good();
            body[field] = value.clone();
            assert_eq!(wrong(body), [pointer], "{value}");
        }
    }
}

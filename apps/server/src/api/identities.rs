//! What an administrator says of an extension.

use module_monitor_domain::{ProjectName, Settlement};
use module_monitor_ingestion::FieldError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields::{Faults, given};
use super::words;

/// What an extension is: own code, or code of a project.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Identity, min_properties = 1, max_properties = 1)]
pub(crate) struct Identity {
    /// It is the site's own code. Only `true` says something.
    #[schema(schema_with = words::only_true)]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    own: Option<bool>,
    /// The project of drupal.org that it belongs to.
    #[schema(schema_with = words::project)]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    project: Option<String>,
}

impl Identity {
    /// The settlement, or what is wrong with it.
    pub(crate) fn checked(&self) -> Result<Settlement, Vec<FieldError>> {
        const EXPECTED: &str = r#"say either {"own": true} or {"project": "ctools"}"#;
        match (self.own, &self.project) {
            (Some(true), None) => Ok(Settlement::Own),
            (Some(false), None) => Err(Faults::one("/own", EXPECTED)),
            (None, Some(project)) => ProjectName::parse(project)
                .map(Settlement::Project)
                .map_err(|error| Faults::one("/project", &error.to_string())),
            _ => Err(Faults::one("", EXPECTED)),
        }
    }
}

//! A site as people and programs see it, on the command line and over HTTP.

use module_monitor_domain::Site;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

/// The site object.
#[derive(Serialize, ToSchema)]
#[schema(as = Site)]
pub(crate) struct SiteView {
    #[schema(format = "uuid")]
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) url: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) active: bool,
    pub(crate) rate_limit: Option<u32>,
    pub(crate) strict_identity: bool,
    pub(crate) drupal_version: Option<String>,
    pub(crate) php_version: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) last_sync_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) last_full_sync_at: Option<OffsetDateTime>,
    pub(crate) mass_removal: bool,
    pub(crate) conflict: bool,
    pub(crate) security_updates_found: i32,
    pub(crate) security_projects: i32,
    pub(crate) security_unknown: i32,
}

impl From<Site> for SiteView {
    fn from(site: Site) -> Self {
        Self {
            id: site.id.to_string(),
            name: site.name,
            url: site.url,
            environment: site.environment,
            active: site.active,
            rate_limit: site.rate_limit,
            strict_identity: site.strict_identity,
            drupal_version: site.drupal_version,
            php_version: site.php_version,
            created_at: site.created_at,
            last_sync_at: site.last_sync_at,
            last_full_sync_at: site.last_full_sync_at,
            mass_removal: site.mass_removal,
            conflict: site.conflict,
            security_updates_found: site.security.updates_found,
            security_projects: site.security.projects,
            security_unknown: site.security.unknown,
        }
    }
}

impl SiteView {
    /// What asks for attention.
    pub(crate) fn notes(&self) -> String {
        let notes = [
            (!self.active, "deactivated"),
            (self.last_sync_at.is_none(), "never reported"),
            (self.mass_removal, "mass removal"),
            (self.conflict, "conflict"),
        ];
        let notes: Vec<&str> = notes.into_iter().filter(|(holds, _)| *holds).map(|(_, note)| note).collect();
        notes.join(", ")
    }
}

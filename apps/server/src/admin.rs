//! What administrators do, for the command line and the demo alike.

use module_monitor_domain::{KeyName, SiteId, SiteName};
use module_monitor_ingestion::Clock;
use module_monitor_storage::{NewSite, SiteChange, Storage, StorageError};
use time::{Duration, OffsetDateTime};

use crate::keys::{self, IssuedKey};

/// Why an administrative action was not done. Nothing of it was stored.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The request itself cannot be met; the text says why.
    #[error("{0}")]
    Invalid(String),
    /// The site is not there, or no longer.
    #[error("there is no site {0}")]
    NoSuchSite(SiteId),
    /// The system has no randomness to make a key of.
    #[error("no random bytes for a new key")]
    Randomness(#[from] getrandom::Error),
    /// The database did not do it.
    #[error("the change could not be stored")]
    Storage(#[from] StorageError),
}

/// The actor in the administrators' log for what is done on the command line.
pub const COMMAND_LINE: &str = "command line";

/// Registers a site and issues its first key, both or neither.
pub async fn register_site(
    storage: &dyn Storage,
    clock: &dyn Clock,
    actor: &str,
    name: SiteName,
    settings: SiteChange,
) -> Result<(SiteId, IssuedKey), AdminError> {
    let now = clock.now();
    let site = NewSite { name, created_at: now, settings };
    let mut key = keys::issue(None, KeyName::parse("first key").ok(), now, None)?;
    let id = storage.create_site(site, Some(key.record.clone()), actor).await?;
    key.record.site_id = Some(id);
    Ok((id, key))
}

/// Issues a key for a site, or an admin key where `site` is `None`, that works for `lifetime` or for good.
pub async fn issue_key(
    storage: &dyn Storage,
    clock: &dyn Clock,
    actor: &str,
    site: Option<SiteId>,
    name: Option<KeyName>,
    lifetime: Option<std::time::Duration>,
) -> Result<IssuedKey, AdminError> {
    let expires_at = lifetime.map(|lifetime| expiry(clock.now(), lifetime)).transpose()?;
    issue_key_until(storage, clock, actor, site, name, expires_at).await
}

/// The same, for a key that works until `expires_at` or for good.
pub(crate) async fn issue_key_until(
    storage: &dyn Storage,
    clock: &dyn Clock,
    actor: &str,
    site: Option<SiteId>,
    name: Option<KeyName>,
    expires_at: Option<OffsetDateTime>,
) -> Result<IssuedKey, AdminError> {
    if let Some(site) = site
        && storage.find_site(site).await?.is_none()
    {
        return Err(AdminError::NoSuchSite(site));
    }
    let key = keys::issue(site, name, clock.now(), expires_at)?;
    storage.create_key(key.record.clone(), actor).await?;
    Ok(key)
}

fn expiry(now: OffsetDateTime, lifetime: std::time::Duration) -> Result<OffsetDateTime, AdminError> {
    let too_long = || AdminError::Invalid("a key cannot be made to expire that far ahead".to_owned());
    let lifetime = Duration::try_from(lifetime).map_err(|_| too_long())?;
    now.checked_add(lifetime).ok_or_else(too_long)
}

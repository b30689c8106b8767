//! What administrators do, for the command line and the demo alike.

use module_monitor_domain::SiteId;
use module_monitor_ingestion::{Clock, uuid_at};
use module_monitor_storage::{NewSite, Storage, StorageError};
use time::{Duration, OffsetDateTime};

use crate::keys::{self, IssuedKey, KeyText};

/// Why an administrative action was not done. Nothing of it was stored.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The request itself cannot be met; the text says why.
    #[error("{0}")]
    Invalid(String),
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
    name: String,
    url: Option<String>,
) -> Result<(SiteId, KeyText), AdminError> {
    let now = clock.now();
    let site = NewSite { id: SiteId(uuid_at(now)), name, url, created_at: now };
    let id = site.id;
    let key = keys::issue(Some(id), Some("first key".to_owned()), now, None)?;
    storage.create_site(site, Some(key.record), actor).await?;
    Ok((id, key.text))
}

/// Issues a key for a site, or an admin key where `site` is `None`, that works for `lifetime` or for good.
pub async fn issue_key(
    storage: &dyn Storage,
    clock: &dyn Clock,
    actor: &str,
    site: Option<SiteId>,
    name: Option<String>,
    lifetime: Option<std::time::Duration>,
) -> Result<IssuedKey, AdminError> {
    let now = clock.now();
    let expires_at = lifetime.map(|lifetime| expiry(now, lifetime)).transpose()?;
    let key = keys::issue(site, name, now, expires_at)?;
    match storage.create_key(key.record.clone(), actor).await {
        Ok(()) => Ok(key),
        Err(StorageError::MissingReference(_)) => {
            Err(AdminError::Invalid(format!("there is no site {}", site.map(|s| s.to_string()).unwrap_or_default())))
        }
        Err(error) => Err(error.into()),
    }
}

fn expiry(now: OffsetDateTime, lifetime: std::time::Duration) -> Result<OffsetDateTime, AdminError> {
    let too_long = || AdminError::Invalid("a key cannot be made to expire that far ahead".to_owned());
    let lifetime = Duration::try_from(lifetime).map_err(|_| too_long())?;
    now.checked_add(lifetime).ok_or_else(too_long)
}

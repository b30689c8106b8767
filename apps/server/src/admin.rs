//! What administrators do, for the command line and the demo alike.

use module_monitor_domain::{KeyName, Site, SiteId, SiteName, storable};
use module_monitor_ingestion::{Clock, stored_once, worth_repeating};
use module_monitor_storage::{NewKey, NewSite, SiteChange, Storage, StorageError};
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
    /// The connection to the database broke, and it could not be found out whether this key was stored. Whoever asked for
    /// it does not get it, so it should be revoked.
    #[error(
        "it is not known whether the key was stored; once the database is back, run module-monitor key revoke {key}"
    )]
    KeyInDoubt {
        /// The public id of the key.
        key: String,
        /// What the database said last.
        source: StorageError,
    },
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
) -> Result<(Site, IssuedKey), AdminError> {
    let now = clock.now();
    let site = NewSite { name, created_at: now, settings };
    let mut key = keys::issue(None, KeyName::parse("first key").ok(), now, None)?;
    let record = &key.record;
    let store = || storage.create_site(site.clone(), Some(record.clone()), actor);
    let find = async || match storage.find_key(&record.id).await?.and_then(|key| key.site_id) {
        Some(site) => storage.find_site(site).await,
        None => Ok(None),
    };
    let site = stored_once(store, find, worth_repeating).await.map_err(|error| in_doubt(error, record))?;
    key.record.site_id = Some(site.id);
    Ok((site, key))
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
    let record = &key.record;
    let store = || storage.create_key(record.clone(), actor);
    let find = async || Ok(storage.find_key(&record.id).await?.map(drop));
    stored_once(store, find, worth_repeating).await.map_err(|error| in_doubt(error, record))?;
    Ok(key)
}

fn in_doubt(error: StorageError, key: &NewKey) -> AdminError {
    match error {
        source @ StorageError::ConnectionLost(_) => AdminError::KeyInDoubt { key: key.id.clone(), source },
        error => error.into(),
    }
}

/// Sees to it that nothing is stored under a key that nobody was given: revokes it, and removes the site that was
/// registered with it where `with_site`. `Ok` once that is certain.
pub(crate) async fn undo_key(
    storage: &dyn Storage,
    clock: &dyn Clock,
    actor: &str,
    key: &str,
    with_site: bool,
) -> Result<(), StorageError> {
    let Some(stored) = storage.find_key(key).await? else { return Ok(()) };
    match stored.site_id.filter(|_| with_site) {
        Some(site) => storage.remove_site(site, clock.now(), actor).await,
        None => storage.revoke_key(key, clock.now(), actor).await,
    }
    .map(drop)
}

fn expiry(now: OffsetDateTime, lifetime: std::time::Duration) -> Result<OffsetDateTime, AdminError> {
    let too_long = || AdminError::Invalid("a key cannot be made to expire that far ahead".to_owned());
    let lifetime = Duration::try_from(lifetime).map_err(|_| too_long())?;
    now.checked_add(lifetime).and_then(storable).ok_or_else(too_long)
}

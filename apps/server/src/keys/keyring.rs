//! All keys in memory, so that authentication reads no database.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use module_monitor_domain::SiteId;
use module_monitor_ingestion::Clock;
use module_monitor_storage::{KeyGrant, KeyUse, Storage, StorageError};
use time::OffsetDateTime;

use crate::health::Health;
use crate::logging::Chain;

/// How often a node asks whether a key or a site has changed.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How long a node goes on by what it knows when it cannot ask. Together with the interval and the time a poll takes,
/// what was changed elsewhere is known here within 5 seconds.
const TRUST: Duration = Duration::from_secs(3);
/// Unknown keys make the node ask at most this often, however many of them come; they wait that long for their answer.
const PATIENCE_WITH_STRANGERS: Duration = Duration::from_millis(100);

/// What a node knows of the keys.
#[derive(Clone, Default)]
struct Snapshot {
    revision: i64,
    keys: Arc<HashMap<String, KeyGrant>>,
    /// Of the sites that have a limit of their own.
    limits: Arc<HashMap<SiteId, u32>>,
    /// When it was last known to be true; `None`: never.
    confirmed: Option<Instant>,
}

impl Snapshot {
    fn of(grants: Vec<KeyGrant>, revision: i64, confirmed: Option<Instant>) -> Self {
        let limits = grants.iter().filter_map(|grant| Some((grant.site_id?, grant.rate_limit?))).collect();
        let keys = grants.into_iter().map(|grant| (grant.id.clone(), grant)).collect();
        Self { revision, keys: Arc::new(keys), limits: Arc::new(limits), confirmed }
    }
}

/// The keys that this node knows, and when they were used.
pub(crate) struct Keyring {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    health: Arc<Health>,
    snapshot: RwLock<Snapshot>,
    /// One look at the database at a time; the others wait for what it finds.
    looking: tokio::sync::Mutex<()>,
    /// When a look last failed.
    failed: Mutex<Option<Instant>>,
    used: Mutex<HashMap<String, OffsetDateTime>>,
}

impl Keyring {
    pub(crate) fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>, health: Arc<Health>) -> Self {
        Self {
            storage,
            clock,
            health,
            snapshot: RwLock::default(),
            looking: tokio::sync::Mutex::default(),
            failed: Mutex::default(),
            used: Mutex::default(),
        }
    }

    /// The key with that public id, whatever its state. Asks the database only where the node has not been able to
    /// confirm for a while what it knows, and, for all unknown keys together, a few times a second.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<KeyGrant>, StorageError> {
        let snapshot = self.snapshot();
        if let Some(key) = snapshot.keys.get(id)
            && self.age(&snapshot).is_some_and(|age| age < TRUST)
        {
            return Ok(Some(key.clone()));
        }
        let asked = self.clock.instant();
        let _turn = self.looking.lock().await;
        // Another request may have looked on our behalf while we waited for our turn, with or without success.
        let since = |at: Option<Instant>| at.is_some_and(|at| at > asked);
        if since(self.failed()) {
            return Err(StorageError::Unavailable("another request has just asked in vain".into()));
        }
        if !since(self.snapshot().confirmed) {
            if let Some(age) = self.age(&self.snapshot()) {
                tokio::time::sleep(PATIENCE_WITH_STRANGERS.saturating_sub(age)).await;
            }
            self.look().await?;
        }
        Ok(self.snapshot().keys.get(id).cloned())
    }

    /// How many syncs `site` may send in a window, where it has a limit of its own.
    pub(crate) fn rate_limit(&self, site: SiteId) -> Option<u32> {
        self.snapshot().limits.get(&site).copied()
    }

    /// Takes over what has changed; called after every change that this node makes, and by the poll.
    pub(crate) async fn refresh(&self) -> Result<(), StorageError> {
        let _turn = self.looking.lock().await;
        self.look().await
    }

    /// The same after a change that has been made in any case: what cannot be asked for now is by the next poll, or by the
    /// request that comes with the new key.
    pub(crate) async fn catch_up(&self) {
        if let Err(error) = self.refresh().await
            && !self.health.note(&error)
        {
            tracing::warn!(error = %Chain(&error), "cannot ask for changed keys");
        }
    }

    fn age(&self, snapshot: &Snapshot) -> Option<Duration> {
        snapshot.confirmed.map(|at| self.clock.instant().saturating_duration_since(at))
    }

    fn failed(&self) -> Option<Instant> {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One look at the database. Only for those who hold `looking`.
    async fn look(&self) -> Result<(), StorageError> {
        let looked = self.load().await;
        if looked.is_err() {
            *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.clock.instant());
        }
        looked
    }

    async fn load(&self) -> Result<(), StorageError> {
        let known = self.snapshot();
        let confirmed = Some(self.clock.instant());
        // The number first: what changes between the two answers raises it again, and the next look sees that.
        let revision = self.storage.key_revision().await?;
        let found = if revision == known.revision && known.confirmed.is_some() {
            Snapshot { confirmed, ..known }
        } else {
            Snapshot::of(self.storage.key_grants().await?, revision, confirmed)
        };
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(())
    }

    fn snapshot(&self) -> Snapshot {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers that a key was used, until the next [`Keyring::write_uses`].
    pub(crate) fn mark_used(&self, id: &str, at: OffsetDateTime) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        match used.get_mut(id) {
            Some(last) => *last = at,
            None => drop(used.insert(id.to_owned(), at)),
        }
    }

    /// Writes down which keys have been used since the last time. What cannot be written is tried again the next time.
    pub(crate) async fn write_uses(&self) {
        let used = mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner));
        let uses: Vec<_> = used.into_iter().map(|(id, at)| KeyUse { id, at }).collect();
        if let Err(error) = self.storage.mark_keys_used(uses.clone()).await {
            if !self.health.note(&error) {
                tracing::warn!(error = %Chain(&error), keys = uses.len(), "the last use of keys could not be written");
            }
            let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            for KeyUse { id, at } in uses {
                used.entry(id).or_insert(at);
            }
        }
    }
}

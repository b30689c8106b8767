//! All keys in memory, so that authentication reads no database.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use module_monitor_ingestion::Clock;
use module_monitor_storage::{KeyGrant, KeyUse, Storage, StorageError};
use time::OffsetDateTime;

use crate::logging::Chain;

/// How often a node asks whether a key or a site has changed.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How long a node goes on by what it knows when it cannot ask. Together with the interval and the time a poll takes,
/// what was changed elsewhere is known here within 5 seconds.
const TRUST: Duration = Duration::from_secs(3);
/// Strangers' keys make the node ask at most this often, however many of them come.
const PATIENCE_WITH_STRANGERS: Duration = Duration::from_millis(100);

/// What a node knows of the keys.
#[derive(Clone, Default)]
struct Snapshot {
    revision: i64,
    keys: Arc<HashMap<String, KeyGrant>>,
    /// When it was last known to be true; `None`: never.
    confirmed: Option<Instant>,
}

/// The keys that this node knows, and when they were used.
pub(crate) struct Keyring {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    snapshot: RwLock<Snapshot>,
    /// One look at the database at a time; the others wait for what it finds.
    looking: tokio::sync::Mutex<()>,
    used: Mutex<HashMap<String, OffsetDateTime>>,
}

impl Keyring {
    pub(crate) fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>) -> Self {
        Self {
            storage,
            clock,
            snapshot: RwLock::default(),
            looking: tokio::sync::Mutex::default(),
            used: Mutex::default(),
        }
    }

    /// The key with that public id, whatever its state. Asks the database only where the node has not been able to
    /// confirm for a while what it knows, and, for all unknown keys together, a few times a second.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<KeyGrant>, StorageError> {
        let snapshot = self.snapshot();
        let age = snapshot.confirmed.map(|at| self.clock.instant().saturating_duration_since(at));
        match (snapshot.keys.get(id), age) {
            (Some(key), Some(age)) if age < TRUST => Ok(Some(key.clone())),
            (None, Some(age)) if age < PATIENCE_WITH_STRANGERS => Ok(None),
            _ => {
                self.refresh_unless_younger(PATIENCE_WITH_STRANGERS).await?;
                Ok(self.snapshot().keys.get(id).cloned())
            }
        }
    }

    /// Takes over what has changed; called after every change that this node makes, and by the poll.
    pub(crate) async fn refresh(&self) -> Result<(), StorageError> {
        self.refresh_unless_younger(Duration::ZERO).await
    }

    async fn refresh_unless_younger(&self, age: Duration) -> Result<(), StorageError> {
        let asked = self.clock.instant();
        let _turn = self.looking.lock().await;
        let known = self.snapshot();
        // Somebody else has looked since we asked, or a moment before.
        if known.confirmed.is_some_and(|at| at >= asked || asked.saturating_duration_since(at) < age) {
            return Ok(());
        }
        let confirmed = Some(self.clock.instant());
        // The number first: what changes between the two answers raises it again, and the next poll sees that.
        let revision = self.storage.key_revision().await?;
        let keys = if revision == known.revision { known.keys } else { self.load().await? };
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Snapshot { revision, keys, confirmed };
        Ok(())
    }

    async fn load(&self) -> Result<Arc<HashMap<String, KeyGrant>>, StorageError> {
        let grants = self.storage.key_grants().await?;
        Ok(Arc::new(grants.into_iter().map(|grant| (grant.id.clone(), grant)).collect()))
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
            tracing::warn!(error = %Chain(&error), keys = uses.len(), "the last use of keys could not be written");
            let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            for KeyUse { id, at } in uses {
                used.entry(id).or_insert(at);
            }
        }
    }
}

//! Whether the database can be used, as far as this node knows.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use module_monitor_ingestion::Clock;
use module_monitor_storage::{Storage, StorageError};

use crate::logging::Chain;

/// How often a database that works is asked to write: what only reads, or is full, answers questions as usual.
const WRITE_INTERVAL: Duration = Duration::from_secs(10);
/// How often one that does not work is asked, however often somebody wants to know.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// What is known of the database. The log has a line where it stops working and one where it works again, however many
/// requests and tasks find that out.
pub(crate) struct Health {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
    /// One question at a time; the others wait for its answer.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    /// Why it cannot be used, for those who ask while it is not to be asked again.
    down: Option<String>,
    /// When it was last asked to write.
    asked: Option<Instant>,
}

impl Health {
    pub(crate) fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>) -> Self {
        Self { storage, clock, known: Mutex::default(), asking: tokio::sync::Mutex::default() }
    }

    /// Remembers that the database did not do something. `false` where that says nothing of the database as a whole, and
    /// is for the caller to log.
    pub(crate) fn note(&self, error: &StorageError) -> bool {
        if error.is_outage() {
            let text = Chain(error).to_string();
            if self.with_known(|known| known.down.replace(text.clone())).is_none() {
                tracing::warn!(error = text, "the database cannot be used; answering 503 until it can");
            }
        }
        error.is_outage()
    }

    /// Whether the database answers and, as of a moment ago, takes writes.
    pub(crate) async fn check(&self) -> Result<(), StorageError> {
        self.ask().await?;
        let answer = self.storage.check().await;
        if let Err(error) = &answer {
            self.note(error);
        }
        answer
    }

    /// Has the database write where it is time for that, and otherwise says what is known.
    pub(crate) async fn ask(&self) -> Result<(), StorageError> {
        let _turn = self.asking.lock().await;
        let now = self.clock.instant();
        let (down, asked) = self.with_known(|known| (known.down.clone(), known.asked));
        let pause = if down.is_some() { RETRY_INTERVAL } else { WRITE_INTERVAL };
        if asked.is_some_and(|asked| now.saturating_duration_since(asked) < pause) {
            return down.map_or(Ok(()), |why| Err(StorageError::Unavailable(why.into())));
        }
        let answer = self.storage.check_writes().await;
        self.with_known(|known| known.asked = Some(self.clock.instant()));
        match &answer {
            Ok(()) if self.with_known(|known| known.down.take()).is_some() => {
                tracing::info!("the database can be used again");
            }
            Ok(()) => {}
            Err(error) => {
                self.note(error);
            }
        }
        answer
    }

    fn with_known<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        change(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

//! What intake and workers tell each other, so that neither has to wait for its next look at the database.

use std::sync::OnceLock;
use std::time::Duration;

use module_monitor_domain::SyncId;
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio::time::timeout;

/// How many ends of jobs a slow listener may be behind; beyond it, it looks for itself.
const REMEMBERED: usize = 1024;
/// How many ids may wait to be passed on to other processes. More are dropped: their workers look for themselves.
const RELAYED: usize = 1024;

/// Signals between the parts of one process. All of them may be lost: each is only a reason to look at the database now.
pub struct QueueSignals {
    bell: Notify,
    /// Whether a worker of this process waits for the bell.
    idle: watch::Sender<bool>,
    finished: broadcast::Sender<SyncId>,
    relay: OnceLock<mpsc::Sender<SyncId>>,
}

impl Default for QueueSignals {
    fn default() -> Self {
        Self {
            bell: Notify::new(),
            idle: watch::Sender::new(false),
            finished: broadcast::Sender::new(REMEMBERED),
            relay: OnceLock::new(),
        }
    }
}

impl QueueSignals {
    /// The ids of new jobs, for other processes to be told. `None` where somebody has asked for them already.
    pub fn relay(&self) -> Option<mpsc::Receiver<SyncId>> {
        let (sender, receiver) = mpsc::channel(RELAYED);
        self.relay.set(sender).is_ok().then_some(receiver)
    }

    /// There is a job for this process or another one.
    pub(super) fn announce(&self, id: SyncId) {
        self.ring();
        if let Some(relay) = self.relay.get() {
            // When it is full, polling does.
            let _ = relay.try_send(id);
        }
    }

    /// There may be a job for this process.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    /// Waits until a worker of this process has nothing to do.
    pub async fn idle(&self) {
        let mut idle = self.idle.subscribe();
        // The sender lives as long as `self`.
        let _ = idle.wait_for(|idle| *idle).await;
    }

    /// Waits for the bell, but no longer than `patience`.
    pub(super) async fn listen(&self, patience: Duration) {
        self.idle.send_replace(true);
        let _ = timeout(patience, self.bell.notified()).await;
        self.idle.send_replace(false);
    }

    /// A job has ended, or will be tried again.
    pub(super) fn finish(&self, id: SyncId) {
        let _ = self.finished.send(id);
    }

    pub(super) fn finished(&self) -> broadcast::Receiver<SyncId> {
        self.finished.subscribe()
    }
}

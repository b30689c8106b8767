//! Being told to stop.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::server::RunningServer;

/// SIGTERM and SIGINT, which no longer end the process once this exists.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Starts listening for them.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next of them.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Keeps `server` up until SIGTERM or SIGINT, then lets it finish what it is doing. Fails where the server does.
pub(super) async fn run_until_told(mut server: RunningServer, mut signals: Signals) -> anyhow::Result<()> {
    tokio::select! {
        error = server.failed() => return Err(error.into()),
        () = signals.next() => tracing::info!("stopping once the requests in progress are done"),
    }
    tokio::select! {
        () = server.stop() => {}
        () = signals.next() => tracing::warn!("told to stop twice; not waiting any longer"),
    }
    Ok(())
}

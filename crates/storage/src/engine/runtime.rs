//! Where units of work run.

use std::future::Future;
use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

use super::error::StorageError;

/// A multi-thread runtime of the storage's own. A unit of work is a task on it, so that a caller who stops waiting (a
/// client that hangs up) never cancels a transaction half way, and so that callers on a current-thread runtime may drop
/// the future: dropping a pending SQLite future would block such a runtime, which panics.
pub(crate) struct Units {
    runtime: Option<Runtime>,
    handle: Handle,
}

impl Units {
    pub(crate) fn new() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("storage").enable_all().build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs `unit` to its end, whether or not the caller keeps waiting.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        unit: impl Future<Output = Result<T, StorageError>> + Send + 'static,
    ) -> Result<T, StorageError> {
        self.handle.spawn(unit).await.unwrap_or_else(|panic| Err(StorageError::Database(panic.into())))
    }
}

impl Drop for Units {
    fn drop(&mut self) {
        // Waiting here could block an async caller. What is cut off was not answered yet and rolls back.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

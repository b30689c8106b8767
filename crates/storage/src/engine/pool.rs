//! Taking connections from a pool, with the reason where none can be had.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bb8::{ErrorSink, ManageConnection, PooledConnection, RunError};
use diesel_async::pooled_connection::PoolError;

use super::error::StorageError;

/// A pool that remembers why the last connection could not be made: bb8 itself only says that the time was up.
pub(crate) struct Pool<M: ManageConnection<Error = PoolError>> {
    pool: bb8::Pool<M>,
    reason: Reason,
}

impl<M: ManageConnection<Error = PoolError>> Clone for Pool<M> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), reason: self.reason.clone() }
    }
}

impl<M: ManageConnection<Error = PoolError>> Pool<M> {
    /// Makes no connection yet. Must be called on the runtime that connections are to live on.
    pub(crate) fn new(manager: M, max_connections: u32, patience: Duration, test_on_check_out: bool) -> Self {
        let reason = Reason::default();
        let pool = bb8::Pool::builder()
            .max_size(max_connections)
            .connection_timeout(patience)
            .test_on_check_out(test_on_check_out)
            .error_sink(reason.boxed_clone())
            .build_unchecked(manager);
        Self { pool, reason }
    }

    /// Waits for a connection. [`StorageError::Unavailable`] once the time for that is up.
    pub(crate) async fn get(&self) -> Result<PooledConnection<'_, M>, StorageError> {
        self.pool.get().await.map_err(|error| match (error, self.reason.take()) {
            (RunError::User(error), _) | (RunError::TimedOut, Some(error)) => StorageError::Unavailable(error.into()),
            (RunError::TimedOut, None) => StorageError::Unavailable("all connections were in use".into()),
        })
    }
}

/// Why the last connection could not be made, until somebody is told.
#[derive(Clone, Debug, Default)]
struct Reason(Arc<Mutex<Option<PoolError>>>);

impl Reason {
    fn take(&self) -> Option<PoolError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ErrorSink<PoolError> for Reason {
    fn sink(&self, error: PoolError) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    fn boxed_clone(&self) -> Box<dyn ErrorSink<PoolError>> {
        Box::new(self.clone())
    }
}

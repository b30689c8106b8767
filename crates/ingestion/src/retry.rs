//! Trying again what failed for a transient reason.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use module_monitor_storage::StorageError;

/// Runs what is safe to repeat until it does not fail, or fails in a way that `again` does not want repeated: seven times
/// at most, with growing pauses that add up to about two seconds.
pub(crate) async fn retried<T, F>(
    attempt: impl FnMut() -> F,
    again: impl FnMut(&StorageError) -> bool,
) -> Result<T, StorageError>
where
    F: Future<Output = Result<T, StorageError>>,
{
    let pauses = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(20))
        .with_max_delay(Duration::from_millis(500))
        .with_max_times(6)
        .with_jitter();
    let told = |error: &StorageError, pause| tracing::debug!(%error, ?pause, "a unit of work is tried again");
    attempt.retry(pauses).when(again).notify(told).await
}

/// Runs `store` once, however often it has to be tried: a connection that breaks may break behind the commit, and then
/// `find` says what was stored. An error means that nothing was, except [`StorageError::ConnectionLost`], after which
/// even that could not be found out.
pub async fn stored_once<T, S, F>(
    store: impl Fn() -> S,
    find: impl Fn() -> F,
    again: impl FnMut(&StorageError) -> bool,
) -> Result<T, StorageError>
where
    S: Future<Output = Result<T, StorageError>>,
    F: Future<Output = Result<Option<T>, StorageError>>,
{
    let commit_unknown = AtomicBool::new(false);
    let attempt = async || {
        let in_doubt = commit_unknown.load(Ordering::Relaxed);
        if in_doubt && let Some(found) = find().await? {
            return Ok(found);
        }
        match store().await {
            // The first commit has arrived after all, behind our look.
            Err(error @ StorageError::Duplicate(_)) if in_doubt => find().await?.ok_or(error),
            Err(error @ StorageError::ConnectionLost(_)) => {
                commit_unknown.store(true, Ordering::Relaxed);
                Err(error)
            }
            stored => stored,
        }
    };
    let stored = retried(attempt, again).await;
    match stored {
        Err(error) if commit_unknown.load(Ordering::Relaxed) => Err(StorageError::ConnectionLost(error.into())),
        stored => stored,
    }
}

/// Whether another attempt may succeed at once. Waiting for a connection has used up the caller's patience already.
pub fn worth_repeating(error: &StorageError) -> bool {
    matches!(error, StorageError::Contention(_) | StorageError::ConnectionLost(_))
}

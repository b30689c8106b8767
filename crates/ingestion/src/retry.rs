//! Trying again what failed for a transient reason.

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

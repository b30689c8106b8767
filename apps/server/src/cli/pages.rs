//! Lists that are read to their end.

use module_monitor_storage::{Page, Part, StorageError};

/// How many rows are read at once.
const PAGE: usize = 500;

/// Everything that `read` has page by page; `position` is that of an item in the list.
pub(super) async fn read_all<T, C>(
    read: impl AsyncFn(Page<C>) -> Result<Part<T>, StorageError>,
    position: impl Fn(&T) -> C,
) -> Result<Vec<T>, StorageError> {
    let mut all: Vec<T> = Vec::new();
    loop {
        let page = read(Page { limit: PAGE, after: all.last().map(&position) }).await?;
        let is_last = !page.more;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

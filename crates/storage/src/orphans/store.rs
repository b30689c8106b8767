//! The unit of work that finds orphans.

use async_trait::async_trait;

use super::rows::OrphanedRow;
use super::{Orphaned, Orphans, queries};
use crate::engine::error::StorageError;
use crate::engine::transaction::Backend;

#[async_trait]
impl<B: Backend> Orphans for B {
    async fn orphans(&self) -> Result<Vec<Orphaned>, StorageError> {
        let rows = self.rows::<OrphanedRow>(queries::orphans()).await?;
        Ok(rows.into_iter().map(Orphaned::from).collect())
    }
}

//! Rows that name others which are not there. Where a sync writes a reference no foreign key checks it, because each costs a
//! look for every row; one function writes each of them, under the lock that keeps what it names from being removed.

pub(crate) mod queries;
mod rows;
mod store;

use async_trait::async_trait;

use crate::engine::error::StorageError;

/// Looking for what must not be there.
#[async_trait]
pub trait Orphans: Send + Sync {
    /// The references that name what is not there, with how many rows do. Empty where all is well. Reads every such row, and
    /// locks none.
    async fn orphans(&self) -> Result<Vec<Orphaned>, StorageError>;
}

/// A reference that names what is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphaned {
    /// Table and column.
    pub reference: String,
    /// In how many rows.
    pub rows: u64,
}

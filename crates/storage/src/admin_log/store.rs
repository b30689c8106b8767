//! The units of work of the administrators' log.

use async_trait::async_trait;

use super::rows::AdminEventRow;
use super::{AdminEvent, AdminLog, queries};
use crate::engine::error::StorageError;
use crate::engine::read::all;
use crate::engine::transaction::Backend;
use crate::page::Page;

#[async_trait]
impl<B: Backend> AdminLog for B {
    async fn admin_events(&self, page: Page<i64>) -> Result<Vec<AdminEvent>, StorageError> {
        all::<AdminEventRow, _>(self, queries::admin_events(&page)).await
    }
}

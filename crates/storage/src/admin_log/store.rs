//! The units of work of the administrators' log.

use async_trait::async_trait;

use super::rows::AdminEventRow;
use super::{AdminEvent, AdminLog, queries};
use crate::engine::error::StorageError;
use crate::engine::read::part;
use crate::engine::transaction::Backend;
use crate::page::{Page, Part};

#[async_trait]
impl<B: Backend> AdminLog for B {
    async fn admin_events(&self, page: Page<i64>) -> Result<Part<AdminEvent>, StorageError> {
        part::<AdminEventRow, _, _>(self, queries::admin_events(&page), &page).await
    }
}

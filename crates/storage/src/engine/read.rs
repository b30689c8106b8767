//! Between what a column holds and what it means.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use module_monitor_domain::{
    CoverageClass, DrupalVersion, MachineName, ModuleType, ProjectName, UnknownReason, UpdateStatus,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;

use super::error::StorageError;
use super::sql_types::At;
use super::statement::{Portable, Sql};
use super::transaction::{Backend, Row};

/// The rows of a query as what they mean.
pub(crate) async fn all<R: Row, T>(
    backend: &impl Backend,
    query: Sql<impl Portable + 'static>,
) -> Result<Vec<T>, StorageError>
where
    T: TryFrom<R, Error = StorageError>,
{
    let rows = backend.rows::<R>(query).await?;
    rows.into_iter().map(T::try_from).collect()
}

/// The row of a query that has one at the most.
pub(crate) async fn one<R: Row, T>(
    backend: &impl Backend,
    query: Sql<impl Portable + 'static>,
) -> Result<Option<T>, StorageError>
where
    T: TryFrom<R, Error = StorageError>,
{
    let row = backend.rows::<R>(query).await?.pop();
    row.map(T::try_from).transpose()
}

/// Reads a stored text as what it was when it was stored.
pub(crate) fn read<T>(what: &'static str, text: &str, parsed: Option<T>) -> Result<T, StorageError> {
    parsed.ok_or_else(|| StorageError::corrupt(what, text))
}

pub(crate) fn read_name(text: &str) -> Result<MachineName, StorageError> {
    read("machine name", text, MachineName::parse(text).ok())
}

pub(crate) fn read_version(text: &str) -> Result<DrupalVersion, StorageError> {
    read("version", text, DrupalVersion::parse(text).ok())
}

pub(crate) fn read_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StorageError> {
    read(what, text, serde_json::from_str(text).ok())
}

pub(crate) fn moment(at: Option<At>) -> Option<OffsetDateTime> {
    at.map(|at| at.0)
}

pub(crate) fn read_project(name: &str) -> Result<ProjectName, StorageError> {
    read("project", name, ProjectName::parse(name).ok())
}

pub(crate) fn read_module_type(name: &str) -> Result<ModuleType, StorageError> {
    read("module type", name, ModuleType::from_name(name))
}

pub(crate) fn read_status(name: &str) -> Result<UpdateStatus, StorageError> {
    read("update status", name, UpdateStatus::from_name(name))
}

/// A number of rows that a query counted.
#[derive(QueryableByName)]
pub(crate) struct CountRow {
    #[diesel(sql_type = BigInt)]
    pub(crate) count: i64,
}

/// A count for the database. Reports are bounded far below the type's limit.
pub(crate) fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// JSON of a type whose serialization cannot fail: only strings, numbers, lists and structs of them.
pub(crate) fn json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

pub(crate) fn read_class(name: &str) -> Result<CoverageClass, StorageError> {
    read("class", name, CoverageClass::from_name(name))
}

pub(crate) fn read_reason(name: &str) -> Result<UnknownReason, StorageError> {
    read("reason", name, UnknownReason::from_name(name))
}

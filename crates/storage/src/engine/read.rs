//! Between what a column holds and what it means.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};
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
use crate::page::{PAGE_BYTES, Page, Part};

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

/// A row of a list, and how much text it has.
#[derive(QueryableByName)]
struct Weighed<R> {
    #[diesel(embed)]
    item: R,
    #[diesel(sql_type = Integer)]
    bytes: i32,
}

/// A part of a list whose rows may be large, from a statement that is [`Sql::cut`].
pub(crate) async fn part<R: Row, T, C>(
    backend: &impl Backend,
    query: Sql<impl Portable + 'static>,
    page: &Page<C>,
) -> Result<Part<T>, StorageError>
where
    T: TryFrom<R, Error = StorageError>,
{
    let mut rows = backend.rows::<Weighed<R>>(query).await?;
    let mut bytes = 0;
    let fit = rows.iter().take_while(|row| {
        let fits = bytes < PAGE_BYTES;
        bytes += i64::from(row.bytes);
        fits
    });
    let fit = fit.count().min(page.limit);
    debug_assert!(rows.len() <= fit + 1, "the database has sent more than the part and the row behind it");
    let more = fit < rows.len();
    rows.truncate(fit);
    let items = rows.into_iter().map(|row| T::try_from(row.item)).collect::<Result<_, _>>()?;
    Ok(Part { items, more })
}

/// A part of a list whose rows are small, from a statement that asks for [`Page::rows`].
pub(crate) async fn small_part<R: Row, T, C>(
    backend: &impl Backend,
    query: Sql<impl Portable + 'static>,
    page: &Page<C>,
) -> Result<Part<T>, StorageError>
where
    T: TryFrom<R, Error = StorageError>,
{
    Ok(Part::of(all::<R, T>(backend, query).await?, page.limit))
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

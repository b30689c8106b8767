//! Many rows as parameters of one statement: neither the number of parameters nor that of statements grows with them.
//!
//! PostgreSQL gets one array for each column, to `unnest`; SQLite one JSON text for all of them, to take apart with
//! `json_each`. Either way they are the last parameters of their statement, so that all others have one number on both.

use std::cell::OnceCell;
use std::fmt::Write;

use data_encoding::HEXLOWER;
use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, Text};
use diesel::sqlite::Sqlite;

use super::sql_types::{At, DbId, Id, Moment};
use super::statement::Sql;

/// The values of one column, a row each.
pub(crate) enum Column<'a> {
    Text(Vec<&'a str>),
    NullableText(Vec<Option<&'a str>>),
    BigInt(Vec<i64>),
    NullableBigInt(Vec<Option<i64>>),
    Integer(Vec<i32>),
    NullableInteger(Vec<Option<i32>>),
    Bool(Vec<bool>),
    NullableBool(Vec<Option<bool>>),
    Moment(Vec<At>),
    NullableMoment(Vec<Option<At>>),
    Id(Vec<DbId>),
    NullableBinary(Vec<Option<&'a [u8]>>),
}

macro_rules! columns {
    ($($variant:ident: $value:ty as $sql:ty),* $(,)?) => {
        $(impl<'a> From<Vec<$value>> for Column<'a> {
            fn from(values: Vec<$value>) -> Self {
                Self::$variant(values)
            }
        })*

        impl QueryFragment<Pg> for Column<'_> {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
                match self {
                    $(Self::$variant(values) => out.push_bind_param_value_only::<Array<$sql>, _>(values),)*
                }
            }
        }
    };
}

columns! {
    Text: &'a str as Text,
    NullableText: Option<&'a str> as Nullable<Text>,
    BigInt: i64 as BigInt,
    NullableBigInt: Option<i64> as Nullable<BigInt>,
    Integer: i32 as Integer,
    NullableInteger: Option<i32> as Nullable<Integer>,
    Bool: bool as Bool,
    NullableBool: Option<bool> as Nullable<Bool>,
    Moment: At as Moment,
    NullableMoment: Option<At> as Nullable<Moment>,
    Id: DbId as Id,
    NullableBinary: Option<&'a [u8]> as Nullable<Binary>,
}

impl Column<'_> {
    /// The value of a row as JSON: moments as microseconds, ids and bytes in hexadecimal digits, as SQLite's texts expect them.
    fn write_json(&self, row: usize, json: &mut String) {
        match self {
            Self::Text(values) => write_text(values[row], json),
            Self::NullableText(values) => match values[row] {
                Some(text) => write_text(text, json),
                None => json.push_str("null"),
            },
            Self::BigInt(values) => write_value(Some(values[row]), json),
            Self::NullableBigInt(values) => write_value(values[row], json),
            Self::Integer(values) => write_value(Some(values[row]), json),
            Self::NullableInteger(values) => write_value(values[row], json),
            Self::Bool(values) => write_value(Some(values[row]), json),
            Self::NullableBool(values) => write_value(values[row], json),
            Self::Moment(values) => write_value(Some(values[row].micros()), json),
            Self::NullableMoment(values) => write_value(values[row].map(At::micros), json),
            Self::Id(values) => write_text(&values[row].0.simple().to_string(), json),
            Self::NullableBinary(values) => match values[row] {
                Some(bytes) => write_text(&HEXLOWER.encode(bytes), json),
                None => json.push_str("null"),
            },
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(values) => values.len(),
            Self::NullableText(values) => values.len(),
            Self::BigInt(values) => values.len(),
            Self::NullableBigInt(values) => values.len(),
            Self::Integer(values) => values.len(),
            Self::NullableInteger(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::NullableBool(values) => values.len(),
            Self::Moment(values) => values.len(),
            Self::NullableMoment(values) => values.len(),
            Self::Id(values) => values.len(),
            Self::NullableBinary(values) => values.len(),
        }
    }
}

fn write_value(value: Option<impl std::fmt::Display>, json: &mut String) {
    match value {
        // Writing to a text cannot fail.
        Some(value) => drop(write!(json, "{value}")),
        None => json.push_str("null"),
    }
}

fn write_text(text: &str, json: &mut String) {
    json.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// Rows, column by column.
pub(crate) struct Batch<'a, R> {
    rows: &'a [R],
    columns: Vec<(&'static str, Column<'a>)>,
}

impl<'a, R> Batch<'a, R> {
    pub(crate) fn of(rows: &'a [R]) -> Self {
        Self { rows, columns: Vec::new() }
    }

    /// Adds a column: to PostgreSQL it is the next array, to SQLite a field of that name.
    pub(crate) fn column<V>(mut self, name: &'static str, value: impl Fn(&'a R) -> V) -> Self
    where
        Column<'a>: From<Vec<V>>,
    {
        self.columns.push((name, Column::from(self.rows.iter().map(value).collect::<Vec<V>>())));
        self
    }
}

/// A statement with rows for its last parameters.
pub(crate) struct BoundRows<'a, Q> {
    statement: Q,
    columns: Vec<(&'static str, Column<'a>)>,
    json: OnceCell<String>,
}

impl<Q> Sql<Q> {
    /// Binds the last parameters: to PostgreSQL one array for each column, to SQLite a JSON list of objects.
    pub(crate) fn bind_rows<'a, R>(self, rows: Batch<'a, R>) -> Sql<BoundRows<'a, Q>> {
        Sql(BoundRows { statement: self.0, columns: rows.columns, json: OnceCell::new() })
    }

    /// Binds the last parameter: to PostgreSQL an array, to SQLite a JSON list of the values themselves.
    pub(crate) fn bind_list<'a, V>(self, values: Vec<V>) -> Sql<BoundRows<'a, Q>>
    where
        Column<'a>: From<Vec<V>>,
    {
        Sql(BoundRows { statement: self.0, columns: vec![("", Column::from(values))], json: OnceCell::new() })
    }
}

impl<Q> BoundRows<'_, Q> {
    fn json(&self) -> String {
        let rows = self.columns.first().map_or(0, |(_, column)| column.len());
        let mut json = String::from("[");
        for row in 0..rows {
            json.push_str(if row == 0 { "" } else { "," });
            match self.columns.as_slice() {
                [("", values)] => values.write_json(row, &mut json),
                columns => write_object(columns, row, &mut json),
            }
        }
        json.push(']');
        json
    }
}

fn write_object(columns: &[(&'static str, Column<'_>)], row: usize, json: &mut String) {
    for (n, (name, column)) in columns.iter().enumerate() {
        json.push(if n == 0 { '{' } else { ',' });
        write_text(name, json);
        json.push(':');
        column.write_json(row, json);
    }
    json.push('}');
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for BoundRows<'_, Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.statement.walk_ast(out.reborrow())?;
        self.columns.iter().try_for_each(|(_, column)| column.walk_ast(out.reborrow()))
    }
}

impl<Q: QueryFragment<Sqlite>> QueryFragment<Sqlite> for BoundRows<'_, Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.statement.walk_ast(out.reborrow())?;
        out.push_bind_param_value_only::<Text, _>(self.json.get_or_init(|| self.json()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::statement::sql;
    use super::*;

    #[test]
    fn sqlite_gets_every_kind_of_value_as_json() {
        let rows = [(1_i64, "a\"b", None::<i32>, true)];
        let batch = Batch::of(&rows)
            .column("number", |row| row.0)
            .column("text", |row| row.1)
            .column("none", |row| row.2)
            .column("flag", |row| row.3);
        assert_eq!(sql("").bind_rows(batch).0.json(), r#"[{"number":1,"text":"a\"b","none":null,"flag":true}]"#);
        assert_eq!(sql("").bind_list(vec![3_i64, 5]).0.json(), "[3,5]");
        assert_eq!(sql("").bind_list(Vec::<&str>::new()).0.json(), "[]");
    }
}

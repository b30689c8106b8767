//! Statements from `.sql` files, which stand in the folder `sql` beside the file that names them.

use std::borrow::Cow;
use std::marker::PhantomData;

use diesel::backend::{Backend, DieselReserveSpecialization};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};
use diesel::sqlite::Sqlite;

use crate::page::PAGE_BYTES;

/// A statement whose text never changes, so that each connection prepares it once. Diesel's own `sql_query` would have
/// it prepared anew every time, which costs PostgreSQL a round trip. The text numbers its parameters `$1`, `$2`, ....
pub(crate) struct Sql<Q>(pub(crate) Q);

/// The text of a statement, as each database has it.
pub(crate) struct Text {
    pg: Cow<'static, str>,
    sqlite: Cow<'static, str>,
}

/// A statement with a value for its next parameter.
pub(crate) struct Bound<Q, V, ST> {
    statement: Q,
    value: V,
    sql_type: PhantomData<ST>,
}

/// What both backends can run.
pub(crate) trait Portable: QueryFragment<Pg> + QueryFragment<Sqlite> + Send {}
impl<Q: QueryFragment<Pg> + QueryFragment<Sqlite> + Send> Portable for Q {}

/// The statement of a file: `statement!("name")` is `sql/name.sql`, and `statement!(pair "name")` is `sql/name.pg.sql` and
/// `sql/name.sqlite.sql`, for what the databases do not say alike; `statement!(pg "name")` or `statement!(sqlite "name")`
/// is one of them, which the other is never asked.
macro_rules! statement {
    ($name:literal) => {
        $crate::engine::statement::sql(include_str!(concat!("sql/", $name, ".sql")))
    };
    (pg $name:literal) => {
        $crate::engine::statement::pair(include_str!(concat!("sql/", $name, ".pg.sql")), "")
    };
    (sqlite $name:literal) => {
        $crate::engine::statement::pair("", include_str!(concat!("sql/", $name, ".sqlite.sql")))
    };
    (pair $name:literal) => {
        $crate::engine::statement::pair(
            include_str!(concat!("sql/", $name, ".pg.sql")),
            include_str!(concat!("sql/", $name, ".sqlite.sql")),
        )
    };
}
pub(crate) use statement;

/// The statement in that text.
pub(crate) const fn sql(text: &'static str) -> Sql<Text> {
    pair(text, text)
}

/// The statement that each database has a text of its own for.
pub(crate) const fn pair(pg: &'static str, sqlite: &'static str) -> Sql<Text> {
    Sql(Text { pg: Cow::Borrowed(pg), sqlite: Cow::Borrowed(sqlite) })
}

/// A statement put together from parts. Each text is prepared on its own, so there must be few of them.
pub(crate) fn sql_of(text: String) -> Sql<Text> {
    sql_of_both(text.clone(), text)
}

/// The same, where the text for PostgreSQL is another than that for SQLite.
pub(crate) fn sql_of_both(pg: String, sqlite: String) -> Sql<Text> {
    Sql(Text { pg: Cow::Owned(pg), sqlite: Cow::Owned(sqlite) })
}

/// Any portable statement.
pub(crate) type BoxedSql = Sql<Box<dyn Portable>>;

impl<Q: Portable + 'static> Sql<Q> {
    /// Forgets what the statement is made of, so that several go into one list.
    pub(crate) fn boxed(self) -> BoxedSql {
        Sql(Box::new(self.0))
    }
}

impl Sql<Text> {
    /// The statement of a list, so that it ends early where its rows are large. It says in a column `bytes` how much text
    /// a row has, and lists in its order, with a limit. What follows the row that reaches [`PAGE_BYTES`] is not sent, but
    /// for one row, which tells that there is more.
    ///
    /// Rows are added up in the order in which they are listed: neither database changes the order of a query with a
    /// limit when another one reads from it.
    pub(crate) fn cut(self) -> Self {
        let cut = |text: &str| {
            format!(
                "SELECT * FROM (SELECT listed.*, coalesce(sum(bytes) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND \
                 2 PRECEDING), 0) AS bytes_before FROM (\n{text}\n) listed) cut WHERE bytes_before < {PAGE_BYTES}"
            )
        };
        let Text { pg, sqlite } = self.0;
        Self(Text { pg: cut(&pg).into(), sqlite: cut(&sqlite).into() })
    }
}

impl<Q> Sql<Q> {
    /// Binds the next parameter.
    pub(crate) fn bind<ST, V>(self, value: V) -> Sql<Bound<Q, V, ST>> {
        Sql(Bound { statement: self.0, value, sql_type: PhantomData })
    }
}

impl QueryFragment<Pg> for Text {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(&self.pg);
        Ok(())
    }
}

/// To SQLite `$1` is a name, numbered by where it first appears; `?1` is the number one.
impl QueryFragment<Sqlite> for Text {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(&self.sqlite.replace('$', "?"));
        Ok(())
    }
}

impl<DB, Q, V, ST> QueryFragment<DB> for Bound<Q, V, ST>
where
    DB: Backend + DieselReserveSpecialization + HasSqlType<ST>,
    Q: QueryFragment<DB>,
    V: ToSql<ST, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.statement.walk_ast(out.reborrow())?;
        out.push_bind_param_value_only(&self.value)
    }
}

impl<DB: Backend, Q: QueryFragment<DB>> QueryFragment<DB> for Sql<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}

// The text is the identity: prepared statements are kept under it.
impl<Q> QueryId for Sql<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q> Query for Sql<Q> {
    type SqlType = Untyped;
}

impl<Conn, Q> RunQueryDsl<Conn> for Sql<Q> {}

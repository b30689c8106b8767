//! Statements from `.sql` files.

use std::borrow::Cow;
use std::marker::PhantomData;

use diesel::backend::{Backend, DieselReserveSpecialization};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};
use diesel::sqlite::Sqlite;

/// A statement whose text never changes, so that each connection prepares it once. Diesel's own `sql_query` would have
/// it prepared anew every time, which costs PostgreSQL a round trip. The text numbers its parameters `$1`, `$2`, ....
pub(crate) struct Sql<Q>(Q);

/// The text of a statement.
pub(crate) struct Text(Cow<'static, str>);

/// A statement with a value for its next parameter.
pub(crate) struct Bound<Q, V, ST> {
    statement: Q,
    value: V,
    sql_type: PhantomData<ST>,
}

/// What both backends can run.
pub(crate) trait Portable: QueryFragment<Pg> + QueryFragment<Sqlite> + Send {}
impl<Q: QueryFragment<Pg> + QueryFragment<Sqlite> + Send> Portable for Q {}

/// The statement in that text.
pub(crate) const fn sql(text: &'static str) -> Sql<Text> {
    Sql(Text(Cow::Borrowed(text)))
}

/// A statement put together from parts. Each text is prepared on its own, so there must be few of them.
pub(crate) fn sql_of(text: String) -> Sql<Text> {
    Sql(Text(Cow::Owned(text)))
}

/// Any portable statement.
pub(crate) type BoxedSql = Sql<Box<dyn Portable>>;

impl<Q: Portable + 'static> Sql<Q> {
    /// Forgets what the statement is made of, so that several go into one list.
    pub(crate) fn boxed(self) -> BoxedSql {
        Sql(Box::new(self.0))
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
        out.push_sql(&self.0);
        Ok(())
    }
}

/// To SQLite `$1` is a name, numbered by where it first appears; `?1` is the number one.
impl QueryFragment<Sqlite> for Text {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(&self.0.replace('$', "?"));
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    /// A parameter that is bound but never named, or the other way round, fails only when the statement is run.
    #[test]
    fn parameters_are_numbered_without_gaps() {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut seen = 0;
        for folder in ["sql", "postgres/sql", "sqlite/sql"] {
            for file in fs::read_dir(src.join(folder)).unwrap() {
                let path = file.unwrap().path();
                let text = fs::read_to_string(&path).unwrap();
                let sql = text.lines().filter(|line| !line.trim_start().starts_with("--")).collect::<String>();
                let number = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>();
                let numbers: BTreeSet<usize> =
                    sql.split('$').skip(1).map(|rest| number(rest).parse().unwrap()).collect();
                assert!(numbers.iter().copied().eq(1..=numbers.len()), "{}: {numbers:?}", path.display());
                seen += numbers.len();
            }
        }
        assert!(seen > 50, "the statements were not found");
    }
}

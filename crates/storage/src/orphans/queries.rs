//! The statement that finds orphans.

use crate::engine::statement::{Portable, Sql, statement};

pub(super) fn orphans() -> Sql<impl Portable> {
    statement!("orphans")
}

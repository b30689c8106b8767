//! Removing rows that nobody uses, while others may be about to use them.
//!
//! Whoever may begin to use such a row is a sync, or identifies the extensions of a site, and holds the lock of names shared
//! until the commit. So what nobody is seen to use while that lock is held here, alone, is nobody's; the ids that processes
//! remember are out of date afterwards. Nothing here waits for that lock: it is asked for again and again.

use std::collections::HashSet;
use std::time::Duration as StdDuration;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool};
use tokio::time::sleep;

use super::{Cutoff, Pruned};
use crate::engine::error::StorageError;
use crate::engine::read::CountRow;
use crate::engine::statement::BoxedSql;
use crate::engine::transaction::{Backend, Transaction, Unit};
use crate::identities;

/// Rows that are looked at in one statement.
const LOOK: usize = 2_000;
/// How often the lock is asked for that every sync holds, and the pause in between. What cannot be removed then is left to the
/// next time.
const ATTEMPTS: usize = 40;
const PAUSE: StdDuration = StdDuration::from_millis(25);

/// The statements that sweep a table.
pub(crate) struct Sweep {
    /// Which of the rows in a span are unused, in the order of their ids.
    pub(crate) look: fn(Span, &Cutoff) -> BoxedSql,
    /// Locks rows, those that nobody else has locked, and answers their ids.
    pub(crate) lock: fn(Vec<i64>) -> BoxedSql,
    /// Deletes rows and what belongs to them.
    pub(crate) delete: fn(Vec<i64>) -> Vec<BoxedSql>,
}

/// Some of the rows after one id and up to another.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub(crate) after: i64,
    pub(crate) until: i64,
    pub(crate) limit: usize,
}

#[derive(QueryableByName)]
struct SeenRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Bool)]
    unused: bool,
}

#[derive(QueryableByName)]
struct LockedRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Looks at the next rows, and removes those that nobody uses, `batch` in a transaction.
pub(super) async fn sweep(
    backend: &impl Backend,
    sweep: &'static Sweep,
    cutoff: Cutoff,
    after: i64,
    batch: usize,
) -> Result<Pruned, StorageError> {
    let span = Span { after, until: i64::MAX, limit: LOOK };
    let seen = backend.rows::<SeenRow>((sweep.look)(span, &cutoff)).await?;
    let next = seen.last().map(|row| row.id).filter(|_| seen.len() == LOOK);
    let unused: Vec<i64> = seen.into_iter().filter(|row| row.unused).map(|row| row.id).collect();
    let mut removed = 0;
    for ids in unused.chunks(batch) {
        for _ in 0..ATTEMPTS {
            match backend.transact(Remove { sweep, cutoff, ids: ids.to_vec() }).await? {
                Some(rows) => {
                    removed += rows;
                    break;
                }
                None => sleep(PAUSE).await,
            }
        }
    }
    Ok(Pruned { removed, next })
}

/// Removes those of some rows that nobody uses after all, and says how many; `None` while syncs are at work.
struct Remove {
    sweep: &'static Sweep,
    cutoff: Cutoff,
    /// In ascending order.
    ids: Vec<i64>,
}

impl Unit for Remove {
    type Output = Option<usize>;

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<Option<usize>, StorageError> {
        let Self { sweep, cutoff, ids } = self;
        let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return Ok(Some(0)) };
        if T::LOCKS_ROWS {
            let taken = transaction.first::<CountRow>(identities::queries::try_lock_names()).await?;
            if taken.is_none_or(|taken| taken.count == 0) {
                return Ok(None);
            }
        }
        let span = Span { after: first - 1, until: *last, limit: usize::MAX };
        let ours: HashSet<i64> = match T::LOCKS_ROWS {
            true => transaction.rows::<LockedRow>((sweep.lock)(ids)).await?.into_iter().map(|row| row.id).collect(),
            false => ids.into_iter().collect(),
        };
        // A statement of its own: it sees everything that was committed before the locks were had.
        let seen = transaction.rows::<SeenRow>((sweep.look)(span, &cutoff)).await?;
        let unused = seen.into_iter().filter(|row| row.unused && ours.contains(&row.id));
        let unused: Vec<i64> = unused.map(|row| row.id).collect();
        let removed = unused.len();
        if removed > 0 {
            transaction.execute_all((sweep.delete)(unused)).await?;
        }
        Ok(Some(removed))
    }
}

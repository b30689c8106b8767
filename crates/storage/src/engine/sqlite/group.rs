//! Several small units of work in one transaction. SQLite has one writer, and what takes long in a small transaction is to
//! make it durable: those who wait for their turn meanwhile go together. Each is answered when the transaction that it was in
//! is on the disk. Where anything goes wrong in a transaction of several, all of it is taken back and each goes by itself, so
//! that nobody fails because of another.

use std::sync::{Mutex, MutexGuard, PoisonError};

use diesel::prelude::*;
use tokio::sync::oneshot;

use super::super::error::StorageError;
use super::super::transaction::{Unit, at_once};

/// As many as go together at the most, so that the first does not wait long for the last.
const MOST: usize = 64;

/// What has become of a unit of work that waited in a group.
pub(super) enum Outcome<U: Unit> {
    /// It has been done, or has failed by itself.
    Done(Result<U::Output, StorageError>),
    /// Its shortcut leads nowhere: the rest of it is to go by itself.
    NoShortcut(U),
    /// It was taken back with others: all of it is to go by itself.
    TakenBack(U),
}

/// Units of work that wait for the writer's turn.
#[derive(Default)]
pub(super) struct Group(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    next: u64,
    members: Vec<(u64, Box<dyn Member>)>,
}

impl Group {
    /// Has `unit` wait for whoever has the next turn. Its place, and what will become of it.
    pub(super) fn join<U: Unit>(&self, unit: U) -> (u64, oneshot::Receiver<Outcome<U>>) {
        let (sender, outcome) = oneshot::channel();
        let mut waiting = self.lock();
        waiting.next += 1;
        let id = waiting.next;
        waiting.members.push((id, Box::new(Seat { unit: Some(unit), result: None, sender })));
        (id, outcome)
    }

    /// Gives up waiting; `false` where somebody has taken it along already.
    pub(super) fn leave(&self, id: u64) -> bool {
        let mut waiting = self.lock();
        let before = waiting.members.len();
        waiting.members.retain(|(member, _)| *member != id);
        waiting.members.len() < before
    }

    /// Those that have waited longest.
    pub(super) fn take(&self) -> Turn {
        let mut waiting = self.lock();
        let most = waiting.members.len().min(MOST);
        Turn(waiting.members.drain(..most).map(|(_, member)| member).collect())
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those whose turn it is.
pub(super) struct Turn(Vec<Box<dyn Member>>);

impl Turn {
    /// Does their work in one transaction, and tells each what has become of it. Who is by itself may do more than its shortcut.
    pub(super) fn run(self, connection: &mut SqliteConnection) {
        let Self(mut members) = self;
        if members.is_empty() {
            return;
        }
        let whole = members.len() == 1;
        let committed = connection.immediate_transaction(|connection| {
            members.iter_mut().try_for_each(|member| member.work(connection, whole))
        });
        match committed {
            Ok(()) => members.into_iter().for_each(|member| member.committed()),
            Err(error) if whole => drop(members.pop().map(|member| member.failed(error))),
            Err(error) => {
                tracing::debug!(
                    members = members.len(),
                    error = &error as &dyn std::error::Error,
                    "each goes by itself"
                );
                members.into_iter().for_each(|member| member.goes_alone());
            }
        }
    }
}

/// A unit of work in a group.
trait Member: Send {
    fn work(&mut self, connection: &mut SqliteConnection, whole: bool) -> Result<(), StorageError>;
    fn committed(self: Box<Self>);
    fn failed(self: Box<Self>, error: StorageError);
    fn goes_alone(self: Box<Self>);
}

struct Seat<U: Unit> {
    /// Gone once all of it has been done.
    unit: Option<U>,
    result: Option<U::Output>,
    sender: oneshot::Sender<Outcome<U>>,
}

impl<U: Unit> Member for Seat<U> {
    fn work(&mut self, connection: &mut SqliteConnection, whole: bool) -> Result<(), StorageError> {
        if whole {
            self.result = self.unit.take().map(|unit| all_of(unit, connection)).transpose()?;
        } else if let Some(unit) = &self.unit {
            self.result = at_once(unit.shortcut(connection))?;
        }
        Ok(())
    }

    fn committed(self: Box<Self>) {
        let Self { unit, result, sender } = *self;
        let outcome = match (result, unit) {
            (Some(result), _) => Outcome::Done(Ok(result)),
            (None, Some(unit)) => Outcome::NoShortcut(unit),
            (None, None) => return,
        };
        // Nobody may be waiting any longer.
        let _ = sender.send(outcome);
    }

    fn failed(self: Box<Self>, error: StorageError) {
        let _ = self.sender.send(Outcome::Done(Err(error)));
    }

    fn goes_alone(self: Box<Self>) {
        let Self { unit, sender, .. } = *self;
        if let Some(unit) = unit {
            let _ = sender.send(Outcome::TakenBack(unit));
        }
    }
}

/// A unit of work in a transaction that has begun.
pub(super) fn all_of<U: Unit>(unit: U, connection: &mut SqliteConnection) -> Result<U::Output, StorageError> {
    at_once(async {
        match unit.shortcut(connection).await? {
            Some(done) => Ok(done),
            None => unit.run(connection).await,
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use diesel::connection::{InstrumentationEvent, SimpleConnection};

    use super::super::super::statement::sql_of;
    use super::super::super::transaction::Transaction;
    use super::*;

    #[derive(Clone, Copy)]
    enum Work {
        Small(i64),
        Large(i64),
        Wrong,
    }

    impl Unit for Work {
        type Output = i64;

        async fn shortcut<T: Transaction>(&self, transaction: &mut T) -> Result<Option<i64>, StorageError> {
            match *self {
                Self::Small(number) => write(transaction, number).await.map(Some),
                Self::Large(_) => Ok(None),
                Self::Wrong => {
                    transaction.execute(sql_of("INSERT INTO nowhere VALUES (1)".to_owned())).await.map(|_| None)
                }
            }
        }

        async fn run<T: Transaction>(self, transaction: &mut T) -> Result<i64, StorageError> {
            let Self::Large(number) = self else { panic!("there is nothing more to do") };
            write(transaction, number).await
        }
    }

    async fn write<T: Transaction>(transaction: &mut T, number: i64) -> Result<i64, StorageError> {
        transaction.execute(sql_of(format!("INSERT INTO numbers VALUES ({number})"))).await.map(|_| number)
    }

    #[derive(diesel::QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }

    /// What becomes of those who wait together, how many rows there are then, and how many transactions that took.
    fn go(works: &[Work]) -> (Vec<Outcome<Work>>, i64, usize) {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        connection.batch_execute("CREATE TABLE numbers (number integer)").unwrap();
        let commits = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&commits);
        connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::CommitTransaction { .. } = event {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        let group = Group::default();
        let waiting: Vec<_> = works.iter().map(|work| group.join(*work).1).collect();
        group.take().run(&mut connection);
        let outcomes = waiting.into_iter().map(|mut outcome| outcome.try_recv().unwrap()).collect();
        let rows =
            diesel::sql_query("SELECT count(*) AS count FROM numbers").get_result::<Count>(&mut connection).unwrap();
        (outcomes, rows.count, commits.load(Ordering::Relaxed))
    }

    #[test]
    fn what_is_small_goes_together_and_the_rest_of_the_others_by_itself() {
        let (outcomes, rows, commits) = go(&[Work::Small(1), Work::Large(2), Work::Small(3)]);
        assert!(matches!(
            outcomes[..],
            [Outcome::Done(Ok(1)), Outcome::NoShortcut(Work::Large(2)), Outcome::Done(Ok(3))]
        ));
        assert_eq!((rows, commits), (2, 1));
    }

    #[test]
    fn who_is_alone_does_all_of_it() {
        let (outcomes, rows, commits) = go(&[Work::Large(1)]);
        assert!(matches!(outcomes[..], [Outcome::Done(Ok(1))]));
        assert_eq!((rows, commits), (1, 1));
        let (outcomes, rows, commits) = go(&[Work::Wrong]);
        assert!(matches!(outcomes[..], [Outcome::Done(Err(StorageError::Database(_)))]));
        assert_eq!((rows, commits), (0, 0));
    }

    #[test]
    fn what_one_does_wrong_is_taken_back_and_done_by_each_alone() {
        let (outcomes, rows, commits) = go(&[Work::Small(1), Work::Wrong, Work::Small(3)]);
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::TakenBack(_))));
        assert_eq!((rows, commits), (0, 0));
    }

    #[test]
    fn those_behind_the_first_sixty_four_and_those_who_have_left_are_not_taken_along() {
        let group = Group::default();
        let mut waiting: Vec<_> = (0..=MOST).map(|number| group.join(Work::Small(number as i64))).collect();
        let (gone, mut outcome) = waiting.remove(0);
        assert!(group.leave(gone) && !group.leave(gone));
        assert!(outcome.try_recv().is_err());
        waiting.push(group.join(Work::Small(1)));
        assert_eq!((group.take().0.len(), group.take().0.len(), group.take().0.len()), (MOST, 1, 0));
    }
}

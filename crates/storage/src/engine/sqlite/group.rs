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
    /// Nothing of it has been done. It is to go by itself, and its shortcut leads nowhere or (`false`) was not tried.
    Left(U, bool),
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
            (None, Some(unit)) => Outcome::Left(unit, true),
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
            let _ = sender.send(Outcome::Left(unit, false));
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

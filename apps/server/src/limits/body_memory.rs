//! How much memory the bodies of requests take, and whose they are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the largest request takes, in bytes: a body of 16 MiB, what it is decompressed through or decoded to, and what
/// the queue makes of it.
const LARGEST: usize = 48 << 20;

/// The memory for bodies, in bytes that are there: what is only announced takes none. No key has more than its share, so
/// that one that sends much, or slowly, costs the others nothing.
pub(crate) struct BodyMemory {
    total: usize,
    share: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    all: usize,
    by_key: HashMap<String, usize>,
}

/// There is no more memory for bodies, or none for this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

impl BodyMemory {
    /// Memory of `total` bytes. A key's share is a quarter of it, or as much as the largest request takes, as long as that
    /// leaves a quarter to others.
    pub(crate) fn new(total: usize) -> Self {
        let share = (total / 4).max(LARGEST).min(total - total / 4);
        Self { total, share, held: Mutex::default() }
    }

    /// The place of one more request of `key`. It holds nothing yet.
    pub(crate) fn room(self: &Arc<Self>, key: &str) -> Room {
        Room { memory: Arc::clone(self), key: key.to_owned(), bytes: 0 }
    }

    /// No step leaves it half changed, so it is good even after a panic.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The memory that one request holds. It is given back with this value.
pub(crate) struct Room {
    memory: Arc<BodyMemory>,
    key: String,
    bytes: usize,
}

impl Room {
    /// Makes it `bytes`. Fails at once where there is no room, and holds what it held: waiting would only fill memory with
    /// those who wait.
    pub(crate) fn resize(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let mut held = self.memory.held();
        let of_key = held.by_key.get(&self.key).copied().unwrap_or_default() - self.bytes + bytes;
        let all = held.all - self.bytes + bytes;
        if bytes > self.bytes && (of_key > self.memory.share || all > self.memory.total) {
            return Err(NoRoom);
        }
        held.all = all;
        if of_key == 0 {
            held.by_key.remove(&self.key);
        } else {
            held.by_key.insert(self.key.clone(), of_key);
        }
        drop(held);
        self.bytes = bytes;
        Ok(())
    }

    /// What it holds, in bytes.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // Less is always possible.
        let _ = self.resize(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn a_key_has_no_more_than_its_share_however_many_requests_it_sends() {
        let memory = Arc::new(BodyMemory::new(256 * MIB));
        let mut rooms: Vec<Room> = (0..4).map(|_| memory.room("a")).collect();
        assert_eq!(memory.held().by_key.len(), 0, "a request that has sent nothing holds nothing");
        for room in &mut rooms {
            assert_eq!(room.resize(16 * MIB), Ok(()));
        }
        assert_eq!(memory.room("a").resize(1), Err(NoRoom));
        let mut other = memory.room("b");
        assert_eq!(other.resize(64 * MIB), Ok(()));
        assert_eq!(other.resize(64 * MIB + 1), Err(NoRoom));
        assert_eq!(other.bytes(), 64 * MIB, "it keeps what it had");
        rooms.pop();
        assert_eq!(memory.room("a").resize(16 * MIB), Ok(()));
    }

    #[test]
    fn all_keys_together_have_no_more_than_there_is_and_give_it_back() {
        let memory = Arc::new(BodyMemory::new(100 * MIB));
        let mut rooms: Vec<Room> = ["a", "b"].map(|key| memory.room(key)).into();
        assert!(rooms.iter_mut().all(|room| room.resize(LARGEST).is_ok()), "the largest request fits into a share");
        let mut third = memory.room("c");
        assert_eq!(third.resize(5 * MIB), Err(NoRoom));
        assert_eq!(third.resize(4 * MIB), Ok(()));
        assert_eq!(rooms[0].resize(MIB), Ok(()));
        assert_eq!(third.resize(5 * MIB), Ok(()));
        drop((rooms, third));
        let held = memory.held();
        assert_eq!((held.all, held.by_key.len()), (0, 0));
    }

    #[test]
    fn a_small_memory_leaves_a_quarter_to_others() {
        let memory = Arc::new(BodyMemory::new(16 * MIB));
        let mut greedy = memory.room("a");
        assert_eq!(greedy.resize(12 * MIB + 1), Err(NoRoom));
        assert_eq!(greedy.resize(12 * MIB), Ok(()));
        assert_eq!(memory.room("b").resize(4 * MIB), Ok(()));
    }
}

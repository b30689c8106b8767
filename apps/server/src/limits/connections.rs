//! How many connections there are whose client is not known, or does nothing.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::client::client_of;

/// The connections of a server. Until a request with a valid key has come over it, a connection is a stranger's: of those
/// there is a bounded number, and of one address half of that at most; beyond it the oldest is closed, so that whoever
/// comes next can show a key. Afterwards the address no longer counts, because hundreds of sites may sit behind one; but
/// idle connections are not kept beyond a bound of their own. What is left is for work.
pub(crate) struct Connections {
    strangers: usize,
    idle: usize,
    table: Mutex<Table>,
    /// Connections that are not strangers'.
    known: AtomicUsize,
    /// Requests of those that are being answered.
    working: AtomicUsize,
}

#[derive(Default)]
struct Table {
    next: u64,
    /// The oldest first.
    strangers: BTreeMap<u64, Stranger>,
    by_address: HashMap<IpAddr, usize>,
}

struct Stranger {
    /// `None` where many clients come from one address that may speak for them.
    address: Option<IpAddr>,
    /// A second handle, to close it from outside.
    socket: TcpStream,
}

impl Connections {
    /// Half of `most` connections may be strangers', and a quarter idle.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            strangers: (most / 2).max(2),
            idle: (most / 4).max(1),
            table: Mutex::default(),
            known: AtomicUsize::new(0),
            working: AtomicUsize::new(0),
        }
    }

    /// One more, from `address`; `None` is a proxy's, whose connections are as many clients'. `socket` is a second handle of
    /// it. May close an older one.
    pub(crate) fn open(self: &Arc<Self>, address: Option<IpAddr>, socket: OwnedFd) -> Connection {
        let stranger = Stranger { address: address.map(client_of), socket: socket.into() };
        let id = self.table().add(stranger, self.strangers);
        Connection { connections: Arc::clone(self), id, known: AtomicBool::new(false) }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn add(&mut self, stranger: Stranger, most: usize) -> u64 {
        if let Some(address) = stranger.address {
            if self.by_address.get(&address).is_some_and(|count| *count >= most / 2) {
                let oldest = self.strangers.iter().find(|(_, other)| other.address == Some(address));
                self.close(oldest.map(|(id, _)| *id));
            }
            *self.by_address.entry(address).or_default() += 1;
        }
        if self.strangers.len() >= most {
            self.close(self.strangers.keys().next().copied());
        }
        self.next += 1;
        self.strangers.insert(self.next, stranger);
        self.next
    }

    fn close(&mut self, id: Option<u64>) {
        if let Some(stranger) = id.and_then(|id| self.remove(id)) {
            // It may have been closed already, which is as good.
            let _ = stranger.socket.shutdown(Shutdown::Both);
        }
    }

    fn remove(&mut self, id: u64) -> Option<Stranger> {
        let stranger = self.strangers.remove(&id)?;
        if let Some(address) = stranger.address
            && let Some(count) = self.by_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&address);
            }
        }
        Some(stranger)
    }
}

/// A connection as its requests see it.
pub(crate) struct Connection {
    connections: Arc<Connections>,
    id: u64,
    known: AtomicBool,
}

impl Connection {
    /// A request with a valid key has come over it. It is at work for as long as the value lives.
    pub(crate) fn show_key(&self) -> Work {
        let connections = &self.connections;
        if !self.known.swap(true, Ordering::Relaxed) {
            connections.table().remove(self.id);
            connections.known.fetch_add(1, Ordering::Relaxed);
        }
        connections.working.fetch_add(1, Ordering::Relaxed);
        Work { connections: Arc::clone(connections) }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if *self.known.get_mut() {
            self.connections.known.fetch_sub(1, Ordering::Relaxed);
        } else {
            self.connections.table().remove(self.id);
        }
    }
}

/// A request with a valid key that is being answered.
pub(crate) struct Work {
    connections: Arc<Connections>,
}

impl Work {
    /// Whether its connection is better closed after it, because so many others are kept that do nothing.
    pub(crate) fn is_one_too_many(&self) -> bool {
        let Connections { known, working, idle, .. } = &*self.connections;
        known.load(Ordering::Relaxed).saturating_sub(working.load(Ordering::Relaxed)) >= *idle
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.connections.working.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    /// A client's end, the server's end, and what the server has of it.
    type Ends = (TcpStream, TcpStream, Connection);

    fn connect(connections: &Arc<Connections>, address: Option<u8>) -> Ends {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_nonblocking(true).unwrap();
        let (server, _) = listener.accept().unwrap();
        let address = address.map(|last| Ipv4Addr::new(192, 0, 2, last).into());
        let handle = server.try_clone().unwrap();
        (client, server, connections.open(address, handle.into()))
    }

    fn is_open((client, ..): &Ends) -> bool {
        let mut client = client;
        client.read(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }

    #[test]
    fn an_address_has_half_of_the_strangers_and_loses_the_oldest() {
        let connections = Arc::new(Connections::new(16));
        let other = connect(&connections, Some(2));
        let greedy: Vec<_> = (0..16).map(|_| connect(&connections, Some(1))).collect();
        assert!(is_open(&other));
        let open: Vec<bool> = greedy.iter().map(is_open).collect();
        assert_eq!(open.iter().filter(|open| **open).count(), 4);
        assert!(open[12..].iter().all(|open| *open), "the newest are left");
        drop(greedy);
        assert_eq!(connections.table().by_address.len(), 1);
    }

    #[test]
    fn whoever_has_shown_a_key_is_no_stranger() {
        let connections = Arc::new(Connections::new(16));
        let known: Vec<_> = (0..16)
            .map(|_| {
                let connection = connect(&connections, Some(1));
                drop(connection.2.show_key());
                connection
            })
            .collect();
        let strangers: Vec<_> = (0..16).map(|_| connect(&connections, Some(1))).collect();
        assert!(known.iter().all(is_open), "an address does not count for those");
        drop(strangers);
        let table = connections.table();
        assert!(table.strangers.is_empty() && table.by_address.is_empty());
    }

    #[test]
    fn all_strangers_together_are_bounded_behind_proxies_too() {
        let connections = Arc::new(Connections::new(16));
        let strangers: Vec<_> = (0..20).map(|_| connect(&connections, None)).collect();
        assert_eq!(strangers.iter().filter(|connection| is_open(connection)).count(), 8);
    }

    #[test]
    fn idle_connections_are_bounded_and_those_at_work_are_not() {
        let connections = Arc::new(Connections::new(16));
        let all: Vec<_> = (0..8).map(|_| connect(&connections, None)).collect();
        let mut work: Vec<Work> = all.iter().map(|(.., connection)| connection.show_key()).collect();
        assert!(work.iter().all(|work| !work.is_one_too_many()), "all are at work");
        work.truncate(5);
        assert!(!work[0].is_one_too_many(), "three are idle");
        work.truncate(4);
        assert!(work[0].is_one_too_many(), "four are, and this would be the fifth");
    }
}

//! A way to PostgreSQL that breaks where it hurts.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What becomes of the commits of transactions that speak of [`MARK`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Commits {
    /// They pass.
    Pass,
    /// They arrive, and the connection breaks before the word of the next one comes back; then all pass again.
    LoseOne,
    /// The same, and from then on nobody is connected any more.
    LoseAll,
    /// The word of the next one comes back, and then nobody is connected any more.
    ThenNothing,
    /// Nobody is connected.
    Nothing,
}

/// The word in a transaction whose commit is meant; others pass.
pub const MARK: &str = "Second";

/// A proxy in front of PostgreSQL. It reads the protocol as plain text and ends with this value.
pub struct CommitProxy {
    address: SocketAddr,
    state: Arc<State>,
    listening: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    commits: AtomicU8,
    lost: AtomicUsize,
}

impl CommitProxy {
    /// One in front of the server of `url`.
    pub async fn start(url: &str) -> Self {
        let server = authority(url).to_owned();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if shared.commits() == Commits::Nothing as u8 {
                    continue;
                }
                let server = TcpStream::connect(&server).await.expect("PostgreSQL accepts");
                tokio::spawn(pass(client, server, Arc::clone(&shared)));
            }
        });
        Self { address, state, listening }
    }

    /// The same URL, through the proxy.
    pub fn url(&self, url: &str) -> String {
        url.replace(authority(url), &self.address.to_string())
    }

    /// Changes what becomes of commits.
    pub fn set(&self, commits: Commits) {
        self.state.commits.store(commits as u8, Ordering::SeqCst);
    }

    /// How many commits have arrived without a word of it.
    pub fn lost(&self) -> usize {
        self.state.lost.load(Ordering::SeqCst)
    }
}

impl Drop for CommitProxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl State {
    fn commits(&self) -> u8 {
        self.commits.load(Ordering::SeqCst)
    }

    /// Whether to go on after a commit whose answer has come from the server; `client` has not heard it yet.
    async fn after_commit(&self, client: &mut (impl AsyncWrite + Unpin), answer: &[u8]) -> bool {
        let then = match self.commits() {
            commits if commits == Commits::LoseOne as u8 => Commits::Pass,
            commits if commits == Commits::LoseAll as u8 => Commits::Nothing,
            commits if commits == Commits::ThenNothing as u8 => {
                self.commits.store(Commits::Nothing as u8, Ordering::SeqCst);
                let _ = client.write_all(answer).await;
                return false;
            }
            _ => return client.write_all(answer).await.is_ok(),
        };
        self.commits.store(then as u8, Ordering::SeqCst);
        self.lost.fetch_add(1, Ordering::SeqCst);
        false
    }
}

async fn pass(mut client: TcpStream, mut server: TcpStream, state: Arc<State>) {
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let (mut marked, mut committing) = (false, false);
    loop {
        let goes_on = tokio::select! {
            read = read(&mut client, &mut asked) => match read {
                Some(n) => {
                    marked |= contains(&asked[..n], MARK);
                    committing = marked && contains(&asked[..n], "COMMIT");
                    server.write_all(&asked[..n]).await.is_ok()
                }
                None => false,
            },
            read = read(&mut server, &mut answered) => match read {
                Some(n) if committing => {
                    (marked, committing) = (false, false);
                    state.after_commit(&mut client, &answered[..n]).await
                }
                Some(n) => client.write_all(&answered[..n]).await.is_ok(),
                None => false,
            },
        };
        if !goes_on || state.commits() == Commits::Nothing as u8 {
            return;
        }
    }
}

fn contains(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

async fn read(from: &mut (impl AsyncRead + Unpin), buffer: &mut [u8]) -> Option<usize> {
    from.read(buffer).await.ok().filter(|n| *n > 0)
}

/// Host and port of `postgres://user@host:port/database`.
fn authority(url: &str) -> &str {
    let (_, rest) = url.split_once('@').expect("a user");
    rest.split('/').next().expect("a host")
}

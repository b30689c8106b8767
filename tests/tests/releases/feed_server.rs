//! A server on this machine that plays drupal.org's feed, with all its moods.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_compression::tokio::bufread::GzipEncoder;
use module_monitor_tests::process::wait_for;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the server does when it is asked for a path.
#[derive(Clone, Debug)]
pub(crate) enum Mood {
    /// Sends a document.
    Document(String),
    /// Sends a document with an `ETag`, and 304 to those who have it.
    Tagged(String, &'static str),
    /// Sends a document compressed with gzip.
    Gzip(String),
    /// Sends a body with a status.
    Status(u16, String),
    /// Sends the client elsewhere.
    Redirect(String),
    /// Promises a document and hangs up in the middle of it.
    HangUp(String),
    /// Promises 200 MB and sends them for as long as somebody listens.
    Endless,
    /// Takes the request and never answers.
    Silent,
}

/// A request that came in.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    headers: String,
}

impl Asked {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.headers.lines().filter_map(|line| line.split_once(':'));
        lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

#[derive(Default)]
struct State {
    /// What to do for a path, one after the other; the last one again and again.
    moods: HashMap<String, Vec<Mood>>,
    asked: Vec<Asked>,
    /// Bytes of endless bodies that were taken.
    endless: u64,
}

/// A feed server, until it is dropped.
pub(crate) struct FeedServer {
    /// What histories are found below.
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
    serving: JoinHandle<()>,
}

impl FeedServer {
    /// A server that knows of nothing.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/release-history", listener.local_addr().expect("its address"));
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Whoever asks may go away at any time.
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { url, state, serving }
    }

    /// From now on it does these, one after the other, when asked for a project's feed.
    pub(crate) fn plays(&self, project_and_feed: &str, moods: impl Into<Vec<Mood>>) {
        let path = format!("/release-history/{project_and_feed}");
        self.state.lock().expect("the state").moods.insert(path, moods.into());
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state.lock().expect("the state").asked.clone()
    }

    /// The requests so far for a project's feed.
    pub(crate) fn asked_for(&self, project_and_feed: &str) -> Vec<Asked> {
        let path = format!("/release-history/{project_and_feed}");
        self.asked().into_iter().filter(|asked| asked.path == path).collect()
    }

    /// Waits until there were so many requests for a project's feed.
    pub(crate) async fn is_asked_for(&self, project_and_feed: &str, times: usize) {
        let asked = async || (self.asked_for(project_and_feed).len() >= times).then_some(());
        wait_for("the feed is asked", asked).await;
    }

    /// How much of endless bodies was taken, in bytes.
    pub(crate) fn endless_bytes(&self) -> u64 {
        self.state.lock().expect("the state").endless
    }
}

impl Drop for FeedServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// drupal.org's words for a project that it does not know.
pub(crate) fn no_history(project: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <error>No release history was found for the requested project ({project}).</error>"
    )
}

/// Answers one request and closes the connection.
async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let (line, headers) = head.split_once("\r\n").unwrap_or_default();
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let asked = Asked { path, headers: headers.to_owned() };
    let mood = {
        let mut state = state.lock().expect("the state");
        state.asked.push(asked.clone());
        let moods = state.moods.get_mut(&asked.path);
        moods.and_then(|moods| if moods.len() > 1 { Some(moods.remove(0)) } else { moods.first().cloned() })
    };
    let mood = mood.unwrap_or_else(|| Mood::Status(404, no_history(asked.path.split('/').nth(2).unwrap_or_default())));
    answer(stream.get_mut(), mood, &asked, &state).await
}

async fn answer(stream: &mut TcpStream, mood: Mood, asked: &Asked, state: &Mutex<State>) -> std::io::Result<()> {
    match mood {
        Mood::Document(document) => send(stream, 200, "", document.as_bytes()).await,
        Mood::Tagged(_, tag) if asked.header("if-none-match") == Some(tag) => send(stream, 304, "", b"").await,
        Mood::Tagged(document, tag) => {
            let headers = format!("ETag: {tag}\r\nLast-Modified: Sat, 05 Sep 2026 10:00:00 GMT\r\n");
            send(stream, 200, &headers, document.as_bytes()).await
        }
        Mood::Gzip(document) => {
            let mut packed = Vec::new();
            GzipEncoder::new(document.as_bytes()).read_to_end(&mut packed).await?;
            send(stream, 200, "Content-Encoding: gzip\r\n", &packed).await
        }
        Mood::Status(status, body) => send(stream, status, "", body.as_bytes()).await,
        Mood::Redirect(target) => send(stream, 302, &format!("Location: {target}\r\n"), b"").await,
        Mood::HangUp(document) => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", document.len());
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&document.as_bytes()[..document.len() / 2]).await?;
            stream.shutdown().await
        }
        Mood::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 209715200\r\n\r\n").await?;
            let mut left = 209_715_200_usize;
            while left > 0 {
                let sent = stream.write(&[b' '; 1 << 16][..left.min(1 << 16)]).await?;
                state.lock().expect("the state").endless += sent as u64;
                left -= sent;
            }
            Ok(())
        }
        Mood::Silent => {
            // Until the client gives up.
            stream.read_to_end(&mut Vec::new()).await.map(|_| ())
        }
    }
}

async fn send(stream: &mut TcpStream, status: u16, headers: &str, body: &[u8]) -> std::io::Result<()> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    stream.shutdown().await
}

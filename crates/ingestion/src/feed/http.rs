//! drupal.org's release histories over HTTP.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use module_monitor_domain::{Feed, ProjectName, ReleaseHistory};
use module_monitor_storage::Validators;
use reqwest::header::{ACCEPT, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response, StatusCode, Url};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::error::one_line;
use super::xml::DOCUMENT_LIMIT;
use super::{FeedAnswer, FeedError, FeedSource, parse_history};
use crate::{Chain, Clock};

/// Who asks.
const USER_AGENT: &str = concat!("module-monitor/", env!("CARGO_PKG_VERSION"));
/// How often a feed is asked before its answer counts as a failure.
const ATTEMPTS: u32 = 2;
/// How many addresses of the feed's own host are tried where each redirects to the next.
const REDIRECTS: u32 = 3;
/// How long a validator may be that is sent back, in bytes.
const VALIDATOR_LIMIT: usize = 500;

/// The address that release histories are found below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedUrl(Url);

impl FeedUrl {
    /// drupal.org's own.
    pub const DRUPAL_ORG: &str = "https://updates.drupal.org/release-history";

    fn is_local(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// The only addresses that are ever asked for: made of what cannot leave its place in a path.
    fn of(&self, project: &ProjectName, feed: Feed) -> Url {
        let mut url = self.0.clone();
        let path = format!("{}/{project}/{}", url.path().trim_end_matches('/'), feed.as_str());
        url.set_path(&path);
        url
    }
}

impl FromStr for FeedUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| error.to_string())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("it must begin with https:// or http://".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("it must end with its path; /PROJECT/current is appended".to_owned());
        }
        Ok(Self(url))
    }
}

/// How to ask for release histories.
#[derive(Clone, Debug)]
pub struct HttpFeedOptions {
    /// What they are found below.
    pub url: FeedUrl,
    /// The least time between two requests of any kind; a failed one is followed by a few times that.
    pub pause: Duration,
    /// How long an attempt may take until the last byte of its answer, redirects included.
    pub timeout: Duration,
}

/// Asks for release histories over HTTP: one request at a time with pauses between them, never another host than the
/// one it was told, twice where the first answer may have failed in passing.
pub struct HttpFeed {
    client: Client,
    options: HttpFeedOptions,
    clock: Arc<dyn Clock>,
    /// When the last request began. Held by whoever waits for his turn.
    last: Mutex<Option<Instant>>,
}

/// Why there is no usable answer.
struct Trouble {
    why: String,
    transient: bool,
}

impl HttpFeed {
    /// A source that paces itself by `clock`. Fails where the system cannot make HTTP requests at all.
    pub fn new(options: HttpFeedOptions, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        // Where the system has no certificates, plain HTTP works all the same, and HTTPS is a failure of its request.
        let client = builder(&options).build().or_else(|_| builder(&options).tls_certs_only([]).build())?;
        Ok(Self { client, options, clock, last: Mutex::default() })
    }

    async fn attempt(&self, project: &ProjectName, feed: Feed, known: &Validators) -> Result<FeedAnswer, Trouble> {
        let response = self.request(self.options.url.of(project, feed), &conditions(known)).await?;
        let status = response.status();
        if status == StatusCode::NOT_MODIFIED && *known != Validators::default() {
            return Ok(FeedAnswer::NotModified);
        }
        let refused = || Trouble { why: format!("the feed answers {status}"), transient: status.is_server_error() };
        if !status.is_success() && !status.is_client_error() {
            return Err(refused());
        }
        let validators = validators(response.headers());
        match self.read(response, feed).await? {
            Err(FeedError::NoHistory(found)) if found == project.as_str() => Ok(FeedAnswer::NoHistory),
            _ if !status.is_success() => Err(refused()),
            Ok(history) => self_consistent(history, project).map(|history| FeedAnswer::History(history, validators)),
            Err(error) => Err(error.into()),
        }
    }

    /// Asks, and follows redirects within the host.
    async fn request(&self, mut url: Url, conditions: &HeaderMap) -> Result<Response, Trouble> {
        for _ in 0..REDIRECTS {
            let response = self.client.get(url.clone()).headers(conditions.clone()).send().await?;
            let Some(next) = redirect(&url, &response)? else { return Ok(response) };
            url = next;
            self.wait_for_turn().await;
        }
        Err(Trouble::lasting("the feed redirects again and again"))
    }

    /// Waits until the pause since the last request is over.
    async fn wait_for_turn(&self) {
        let mut last = self.last.lock().await;
        if let Some(last) = *last {
            let passed = self.clock.instant().saturating_duration_since(last);
            tokio::time::sleep(self.options.pause.saturating_sub(passed)).await;
        }
        *last = Some(self.clock.instant());
    }

    /// Reads at most as much as a history may have.
    async fn read(&self, mut response: Response, feed: Feed) -> Result<Result<ReleaseHistory, FeedError>, Trouble> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if (body.len() + chunk.len()) as u64 > DOCUMENT_LIMIT {
                return Ok(Err(FeedError::TooLarge(DOCUMENT_LIMIT)));
            }
            body.extend_from_slice(&chunk);
        }
        let parsed = tokio::task::spawn_blocking(move || parse_history(&body[..], feed)).await;
        parsed.map_err(|_| Trouble::lasting("a bug: the answer made the parser panic"))
    }
}

#[async_trait]
impl FeedSource for HttpFeed {
    async fn fetch(&self, project: &ProjectName, feed: Feed, known: &Validators) -> FeedAnswer {
        let mut attempt = 1;
        loop {
            self.wait_for_turn().await;
            let answer = timeout(self.options.timeout, self.attempt(project, feed, known)).await;
            match answer.unwrap_or_else(|_| Err(Trouble::too_slow())) {
                Ok(answer) => return answer,
                Err(trouble) if trouble.transient && attempt < ATTEMPTS => {
                    tracing::debug!(%project, why = trouble.why, "the feed is asked again");
                    tokio::time::sleep(self.options.pause * 3).await;
                    attempt += 1;
                }
                Err(trouble) => return FeedAnswer::Failed(trouble.why),
            }
        }
    }
}

fn builder(options: &HttpFeedOptions) -> ClientBuilder {
    // What is on this machine is not behind a proxy.
    let builder = if options.url.is_local() { Client::builder().no_proxy() } else { Client::builder() };
    builder
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .connect_timeout(options.timeout.min(Duration::from_secs(10)))
}

fn self_consistent(history: ReleaseHistory, asked: &ProjectName) -> Result<Box<ReleaseHistory>, Trouble> {
    if history.project == *asked {
        return Ok(Box::new(history));
    }
    Err(FeedError::WrongProject { asked: asked.to_string(), found: history.project.to_string() }.into())
}

fn conditions(known: &Validators) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut insert = |name: HeaderName, value: &str| {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    };
    insert(ACCEPT, "application/xml, text/xml");
    known.etag.iter().for_each(|etag| insert(IF_NONE_MATCH, etag));
    known.last_modified.iter().for_each(|date| insert(IF_MODIFIED_SINCE, date));
    headers
}

fn validators(headers: &HeaderMap) -> Validators {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).filter(|v| v.len() <= VALIDATOR_LIMIT);
    Validators { etag: text(ETAG).map(str::to_owned), last_modified: text(LAST_MODIFIED).map(str::to_owned) }
}

/// Where `response` sends us; `None` where it is an answer. The host stays, and TLS is never given up.
fn redirect(asked: &Url, response: &Response) -> Result<Option<Url>, Trouble> {
    if !response.status().is_redirection() || response.status() == StatusCode::NOT_MODIFIED {
        return Ok(None);
    }
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let target = location.and_then(|location| asked.join(location).ok());
    let Some(target) = target else { return Err(Trouble::lasting("the feed redirects to nowhere")) };
    let same_port = target.port_or_known_default() == asked.port_or_known_default();
    let upgrade = asked.scheme() == "http" && target.scheme() == "https";
    if target.host() == asked.host() && (upgrade || target.scheme() == asked.scheme() && same_port) {
        return Ok(Some(target));
    }
    let place = target.host_str().unwrap_or_default();
    Err(Trouble::lasting(&format!("the feed redirects elsewhere, to {}://{place}", target.scheme())))
}

impl Trouble {
    fn lasting(why: &str) -> Self {
        Self { why: one_line(why), transient: false }
    }

    fn too_slow() -> Self {
        Self { why: "the feed does not answer in time".to_owned(), transient: true }
    }
}

impl From<FeedError> for Trouble {
    fn from(error: FeedError) -> Self {
        Self { why: error.to_string(), transient: error.is_transient() }
    }
}

impl From<reqwest::Error> for Trouble {
    /// What goes wrong between sending a request and the last byte of its answer.
    fn from(error: reqwest::Error) -> Self {
        let why = Chain(&error.without_url()).to_string();
        Self { why: one_line(&why), transient: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_made_of_the_base_the_project_and_the_feed_alone() {
        let of = |base: &str| {
            let project = ProjectName::parse("token").unwrap();
            base.parse::<FeedUrl>().unwrap().of(&project, Feed::Drupal7).to_string()
        };
        assert_eq!(of(FeedUrl::DRUPAL_ORG), "https://updates.drupal.org/release-history/token/7.x");
        assert_eq!(of("http://mirror.example:8080/"), "http://mirror.example:8080/token/7.x");
        assert_eq!(of("http://mirror.example/a/b//"), "http://mirror.example/a/b/token/7.x");
    }

    #[test]
    fn a_base_that_cannot_be_used_is_refused() {
        for text in ["", "updates.drupal.org", "ftp://x/y", "file:///etc", "https://x/?a=b", "https://x/#y", "https://"]
        {
            assert!(text.parse::<FeedUrl>().is_err(), "{text}");
        }
    }
}

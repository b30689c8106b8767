//! Sends the reports of the sample sites, and compares the answers with what follows from the sample lists.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use module_monitor_domain::{SiteName, SiteUrl};
use module_monitor_ingestion::{Clock, SyncResponse};
use module_monitor_storage::{SiteChange, Storage};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::releases;
use super::rounds::{Counts, Expected, Installation, ROUNDS, Round, Sending};
use super::samples::{Module, SAMPLES, Sample};
use crate::admin::{issue_key, register_site};
use crate::api::time::rfc3339;

/// The actor in the administrators' log.
const ACTOR: &str = "demo";

/// How long the server may take to answer a report.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A demo whose reports have all been answered.
pub(crate) struct Demo {
    pub(super) base: String,
    pub(super) now: OffsetDateTime,
    pub(super) admin_key: String,
    pub(super) sites: BTreeMap<&'static str, Site>,
    pub(super) exchanges: Vec<Exchange>,
}

/// A registered sample site.
pub(super) struct Site {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) installation: Installation,
}

/// A report and what became of it.
pub(super) struct Exchange {
    pub(super) round: &'static Round,
    pub(super) expected: Expected,
    pub(super) answer: Answer,
}

/// What the server answered.
pub(super) enum Answer {
    Applied(Box<SyncResponse>),
    Refused { status: u16, problem: Problem },
}

/// What matters here of an RFC 9457 body.
#[derive(Deserialize)]
pub(super) struct Problem {
    pub(super) code: String,
    pub(super) detail: String,
}

impl Demo {
    /// Registers the sample sites in `storage` and sends all of their reports to the server at `base`, such as
    /// `http://127.0.0.1:8080`. Fails where it gets no readable answer; [`Demo::check`] says whether it was the right
    /// one.
    pub(crate) async fn play(storage: &Arc<dyn Storage>, clock: Arc<dyn Clock>, base: &str) -> anyhow::Result<Self> {
        // A proxy of the environment is for the outside world, and so are the certificates of the system.
        let client = Client::builder().no_proxy().tls_certs_only([]).timeout(TIMEOUT).build()?;
        releases::import(storage, Arc::clone(&clock)).await?;
        let admin = issue_key(storage.as_ref(), clock.as_ref(), ACTOR, None, None, None).await?;
        let mut sites = BTreeMap::new();
        for sample in SAMPLES {
            let settings = SiteChange { url: Some(Some(SiteUrl::parse(sample.url)?)), ..SiteChange::default() };
            let name = SiteName::parse(sample.name)?;
            let (site, key) = register_site(storage.as_ref(), clock.as_ref(), ACTOR, name, settings).await?;
            let installation = Installation::new(sample)?;
            sites
                .insert(sample.name, Site { id: site.id.to_string(), key: key.text.reveal().to_owned(), installation });
        }
        let admin_key = admin.text.reveal().to_owned();
        let mut demo = Self { base: base.to_owned(), now: clock.now(), admin_key, sites, exchanges: Vec::new() };
        for round in &ROUNDS {
            let exchange = demo.exchange(&client, round).await;
            demo.exchanges.push(exchange.with_context(|| format!("round {}, {}", round.number, round.site.name))?);
        }
        Ok(demo)
    }

    async fn exchange(&mut self, client: &Client, round: &'static Round) -> anyhow::Result<Exchange> {
        let site = self.sites.get_mut(round.site.name).context("the site is not registered")?;
        let sending = site.installation.play(round);
        let body = body(round.site, &sending, self.now - time::Duration::hours(round.hours_ago));
        let url = format!("{}/api/v1/sites/{}/modules/sync", self.base, site.id);
        let response = client.post(url).header("X-API-Key", &site.key).json(&body).send().await?;
        let status = response.status();
        let answer = match status {
            StatusCode::OK => Answer::Applied(response.json().await?),
            _ => Answer::Refused { status: status.as_u16(), problem: response.json().await? },
        };
        Ok(Exchange { round, expected: sending.expected, answer })
    }

    /// Fails with every answer that is not what follows from the sample lists.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let wrong: Vec<String> = self.exchanges.iter().filter_map(Exchange::mismatch).collect();
        if !wrong.is_empty() {
            bail!("the server's answers are not those of the sample lists: {}", wrong.join("; "));
        }
        Ok(())
    }
}

impl Exchange {
    fn mismatch(&self) -> Option<String> {
        let Round { number, site, story, .. } = self.round;
        let (expected, answered) = (&self.expected, self.answered());
        (answered != expected.to_string()).then(|| {
            format!("round {number}, {} ({story}): expected {expected}, but it answered {answered}", site.name)
        })
    }

    /// The answer, in the words of [`Expected`].
    fn answered(&self) -> String {
        match &self.answer {
            Answer::Applied(applied) => Counts {
                processed: applied.processed_count,
                new: applied.new_modules,
                updated: applied.updated_modules,
                removed: applied.removed_modules,
                insecure: usize::try_from(applied.security_updates_found).unwrap_or_default(),
                unknown: usize::try_from(applied.security_unknown).unwrap_or_default(),
            }
            .to_string(),
            Answer::Refused { status, problem } => format!("{status} {}", problem.code),
        }
    }
}

/// The body of a report.
fn body(site: &Sample, sending: &Sending, at: OffsetDateTime) -> Value {
    json!({
        "site_info": {"name": site.name, "environment": "production", "url": site.url},
        "sync_timestamp": rfc3339(at),
        "sync_type": sending.sync_type,
        "drupal_version": sending.drupal,
        "php_version": site.php,
        "modules": sending.modules.iter().map(item).collect::<Vec<Value>>(),
    })
}

fn item(module: &Module) -> Value {
    json!({
        "machine_name": module.machine_name,
        "name": module.display_name(),
        "type": module.module_type,
        "version": module.version,
        "status": module.enabled,
        "project": module.project,
    })
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use module_monitor_ingestion::SystemClock;

    use super::*;
    use crate::config::ServerConfig;
    use crate::server::{RunningServer, Server};

    async fn played() -> (tempfile::TempDir, RunningServer, Demo) {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("demo.db").display());
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = Server::start(ServerConfig::new(any_port, url)).await.unwrap();
        let base = format!("http://{}", server.addr());
        let demo = Demo::play(server.storage(), Arc::new(SystemClock), &base).await.unwrap();
        (folder, server, demo)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_real_server_answers_as_the_sample_lists_say() {
        let (_folder, server, mut demo) = played().await;
        demo.check().unwrap();
        demo.exchanges[0].expected = Expected::Refused { status: 409, code: "stale-sync" };
        let wrong = demo.check().unwrap_err().to_string();
        assert!(wrong.contains("round 1, City portal (first full report): expected 409 stale-sync"), "{wrong}");
        server.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_it_shows_fits_100_columns() {
        let (_folder, server, demo) = played().await;
        let text = format!("{}\n{}", demo.table(), demo.remarks());
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        assert_eq!(demo.table().lines().count(), 2 + ROUNDS.len(), "no row is broken:\n{text}");
        server.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_it_suggests_works() {
        let (_folder, server, demo) = played().await;
        let client = Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let mut answers = Vec::new();
        for suggestion in demo.suggestions() {
            let command = suggestion.command(false);
            assert_eq!(command.lines().count(), 1, "{command}");
            let request = match suggestion.body {
                Some(body) => client.post(&suggestion.url).header("Content-Type", "application/json").body(body),
                None => client.get(&suggestion.url),
            };
            let answer = request.header("X-API-Key", &suggestion.key).send().await.unwrap();
            answers.push(answer.error_for_status().unwrap().json::<Value>().await.unwrap());
        }
        assert_eq!(answers[0]["updated_modules"], 1);
        assert_eq!(answers[1]["items"].as_array().unwrap().len(), 3);
        let history = answers[2]["items"].as_array().unwrap();
        let events: Vec<&str> = history.iter().filter_map(|entry| entry["event"].as_str()).collect();
        assert_eq!(events, ["restored", "removed", "version_changed", "installed"]);
        let insecure = answers[3]["items"].as_array().unwrap();
        assert_eq!(
            (insecure.len(), &insecure[0]["project"], &insecure[0]["recommended"]),
            (1, &json!("key_auth"), &json!("2.2.4"))
        );
        server.stop().await;
    }
}

//! `module-monitor releases`.

use std::fs::File;
use std::io::{self, BufReader};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use module_monitor_domain::{Feed, ProjectName, ReleaseHistory};
use module_monitor_ingestion::{
    CheckResult, Checked, Clock, FeedError, FeedTarget, FeedUrl, Refresher, ReleaseService, SystemClock,
    parse_any_history,
};
use module_monitor_storage::{Storage, StorageError, StoredHistory};
use serde::Serialize;

use super::database::DatabaseArgs;
use super::output::{print_json, print_line, print_table};
use super::progress::Progress;
use super::recount::recount_marked;
use super::values::{project, time_between};
use crate::config::ReleaseRefresh;

/// How many due feeds one run of `refresh` asks for at most; at one a second that takes hours.
const REFRESH_LIMIT: usize = 10_000;
/// How often it is looked whether another node has finished.
const TURN_POLL: Duration = Duration::from_millis(200);

const IMPORT_HELP: &str = "\
A file is what https://updates.drupal.org/release-history/PROJECT/current answers; for Drupal 7 it is
.../PROJECT/7.x. It replaces what is known of its project, and every site that runs it is judged anew.
A file that cannot be read is named, and the others are imported all the same.

Examples:
  module-monitor releases import drupal.xml token.xml
  curl -s https://updates.drupal.org/release-history/token/current | module-monitor releases import -";

const REFRESH_HELP: &str = "\
A running server does this by itself. It asks at most once a second, and only while no other node does.
What is known stays where drupal.org does not answer, or answers that it knows nothing.

Examples:
  module-monitor releases refresh                      everything that is due
  module-monitor releases refresh --project token      one project, whatever its schedule";

#[derive(Subcommand)]
pub(super) enum ReleasesCommand {
    /// Take in release histories from files
    #[command(after_help = IMPORT_HELP)]
    Import(ImportArgs),
    /// Ask drupal.org for release histories
    #[command(after_help = REFRESH_HELP)]
    Refresh(RefreshArgs),
}

#[derive(Args)]
pub(super) struct ImportArgs {
    /// Release histories in drupal.org's XML; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct RefreshArgs {
    /// Only this one, and at once
    #[arg(long, value_name = "NAME", value_parser = project)]
    project: Option<ProjectName>,
    #[command(flatten)]
    source: SourceArgs,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// How drupal.org is asked.
#[derive(Args)]
pub(super) struct SourceArgs {
    /// Where release histories are asked for; /PROJECT/current is appended
    #[arg(long, value_name = "URL", env = "MODULE_MONITOR_RELEASE_URL", default_value = FeedUrl::DRUPAL_ORG)]
    release_url: FeedUrl,
    /// How long a release history is good for before it is asked for again, give or take a tenth
    #[arg(long, value_name = "TIME", env = "MODULE_MONITOR_RELEASE_INTERVAL", default_value = "24h")]
    #[arg(value_parser = interval)]
    release_interval: Duration,
    /// The least time between two requests; drupal.org should not be asked more than once a second
    #[arg(long, value_name = "TIME", env = "MODULE_MONITOR_RELEASE_PAUSE", default_value = "1s")]
    #[arg(value_parser = pause)]
    release_pause: Duration,
}

impl From<SourceArgs> for ReleaseRefresh {
    fn from(args: SourceArgs) -> Self {
        Self { url: args.release_url, interval: args.release_interval, pause: args.release_pause }
    }
}

pub(super) async fn run(command: ReleasesCommand, database: &DatabaseArgs) -> anyhow::Result<()> {
    let storage = database.open().await?;
    match command {
        ReleasesCommand::Import(args) => import(args, storage).await,
        ReleasesCommand::Refresh(args) => refresh(args, storage).await,
    }
}

/// A file, and what came of it.
#[derive(Serialize)]
struct Imported {
    file: String,
    project: Option<String>,
    feed: Option<&'static str>,
    releases: Option<usize>,
    malformed: Option<u32>,
    changed: bool,
    error: Option<String>,
}

async fn import(args: ImportArgs, storage: Arc<dyn Storage>) -> anyhow::Result<()> {
    let service = ReleaseService::new(storage, Arc::new(SystemClock));
    let progress = Progress::of(args.files.len(), "import");
    let mut imported = Vec::with_capacity(args.files.len());
    for file in args.files {
        let file = import_file(file, &service).await?;
        progress.step(file.line());
        imported.push(file);
    }
    drop(progress);
    recount_marked(service.storage()).await?;
    if args.json {
        print_json(&imported)?;
    } else {
        let rows = imported.iter().map(Imported::row);
        print_table(["FILE", "PROJECT", "FEED", "RELEASES", "MALFORMED", "RESULT"], rows)?;
    }
    let failed: Vec<&str> = imported.iter().filter(|file| file.error.is_some()).map(|file| &*file.file).collect();
    if !failed.is_empty() {
        bail!("{} of {} files could not be imported: {}", failed.len(), imported.len(), failed.join(", "));
    }
    Ok(())
}

/// Reads and stores one file. Fails where the database does, not where the file does.
async fn import_file(file: String, service: &ReleaseService) -> Result<Imported, StorageError> {
    let history = match read(&file) {
        Ok(history) => history,
        Err(error) => return Ok(Imported::failed(file, error.to_string())),
    };
    let (project, feed, malformed) = (history.project.to_string(), history.feed, history.malformed);
    let stored = service.import(history).await?;
    Ok(Imported {
        file,
        project: Some(project),
        feed: Some(feed.as_str()),
        releases: Some(stored.releases),
        malformed: Some(malformed),
        changed: stored.changed,
        error: None,
    })
}

fn read(file: &str) -> Result<ReleaseHistory, FeedError> {
    if file == "-" {
        return parse_any_history(io::stdin().lock());
    }
    match File::open(file) {
        Ok(opened) => parse_any_history(BufReader::new(opened)),
        Err(error) => Err(FeedError::Read(error.to_string())),
    }
}

impl Imported {
    fn failed(file: String, error: String) -> Self {
        Self { file, project: None, feed: None, releases: None, malformed: None, changed: false, error: Some(error) }
    }

    fn result(&self) -> String {
        match &self.error {
            Some(error) => error.clone(),
            None => change(self.changed).to_owned(),
        }
    }

    fn line(&self) -> String {
        format!("{}: {}", self.file, self.result())
    }

    fn row(&self) -> [String; 6] {
        let (project, feed) = (self.project.clone().unwrap_or_default(), self.feed.unwrap_or_default().to_owned());
        let releases = self.releases.map(|n| n.to_string()).unwrap_or_default();
        let malformed = self.malformed.map(|n| n.to_string()).unwrap_or_default();
        [self.file.clone(), project, feed, releases, malformed, self.result()]
    }
}

/// A feed that was asked for, and what came of it.
#[derive(Serialize)]
struct Refreshed {
    project: String,
    feed: &'static str,
    outcome: &'static str,
    releases: Option<usize>,
    changed: bool,
    error: Option<String>,
}

async fn refresh(args: RefreshArgs, storage: Arc<dyn Storage>) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let settings = ReleaseRefresh::from(args.source);
    let refresher = settings.refresher(&storage, &clock).context("this system cannot make HTTP requests")?;
    let service = ReleaseService::new(Arc::clone(&storage), clock);
    let targets = match args.project {
        Some(project) => feeds_of(project, storage.as_ref()).await?,
        None => refresher.due(REFRESH_LIMIT).await?,
    };
    let asked = ask(&refresher, &targets).await;
    // Whatever came in before a failure is recounted, and others can go on.
    refresher.end_turn().await?;
    recount_marked(service.storage()).await?;
    let refreshed = asked?;
    if args.json {
        print_json(&refreshed)?;
    } else if refreshed.is_empty() {
        print_line("Nothing is due.")?;
    } else {
        print_table(["PROJECT", "FEED", "RELEASES", "RESULT"], refreshed.iter().map(Refreshed::row))?;
    }
    let failed = refreshed.iter().filter(|feed| feed.error.is_some()).count();
    if failed > 0 {
        bail!("{failed} of {} release histories could not be had; what is known stays", refreshed.len());
    }
    Ok(())
}

/// A project's feeds; one that no site uses has today's.
async fn feeds_of(project: ProjectName, storage: &dyn Storage) -> Result<Vec<FeedTarget>, StorageError> {
    let known = storage.project_feeds(&project).await?;
    if known.is_empty() {
        return Ok(vec![FeedTarget::new(project, Feed::Current)]);
    }
    Ok(known.into_iter().map(FeedTarget::from).collect())
}

async fn ask(refresher: &Refresher, targets: &[FeedTarget]) -> Result<Vec<Refreshed>, StorageError> {
    let progress = Progress::of(targets.len(), "refresh");
    let mut refreshed = Vec::with_capacity(targets.len());
    for target in targets {
        while !refresher.take_turn().await? {
            tokio::time::sleep(TURN_POLL).await;
        }
        let feed = Refreshed::from(refresher.check(target).await?);
        progress.step(feed.line());
        refreshed.push(feed);
    }
    Ok(refreshed)
}

impl From<Checked> for Refreshed {
    fn from(checked: Checked) -> Self {
        let outcome = checked.result.name();
        let (stored, error) = match checked.result {
            CheckResult::Fetched(stored) => (Some(stored), None),
            CheckResult::NotModified | CheckResult::NoHistory => (None, None),
            CheckResult::Failed(why) => (None, Some(why)),
        };
        Self {
            project: checked.project.to_string(),
            feed: checked.feed.as_str(),
            outcome,
            releases: stored.map(|stored: StoredHistory| stored.releases),
            changed: stored.is_some_and(|stored| stored.changed),
            error,
        }
    }
}

impl Refreshed {
    fn result(&self) -> String {
        match (&self.error, self.outcome) {
            (Some(error), _) => error.clone(),
            (None, "no_history") => "drupal.org has no releases of it".to_owned(),
            (None, _) => change(self.changed).to_owned(),
        }
    }

    fn line(&self) -> String {
        format!("{} {}: {}", self.project, self.feed, self.result())
    }

    fn row(&self) -> [String; 4] {
        let releases = self.releases.map(|n| n.to_string()).unwrap_or_default();
        [self.project.clone(), self.feed.to_owned(), releases, self.result()]
    }
}

fn change(changed: bool) -> &'static str {
    if changed { "changed" } else { "unchanged" }
}

fn interval(text: &str) -> Result<Duration, String> {
    time_between(text, "1s", "30d")
}

fn pause(text: &str) -> Result<Duration, String> {
    time_between(text, "0s", "1h")
}

//! Release histories in the form of drupal.org's feed, made up.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use module_monitor_ingestion::{Clock, ReleaseService, parse_any_history};
use module_monitor_storage::Storage;

const DAY: i64 = 86_400;

/// What a feed says of a project.
#[derive(Clone, Debug)]
pub struct Feed {
    project: String,
    project_type: String,
    status: String,
    support: String,
    releases: Vec<Release>,
}

#[derive(Clone, Debug)]
struct Release {
    version: String,
    status: &'static str,
    terms: Vec<&'static str>,
    date: i64,
}

impl Feed {
    /// When the newest release is dated, in Unix seconds; each older one is a day older.
    pub const NEWEST: i64 = 1_760_000_000;

    /// A published module whose branches, such as `8.x-1.,2.0.`, are supported. It has no releases yet.
    pub fn new(project: &str, branches: &str) -> Self {
        Self::with_support(project, format!("<supported_branches>{branches}</supported_branches>"))
    }

    /// A module as the feed of Drupal 7 has it; `majors` are the supported ones, the first of them recommended.
    pub fn drupal7(project: &str, majors: &str) -> Self {
        let recommended = majors.split(',').next().unwrap_or_default();
        let support = format!(
            "<api_version>7.x</api_version><recommended_major>{recommended}</recommended_major>\
             <supported_majors>{majors}</supported_majors><default_major>{recommended}</default_major>"
        );
        Self::with_support(project, support)
    }

    fn with_support(project: &str, support: String) -> Self {
        let kind = if project == "drupal" { "project_core" } else { "project_module" };
        Self {
            project: project.to_owned(),
            project_type: kind.to_owned(),
            status: "published".to_owned(),
            support,
            releases: Vec::new(),
        }
    }

    /// It is not a module: `project_theme`, `project_distribution`.
    pub fn of_type(mut self, project_type: &str) -> Self {
        project_type.clone_into(&mut self.project_type);
        self
    }

    /// The whole project is `insecure`, `unsupported`, `revoked` or `unpublished`.
    pub fn of_status(mut self, status: &str) -> Self {
        status.clone_into(&mut self.status);
        self
    }

    /// Another release, older than those before it, with these release types.
    pub fn release(mut self, version: &str, terms: &[&'static str]) -> Self {
        let age = i64::try_from(self.releases.len()).expect("few releases") * DAY;
        let release = Release {
            version: version.to_owned(),
            status: "published",
            terms: terms.to_vec(),
            date: Self::NEWEST - age,
        };
        self.releases.push(release);
        self
    }

    /// The last release was withdrawn.
    pub fn withdrawn(mut self) -> Self {
        self.releases.last_mut().expect("a release").status = "unpublished";
        self
    }

    /// The same with a security release in front, which makes all others insecure.
    pub fn fixed_by(mut self, version: &str) -> Self {
        for release in &mut self.releases {
            release.terms.push("Insecure");
        }
        let fix = Release {
            version: version.to_owned(),
            status: "published",
            terms: vec!["Security update"],
            date: self.releases.first().map_or(Self::NEWEST, |release| release.date + DAY),
        };
        self.releases.insert(0, fix);
        self
    }

    /// The document.
    pub fn xml(&self) -> String {
        let Self { project, project_type, status, support, releases } = self;
        let releases: String = releases.iter().map(|release| release.xml(project)).collect();
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
             <project xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n<title>The {project} project</title>\n\
             <short_name>{project}</short_name>\n<dc:creator>somebody</dc:creator>\n<type>{project_type}</type>\n\
             {support}\n<project_status>{status}</project_status>\n\
             <link>https://www.drupal.org/project/{project}</link>\n\
             <terms><term><name>Projects</name><value>Modules</value></term></terms>\n\
             <releases>\n{releases}</releases>\n</project>\n"
        )
    }

    /// Writes the document into `folder`, and says where.
    pub fn file(&self, folder: &Path) -> PathBuf {
        let path = folder.join(format!("{}.xml", self.project));
        std::fs::write(&path, self.xml()).expect("a file in the test's folder");
        path
    }
}

impl Release {
    fn xml(&self, project: &str) -> String {
        let Self { version, status, terms, date } = self;
        let files = format!("https://ftp.drupal.org/files/projects/{project}-{version}.tar.gz");
        let mut types = String::new();
        for term in terms {
            write!(types, "<term><name>Release type</name><value>{term}</value></term>").expect("memory");
        }
        let types = if types.is_empty() { types } else { format!("<terms>{types}</terms>") };
        format!(
            "<release><name>{project} {version}</name><version>{version}</version><tag>{version}</tag>\
             <status>{status}</status>\
             <release_link>https://www.drupal.org/project/{project}/releases/{version}</release_link>\
             <download_link>{files}</download_link><date>{date}</date>\
             <files><file><url>{files}</url><archive_type>tar.gz</archive_type><size>1</size>\
             <filedate>{date}</filedate></file></files>{types}\
             <security covered=\"1\">Covered by Drupal's security advisory policy</security>\
             <core_compatibility>^10 || ^11</core_compatibility></release>\n"
        )
    }
}

/// Imports what `feed` says as of `clock`, and recounts the sites that it changes something for.
pub async fn import(storage: &Arc<dyn Storage>, clock: Arc<dyn Clock>, feed: &Feed) {
    let history = parse_any_history(feed.xml().as_bytes()).expect("a history");
    let service = ReleaseService::new(Arc::clone(storage), clock);
    service.import(history).await.expect("it is stored");
    service.recount(|_| {}).await.expect("the figures follow");
}

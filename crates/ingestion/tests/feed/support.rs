//! Documents in the form of drupal.org's feed.

use std::fmt::Write;
use std::io::{self, BufReader, Read};

use module_monitor_domain::{Feed, ProjectName, ProjectStatus, Release, ReleaseHistory, ReleaseStatus, Support};
use module_monitor_ingestion::{FeedError, parse_history};
use quick_xml::escape::escape;

/// Parses `document` as the feed of today's Drupal.
pub(crate) fn parse(document: &str) -> Result<ReleaseHistory, FeedError> {
    parse_history(document.as_bytes(), Feed::Current)
}

/// A project with these elements beside its name.
pub(crate) fn project(elements: &str) -> String {
    format!(r#"<?xml version="1.0" encoding="utf-8"?><project><short_name>token</short_name>{elements}</project>"#)
}

/// A project with these releases.
pub(crate) fn releases(releases: &str) -> String {
    project(&format!("<releases>{releases}</releases>"))
}

/// A release of that version with these elements beside what every release has.
pub(crate) fn release(version: &str, elements: &str) -> String {
    format!(
        "<release><version>{version}</version><status>published</status>\
         <release_link>https://example.org/{version}</release_link>{elements}</release>"
    )
}

/// A history as drupal.org would write it.
pub(crate) fn written(history: &ReleaseHistory) -> String {
    let mut text = String::from(r#"<?xml version="1.0" encoding="utf-8"?>"#);
    text.push_str("\n<project xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n");
    element(&mut text, "short_name", Some(history.project.as_str()));
    element(&mut text, "api_version", (history.feed == Feed::Drupal7).then_some("7.x"));
    element(&mut text, "title", history.title.as_deref());
    text.push_str("<dc:title>not the title</dc:title>");
    element(&mut text, "type", history.project_type.as_deref());
    element(&mut text, "project_status", Some(history.status.as_str()));
    element(&mut text, "link", history.link.as_deref());
    element(&mut text, "supported_branches", history.support.branches.as_deref());
    element(&mut text, "supported_majors", history.support.majors.as_deref());
    element(&mut text, "recommended_major", history.support.recommended_major.as_deref());
    element(&mut text, "default_major", history.support.default_major.as_deref());
    text.push_str("<terms><term><name>Projects</name><value>Modules</value></term></terms>\n<releases>\n");
    history.releases.iter().for_each(|release| write_release(&mut text, release));
    text.push_str("</releases>\n</project>\n");
    text
}

fn write_release(text: &mut String, release: &Release) {
    text.push_str("<release>");
    element(text, "name", Some("any name"));
    element(text, "version", Some(&release.version));
    element(text, "status", Some(release.status.as_str()));
    element(text, "release_link", Some(&release.link));
    element(text, "date", release.date.map(|date| date.to_string()).as_deref());
    element(text, "core_compatibility", release.core_compatibility.as_deref());
    text.push_str("<files><file><version>not the version</version></file></files><terms>");
    let kinds = [
        (release.insecure, "Insecure"),
        (release.unsupported, "Unsupported"),
        (release.security_update, "Security update"),
        (true, "Bug fixes"),
    ];
    for (_, kind) in kinds.iter().filter(|(set, _)| *set) {
        write!(text, "<term><name>Release type</name><value>{kind}</value></term>").expect("memory");
    }
    text.push_str("</terms>");
    match release.covered {
        Some(true) => text.push_str(r#"<security covered="1">Covered</security>"#),
        Some(false) => text.push_str("<security>Beta releases are not covered.</security>"),
        None => {}
    }
    text.push_str("</release>\n");
}

fn element(text: &mut String, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        write!(text, "<{name}>{}</{name}>", escape(value)).expect("memory");
    }
}

/// The smallest history there is.
pub(crate) fn bare(releases: Vec<Release>) -> ReleaseHistory {
    ReleaseHistory { releases, ..ReleaseHistory::empty(ProjectName::parse("token").expect("a name"), Feed::Current) }
}

/// A release with nothing said of it.
pub(crate) fn plain(version: &str) -> Release {
    Release {
        version: version.to_owned(),
        status: ReleaseStatus::Published,
        date: None,
        link: format!("https://example.org/{version}"),
        insecure: false,
        unsupported: false,
        security_update: false,
        covered: None,
        core_compatibility: None,
    }
}

/// Everything that can be said of a project.
pub(crate) fn full() -> ReleaseHistory {
    ReleaseHistory {
        title: Some("Token & <friends>".to_owned()),
        project_type: Some("project_module".to_owned()),
        status: ProjectStatus::Unsupported,
        link: Some("https://www.drupal.org/project/token".to_owned()),
        support: Support { branches: Some("8.x-1.,2.0.".to_owned()), ..Support::default() },
        ..bare(vec![
            Release { date: Some(1_788_379_574), covered: Some(true), security_update: true, ..plain("2.0.1") },
            Release {
                insecure: true,
                status: ReleaseStatus::Unpublished,
                core_compatibility: Some("^9.5 || ^10".to_owned()),
                ..plain("2.0.0")
            },
            Release { unsupported: true, covered: Some(false), ..plain("8.x-1.0") },
        ])
    }
}

/// `head`, and then `filler` again and again until there are `length` bytes. Never held in memory.
pub(crate) fn endless(head: &str, filler: &'static str, length: u64) -> BufReader<impl Read> {
    let head = io::Cursor::new(head.as_bytes().to_vec());
    BufReader::new(head.chain(Repeat { filler: filler.as_bytes(), at: 0 }).take(length))
}

struct Repeat {
    filler: &'static [u8],
    at: usize,
}

impl Read for Repeat {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = (&self.filler[self.at..]).read(buffer)?;
        self.at = (self.at + read) % self.filler.len();
        Ok(read)
    }
}

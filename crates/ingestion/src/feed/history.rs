//! From XML to a release history.

use std::collections::HashMap;
use std::io::BufRead;

use module_monitor_domain::{Feed, ProjectName, ProjectStatus, Release, ReleaseHistory, ReleaseStatus, Support};

use super::error::{FeedError, one_line};
use super::xml::{Document, Element};

/// How many releases a history may have; Drupal's own has about 600.
const RELEASE_LIMIT: usize = 20_000;
/// How many terms a project or a release may have.
const TERM_LIMIT: usize = 100;

/// Reads what drupal.org answers for one project's `feed`, from the first byte to the last: at most 16 MiB in UTF-8
/// without a document type. Anything that is not a whole history of that feed is an error.
pub fn parse_history(document: impl BufRead, feed: Feed) -> Result<ReleaseHistory, FeedError> {
    parse(document, Some(feed))
}

/// Reads a history like [`parse_history`] and takes from it which feed it belongs to: that of Drupal 7 says so.
pub fn parse_any_history(document: impl BufRead) -> Result<ReleaseHistory, FeedError> {
    parse(document, None)
}

fn parse(source: impl BufRead, feed: Option<Feed>) -> Result<ReleaseHistory, FeedError> {
    let mut document = Document::new(source);
    let root = document.root()?;
    match root.name.as_str() {
        "project" => {
            let mut project = Project::default();
            project.read(&mut document)?;
            document.finish()?;
            project.into_history(feed)
        }
        "error" => {
            let said = document.text()?;
            document.finish()?;
            Err(FeedError::said(&said))
        }
        name => Err(FeedError::NotAHistory(format!("its root element is <{}>", one_line(name)))),
    }
}

/// The elements of a `<project>`, each with its text as it stands there. Where one is repeated, the last counts.
#[derive(Default)]
struct Project {
    short_name: Option<String>,
    title: Option<String>,
    project_type: Option<String>,
    status: Option<String>,
    link: Option<String>,
    api_version: Option<String>,
    support: Support,
    releases: Releases,
}

impl Project {
    fn read(&mut self, document: &mut Document<impl BufRead>) -> Result<(), FeedError> {
        while let Some(element) = document.child()? {
            let field = match element.name.as_str() {
                "releases" => {
                    self.releases.read(document)?;
                    continue;
                }
                "short_name" => &mut self.short_name,
                "title" => &mut self.title,
                "type" => &mut self.project_type,
                "project_status" => &mut self.status,
                "link" => &mut self.link,
                "api_version" => &mut self.api_version,
                "supported_branches" => &mut self.support.branches,
                "supported_majors" => &mut self.support.majors,
                "recommended_major" => &mut self.support.recommended_major,
                "default_major" => &mut self.support.default_major,
                _ => {
                    document.skip()?;
                    continue;
                }
            };
            *field = Some(document.text()?);
        }
        Ok(())
    }

    fn into_history(self, asked: Option<Feed>) -> Result<ReleaseHistory, FeedError> {
        let short_name = self.short_name.ok_or_else(|| FeedError::NotAHistory("it has no short_name".to_owned()))?;
        let project = ProjectName::parse(&short_name).map_err(|_| {
            FeedError::NotAHistory(format!("its short_name {:?} is not the name of a project", one_line(&short_name)))
        })?;
        Ok(ReleaseHistory {
            project,
            feed: feed_of(self.api_version.as_deref(), asked)?,
            title: not_blank(self.title),
            project_type: not_blank(self.project_type),
            status: self.status.and_then(|name| ProjectStatus::from_name(&name)).unwrap_or_default(),
            link: not_blank(self.link),
            support: self.support,
            malformed: self.releases.malformed(),
            releases: self.releases.entries.into_iter().flatten().collect(),
        })
    }
}

/// Only the old form has an `api_version`. A feed that was asked for may lack it, but must not contradict.
fn feed_of(api_version: Option<&str>, asked: Option<Feed>) -> Result<Feed, FeedError> {
    let asked_or = |feed| asked.unwrap_or(feed);
    let found = match api_version {
        None => return Ok(asked_or(Feed::Current)),
        Some("7.x") => Feed::Drupal7,
        Some(other) => {
            let asked = asked_or(Feed::Drupal7).as_str();
            return Err(FeedError::WrongFeed { asked, found: one_line(other) });
        }
    };
    match asked {
        Some(asked) if asked != found => {
            Err(FeedError::WrongFeed { asked: asked.as_str(), found: found.as_str().to_owned() })
        }
        _ => Ok(found),
    }
}

/// The releases in the order of the feed. Where a version is repeated, its last entry counts, in the place of the first.
#[derive(Default)]
struct Releases {
    /// `None` stands for one that is malformed.
    entries: Vec<Option<Release>>,
    places: HashMap<String, usize>,
    nameless: u32,
}

impl Releases {
    fn read(&mut self, document: &mut Document<impl BufRead>) -> Result<(), FeedError> {
        while let Some(element) = document.child()? {
            if element.name != "release" {
                document.skip()?;
                continue;
            }
            if self.entries.len() + self.nameless as usize == RELEASE_LIMIT {
                return Err(FeedError::TooMuch { what: "releases", limit: RELEASE_LIMIT, at: document.position() });
            }
            let draft = Draft::read(document)?;
            self.add(draft);
        }
        Ok(())
    }

    fn add(&mut self, draft: Draft) {
        let Some(version) = not_blank(draft.version.clone()) else {
            self.nameless += 1;
            return;
        };
        let release = draft.into_release();
        match self.places.get(&version) {
            Some(place) => self.entries[*place] = release,
            None => {
                self.places.insert(version, self.entries.len());
                self.entries.push(release);
            }
        }
    }

    fn malformed(&self) -> u32 {
        let unusable = self.entries.iter().filter(|entry| entry.is_none()).count();
        self.nameless + u32::try_from(unusable).unwrap_or(u32::MAX)
    }
}

/// The elements of a `<release>`.
#[derive(Default)]
struct Draft {
    version: Option<String>,
    status: Option<String>,
    date: Option<String>,
    link: Option<String>,
    download_link: Option<String>,
    core_compatibility: Option<String>,
    covered: Option<bool>,
    insecure: bool,
    unsupported: bool,
    security_update: bool,
}

impl Draft {
    fn read(document: &mut Document<impl BufRead>) -> Result<Self, FeedError> {
        let mut draft = Self::default();
        while let Some(element) = document.child()? {
            draft.take(&element, document)?;
        }
        Ok(draft)
    }

    fn take(&mut self, element: &Element, document: &mut Document<impl BufRead>) -> Result<(), FeedError> {
        let field = match element.name.as_str() {
            "terms" => return self.read_terms(document),
            "security" => {
                self.covered = Some(element.covered.as_deref() == Some("1"));
                return document.skip();
            }
            "version" => &mut self.version,
            "status" => &mut self.status,
            "date" => &mut self.date,
            "release_link" => &mut self.link,
            "download_link" => &mut self.download_link,
            "core_compatibility" => &mut self.core_compatibility,
            _ => return document.skip(),
        };
        *field = Some(document.text()?);
        Ok(())
    }

    fn read_terms(&mut self, document: &mut Document<impl BufRead>) -> Result<(), FeedError> {
        let mut terms = 0;
        while document.child()?.is_some() {
            terms += 1;
            if terms > TERM_LIMIT {
                return Err(FeedError::TooMuch { what: "terms", limit: TERM_LIMIT, at: document.position() });
            }
            let (name, value) = term(document)?;
            if name == "Release type" {
                self.insecure |= value == "Insecure";
                self.unsupported |= value == "Unsupported";
                self.security_update |= value == "Security update";
            }
        }
        Ok(())
    }

    /// The release; `None` where it is malformed.
    fn into_release(self) -> Option<Release> {
        let blank_download = self.download_link.is_some_and(|link| link.trim().is_empty());
        if blank_download {
            return None;
        }
        Some(Release {
            version: not_blank(self.version)?,
            status: ReleaseStatus::from_name(&self.status?)?,
            date: self.date.map(|text| number(&text).ok_or(())).transpose().ok()?,
            link: not_blank(self.link)?,
            insecure: self.insecure,
            unsupported: self.unsupported,
            security_update: self.security_update,
            covered: self.covered,
            core_compatibility: not_blank(self.core_compatibility),
        })
    }
}

fn term(document: &mut Document<impl BufRead>) -> Result<(String, String), FeedError> {
    let (mut name, mut value) = (String::new(), String::new());
    while let Some(element) = document.child()? {
        match element.name.as_str() {
            "name" => name = document.text()?,
            "value" => value = document.text()?,
            _ => document.skip()?,
        }
    }
    Ok((name, value))
}

/// What Drupal takes for a number, as a whole one.
fn number(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    // Not the words that Rust reads as numbers.
    let digits = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    let number: f64 = text.parse().ok().filter(|number: &f64| digits && number.is_finite())?;
    #[expect(clippy::cast_possible_truncation, reason = "beyond the limits it is as good as forever")]
    Some(number as i64)
}

fn not_blank(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

//! What an assessment is about, and what it says.

use module_monitor_domain::{
    DrupalVersion, Feed, ModuleType, ProjectName, ReleaseHistory, SiteModuleState, Standing, UnknownReason, is_dev,
    judge,
};

use crate::engine::read::json;

/// What a project's feed is asked about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) project: ProjectName,
    /// Empty where the site does not know it.
    pub(crate) version: String,
    /// -1 where there is none. Only dev releases have one, because no other is judged by it.
    pub(crate) datestamp: i64,
}

impl Key {
    pub(super) fn new(project: ProjectName, version: Option<&str>, datestamp: Option<i64>) -> Self {
        let datestamp = datestamp.filter(|_| version.is_some_and(is_dev)).unwrap_or(-1);
        Self { project, version: version.unwrap_or_default().to_owned(), datestamp }
    }

    /// The key of the assessment of what a site has of `project`.
    pub(crate) fn of(project: ProjectName, state: &SiteModuleState) -> Self {
        Self::new(project, state.version.as_ref().map(DrupalVersion::as_str), state.datestamp)
    }

    fn installed(&self) -> Option<&str> {
        Some(self.version.as_str()).filter(|version| !version.is_empty())
    }

    fn datestamp(&self) -> Option<i64> {
        Some(self.datestamp).filter(|datestamp| *datestamp >= 0)
    }

    /// What `history` says of it; `absent` where there is none because drupal.org has said that it knows no such project.
    pub(crate) fn judge(&self, history: Option<&ReleaseHistory>, absent: bool, feed: Feed) -> AssessmentWrite {
        let judgement = judge(history, &self.project, feed, self.installed(), self.datestamp());
        let needs_update = judgement.needs_security_update(self.installed());
        let standing = Standing {
            // What it is called makes no difference where a project judges it.
            module_type: ModuleType::Contrib,
            status: Some(judgement.status),
            needs_security_update: needs_update,
            not_on_drupal_org: absent,
            has_version: self.installed().is_some(),
            rejected: false,
            unidentified: false,
            missing: false,
        };
        let (class, reason) = standing.class();
        let release =
            history.and_then(|history| history.releases.iter().find(|r| Some(&*r.version) == self.installed()));
        AssessmentWrite {
            project: self.project.to_string(),
            version: self.version.clone(),
            datestamp: self.datestamp,
            sort_key: DrupalVersion::parse(&self.version).ok().map(|version| version.sort_key().to_owned()),
            status: judgement.status.as_str(),
            needs_update,
            class: class.as_str(),
            reason: reason.map(UnknownReason::as_str),
            covered: release.is_some_and(|release| release.covered == Some(true)),
            security_updates: json(&judgement.security_updates),
            recommended: judgement.recommended,
            core_compatibility: judgement.core_compatibility,
        }
    }
}

/// An assessment to insert.
pub(crate) struct AssessmentWrite {
    pub(super) project: String,
    pub(super) version: String,
    pub(super) datestamp: i64,
    pub(super) sort_key: Option<String>,
    pub(crate) status: &'static str,
    pub(crate) needs_update: bool,
    pub(crate) class: &'static str,
    pub(crate) reason: Option<&'static str>,
    pub(crate) covered: bool,
    pub(crate) security_updates: String,
    pub(crate) recommended: Option<String>,
    pub(crate) core_compatibility: Option<String>,
}

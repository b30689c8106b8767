//! Query parameters that bound versions: the question of an advisory night.

use module_monitor_domain::{ProjectName, Tag, VersionBound, VersionRange, branch_of, branch_start};
use module_monitor_storage::{Bounds, ProjectFeed};

use super::openapi::Operation;
use super::query::Query;
use crate::api::words::{self, one_of};

/// What a request says of versions.
pub(super) struct AskedVersions {
    versions: VersionRange,
    same_branch: bool,
}

impl AskedVersions {
    /// Takes `from`, `to`, `below` and `branch`.
    pub(super) fn take(query: &mut Query) -> Self {
        let mut bound = |name| query.take(name, "a Drupal version", |text| VersionBound::parse(text).ok());
        let (from, to, below) = (bound("from"), bound("to"), bound("below"));
        if to.is_some() && below.is_some() {
            query.complain("below", "invalid", "below cannot be given together with to".to_owned());
        }
        let upper = if below.is_some() { "below" } else { "to" };
        let range = match below {
            Some(below) => VersionRange::below(from, below),
            None => VersionRange::new(from, to),
        };
        let versions = range.unwrap_or_else(|error| {
            query.complain(upper, "invalid", format!("{upper}: {error}"));
            VersionRange::default()
        });
        let same_branch = query.take("branch", "same", |text| (text == "same").then_some(true)).unwrap_or(false);
        if same_branch && versions.to().is_none() {
            query.complain("branch", "invalid", "branch needs below or to, whose branch it means".to_owned());
        }
        Self { versions, same_branch }
    }

    /// The upper bound's feed decides what is a branch; `feeds` are those of `project`.
    pub(super) fn bounds(self, project: Option<&ProjectName>, feeds: &[ProjectFeed]) -> Bounds {
        let Self { versions, same_branch } = self;
        let feed = feeds.iter().find(|feed| Some(feed.feed) == versions.feed());
        let branches = feed.and_then(|feed| feed.support.branches.as_deref());
        let is_core = project == Some(&ProjectName::drupal());
        let branch_start = versions.to().map(|bound| branch_start(&branch_of(bound, branches, is_core)));
        Bounds { versions, branch_start, same_branch }
    }
}

/// Takes `tag`.
pub(super) fn take_tag(query: &mut Query) -> Option<Tag> {
    query.take("tag", Tag::RULE, |text| Tag::parse(text).ok())
}

impl Operation {
    /// Takes the parameters of [`AskedVersions`].
    pub(super) fn bounded(self) -> Self {
        self.query("below", "Only sites with a version lower than this one.", words::version())
            .query("from", "Only sites with this version or a higher one.", words::version())
            .query("to", "Only sites with this version or a lower one; not with `below`.", words::version())
            .query(
                "branch",
                "Only sites on the branch of `below` or `to`; `counts` still says how many others there are.",
                one_of(["same"]),
            )
    }

    /// Takes the parameter of [`take_tag`].
    pub(super) fn tagged(self) -> Self {
        self.query("tag", "Only sites with this tag.", words::tag())
    }
}

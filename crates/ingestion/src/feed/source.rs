//! Where release histories come from.

use async_trait::async_trait;
use module_monitor_domain::{Feed, ProjectName, ReleaseHistory};
use module_monitor_storage::Validators;

/// What came of asking for a release history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedAnswer {
    /// The history of the project that was asked for.
    History(Box<ReleaseHistory>, Validators),
    /// What the validators stand for is still what there is.
    NotModified,
    /// There is no release history of the project.
    NoHistory,
    /// No usable answer, and why, in one line. Says nothing of the project.
    Failed(String),
}

/// Something that can be asked for release histories.
#[async_trait]
pub trait FeedSource: Send + Sync {
    /// Asks for the history of `project` in `feed`; `known` stands for the one that is stored. Takes a bounded time. May
    /// be dropped at any moment.
    async fn fetch(&self, project: &ProjectName, feed: Feed, known: &Validators) -> FeedAnswer;
}

//! Why a release history cannot be had.

/// How much of what a feed says of its own failure is passed on, in characters.
const SAID: usize = 200;

/// Why a document is no release history that can be used. Every text is one line; `at` is an offset in bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// The feed knows no releases of the project, which it names.
    #[error("no release history was found for the project {0}")]
    NoHistory(String),
    /// The feed answers with an error of its own.
    #[error("the feed answers with an error: {0}")]
    Upstream(String),
    /// It is the history of another project.
    #[error("this is the release history of {found}, not of {asked}")]
    WrongProject {
        /// The project that was asked for.
        asked: String,
        /// The project it is about.
        found: String,
    },
    /// It is the other kind of feed.
    #[error("this is not the {asked} feed: its api_version is {found:?}")]
    WrongFeed {
        /// The feed that was asked for.
        asked: &'static str,
        /// What the document says.
        found: String,
    },
    /// It does not say whose history it is.
    #[error("this is no release history: {0}")]
    NotAHistory(String),
    /// It is larger than the largest feed can be.
    #[error("the document is larger than {} MiB", .0 >> 20)]
    TooLarge(u64),
    /// There is more of something than a feed can have.
    #[error("more than {limit} {what} before byte {at}")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// How much is accepted.
        limit: usize,
        /// Where it became too much.
        at: u64,
    },
    /// It brings a document type, and with it entities of its own.
    #[error("a DOCTYPE before byte {0}: document types are not accepted")]
    Doctype(u64),
    /// It refers to an entity that XML itself does not have.
    #[error("an unknown entity &{name}; before byte {at}")]
    Entity {
        /// The entity.
        name: String,
        /// Where.
        at: u64,
    },
    /// It is not in UTF-8.
    #[error("the document is not in UTF-8 but in {0}")]
    Encoding(String),
    /// It ends too early.
    #[error("the document ends at byte {0}, before its last element is closed")]
    Truncated(u64),
    /// It is not XML.
    #[error("broken XML at byte {at}: {why}")]
    Broken {
        /// What is wrong.
        why: String,
        /// Where.
        at: u64,
    },
    /// It cannot be read.
    #[error("the document cannot be read: {0}")]
    Read(String),
}

impl FeedError {
    /// Whether the document may have been damaged on its way, so that another attempt may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Truncated(_) | Self::Broken { .. } | Self::Read(_))
    }

    /// What the text of an `<error>` document means.
    pub(super) fn said(text: &str) -> Self {
        let text = one_line(text);
        let project = text.strip_prefix("No release history was found for the requested project (");
        match project.and_then(|rest| rest.split_once(')')) {
            Some((project, _)) => Self::NoHistory(project.to_owned()),
            None => Self::Upstream(text),
        }
    }
}

/// `text` as one short line without control characters.
pub(crate) fn one_line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(SAID) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

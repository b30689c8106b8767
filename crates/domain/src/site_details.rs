//! What a report says of a site's own copy of a module.

use serde::{Deserialize, Serialize};

use crate::{MachineName, names};

names! {
    /// How Composer brought a package to the site.
    pub enum CodeSource {
        /// An archive of a release.
        Dist = "dist",
        /// A checkout of its repository.
        Source = "source",
        /// A folder of the site itself.
        Path = "path",
    }
}

/// What only the site can say of a module: where its code is and how it came there. It is never taken from another
/// site's report. What was not sent is not written down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SiteDetails {
    /// The text that the site sent as the version although it is none, such as `VERSION` or `2.x`. It is never judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported_version: Option<String>,
    /// The folder of the extension, relative to Drupal's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The name of its Composer package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub composer_name: Option<String>,
    /// The version that Composer has of it, as Composer writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub composer_version: Option<String>,
    /// The commit or tag that Composer has of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub composer_reference: Option<String>,
    /// How Composer brought it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<CodeSource>,
    /// The theme that this theme builds on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_theme: Option<MachineName>,
    /// Whether Drupal keeps it out of its lists.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// Whether the site has it enabled without having its code.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub missing: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_sent_is_not_written_down() {
        let nothing = SiteDetails::default();
        assert_eq!(serde_json::to_string(&nothing).unwrap(), "{}");
        assert_eq!(serde_json::from_str::<SiteDetails>("{}").unwrap(), nothing);
    }

    #[test]
    fn everything_is_read_back() {
        let text = |text: &str| Some(text.to_owned());
        let all = SiteDetails {
            reported_version: text("2.x"),
            path: text("themes/custom/ours"),
            composer_name: text("drupal/ours"),
            composer_version: text("dev-main"),
            composer_reference: text("0a1b2c"),
            source: Some(CodeSource::Source),
            base_theme: Some(MachineName::parse("claro").unwrap()),
            hidden: true,
            missing: true,
        };
        let json = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<SiteDetails>(&json).unwrap(), all, "{json}");
    }
}

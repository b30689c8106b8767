//! What a report says of a site's own copy of a module.

use serde::{Deserialize, Serialize};

use crate::{DrupalVersion, MachineName, names};

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
    /// The theme that this theme builds on. It is no detail to the storage, which asks for it by itself.
    #[serde(skip)]
    pub base_theme: Option<MachineName>,
    /// Whether Drupal keeps it out of its lists.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// Whether the site has it enabled without having its code.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub missing: bool,
}

impl SiteDetails {
    /// The version that Composer has of it, as drupal.org names it: the reference of an archive is the tag of a release, and
    /// says `8.x-1.5` where Composer's own version is `1.5.0`. `None` where neither is a version.
    pub fn composer_release(&self) -> Option<DrupalVersion> {
        let reference = self.composer_reference.as_deref().filter(|_| self.source == Some(CodeSource::Dist));
        // Without a point it is a commit, be it all of digits.
        let versions = reference.into_iter().chain(self.composer_version.as_deref()).filter(|text| text.contains('.'));
        versions.filter_map(|version| DrupalVersion::parse(version).ok()).next()
    }
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
    fn composers_release_is_the_reference_of_an_archive_else_its_version() {
        let of = |source, reference: Option<&str>, version: Option<&str>| {
            let details = SiteDetails {
                source,
                composer_reference: reference.map(str::to_owned),
                composer_version: version.map(str::to_owned),
                ..SiteDetails::default()
            };
            details.composer_release().map(|version| version.to_string())
        };
        let (dist, source) = (Some(CodeSource::Dist), Some(CodeSource::Source));
        assert_eq!(of(dist, Some("8.x-1.5"), Some("1.5.0")).as_deref(), Some("8.x-1.5"));
        assert_eq!(of(dist, Some("0a1b2c3d4e"), Some("2.0.3")).as_deref(), Some("2.0.3"));
        assert_eq!(of(dist, Some("1234567890"), Some("2.0.3")).as_deref(), Some("2.0.3"));
        assert_eq!(of(source, Some("8.x-1.5"), Some("2.x-dev")).as_deref(), Some("2.x-dev"), "a commit is no release");
        assert_eq!(of(None, None, Some("3.1.0-beta2")).as_deref(), Some("3.1.0-beta2"));
        for (reference, version) in [(None, None), (Some("main"), Some("dev-main")), (None, Some("1.0.0.0"))] {
            assert_eq!(of(dist, reference, version), None);
        }
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
            base_theme: None,
            hidden: true,
            missing: true,
        };
        let json = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<SiteDetails>(&json).unwrap(), all, "{json}");
    }
}

//! The walk through a release history.

use time::OffsetDateTime;

use super::release_version::{ReleaseVersion, dev_branch, is_dev};
use super::supported::Supported;
use super::{Judgement, SecurityRelease, UpdateStatus};
use crate::{DrupalVersion, Feed, ProjectName, ProjectStatus, Release, ReleaseHistory, ReleaseStatus};

/// The date in an extension's info file and that of its release differ by a second or two; this much is one release.
const LEEWAY_SECONDS: i64 = 100;

/// Judges the `installed` version of a project by its release `history`, as Drupal's own Update module does.
///
/// Without a history (never fetched) nothing is known, except that Drupal 7 itself is out of support. `datestamp` is
/// when the installed code was packaged, in Unix seconds; only dev releases are judged by it. Takes time in proportion
/// to the number of releases.
pub fn judge(
    history: Option<&ReleaseHistory>,
    project: &ProjectName,
    feed: Feed,
    installed: Option<&str>,
    datestamp: Option<i64>,
) -> Judgement {
    // Its feed may say otherwise, be silent, or be gone: support ended in January 2025.
    let end_of_life = feed == Feed::Drupal7 && project.as_str() == "drupal";
    let else_status = |status| if end_of_life { UpdateStatus::NotSupported } else { status };
    let Some(history) = history else {
        return Judgement::bare(else_status(UpdateStatus::NotFetched));
    };
    if let Some(status) = status_of_project(history.status) {
        return Judgement::bare(status);
    }
    let parsed = installed.and_then(|text| Some((text, ReleaseVersion::parse(text, feed)?)));
    let Some((text, version)) = parsed.filter(|_| !history.releases.is_empty() || history.malformed > 0) else {
        return Judgement::bare(else_status(UpdateStatus::Unknown));
    };
    let mut walk = Walk::new(Supported::of(&history.support, feed), text, version, datestamp);
    if end_of_life {
        walk.status = Some(UpdateStatus::NotSupported);
    }
    for release in &history.releases {
        let Some(version) = ReleaseVersion::parse(&release.version, feed) else { continue };
        walk.visit(release, version);
        if release.version == text {
            break;
        }
    }
    walk.judgement()
}

/// The status that a project's own gives to all of its releases.
fn status_of_project(status: ProjectStatus) -> Option<UpdateStatus> {
    match status {
        ProjectStatus::Published => None,
        ProjectStatus::Insecure => Some(UpdateStatus::NotSecure),
        ProjectStatus::Unpublished | ProjectStatus::Revoked => Some(UpdateStatus::Revoked),
        ProjectStatus::Unsupported => Some(UpdateStatus::NotSupported),
    }
}

/// What has been seen on the way from the newest release to the installed one.
struct Walk<'a> {
    supported: Supported<'a>,
    installed: &'a str,
    /// Whether a dev release is installed.
    dev: bool,
    /// When the installed code was packaged; 0 is what Drupal writes where it does not know.
    datestamp: Option<i64>,
    /// The major version in which updates are looked for.
    target: u64,
    /// The status, as soon as something other than being up to date decides it.
    status: Option<UpdateStatus>,
    /// The first release of the target major.
    latest: Option<&'a Release>,
    /// The first dev release of the target major.
    latest_dev: Option<&'a Release>,
    /// The number being looked at (`1.6` of `1.6-beta2`), and the first release with it.
    number: Option<(String, &'a Release)>,
    recommended: Option<&'a Release>,
    security_updates: Vec<&'a Release>,
    /// Whether the last release that was looked at is supported.
    last_supported: bool,
}

impl<'a> Walk<'a> {
    fn new(supported: Supported<'a>, text: &'a str, installed: ReleaseVersion<'_>, datestamp: Option<i64>) -> Self {
        let ruled_out = supported.rules_out(text, &installed);
        let preferred = if ruled_out { supported.preferred_major() } else { None };
        Self {
            supported,
            installed: text,
            dev: is_dev(text),
            datestamp: datestamp.filter(|seconds| *seconds != 0),
            // Never a downgrade.
            target: preferred.unwrap_or(installed.major).max(installed.major),
            status: ruled_out.then_some(UpdateStatus::NotSupported),
            latest: None,
            latest_dev: None,
            number: None,
            recommended: None,
            security_updates: Vec::new(),
            last_supported: false,
        }
    }

    fn visit(&mut self, release: &'a Release, version: ReleaseVersion<'_>) {
        let supported = self.supported.contains(&release.version, &version) && !release.unsupported;
        self.last_supported = supported;
        let installed = release.version == self.installed;
        if installed {
            self.status = status_of_installed(release, supported).or(self.status);
        } else if !supported || release.insecure || release.status == ReleaseStatus::Unpublished {
            return;
        } else if version.is_dev() && release.date.is_none() {
            // A stub that lets issues be filed against the branch.
            return;
        }
        if version.major > self.target {
            // Also available, but not an update.
            return;
        }
        if version.major == self.target {
            self.consider(release, version, supported);
        }
        if !installed && release.security_update && self.is_newer_than_installed(release) {
            self.security_updates.push(release);
        }
    }

    /// Whether a release of the target major is the latest, the latest dev release or the recommended one.
    fn consider(&mut self, release: &'a Release, version: ReleaseVersion<'_>, supported: bool) {
        self.latest.get_or_insert(release);
        if version.is_dev() {
            self.latest_dev.get_or_insert(release);
        }
        if self.recommended.is_some() || !supported {
            return;
        }
        let number = match version.extra {
            // Drupal takes these for false: they stay part of the number.
            None | Some("" | "0") => release.version.clone(),
            Some(extra) => release.version.replace(&format!("-{extra}"), ""),
        };
        let first = match self.number.take() {
            Some((known, first)) if known == number => first,
            _ => release,
        };
        if version.extra.is_none() {
            self.recommended = Some(first);
        }
        self.number = Some((number, first));
    }

    /// Whether a release before the installed one in the feed is newer than it: with a dev release the dates decide.
    fn is_newer_than_installed(&self, release: &Release) -> bool {
        if !self.dev {
            return true;
        }
        self.datestamp.is_some_and(|datestamp| is_newer_by_date(release, datestamp))
    }

    /// Whether a release can be told to be older than the installed one: by their versions; where a release is of the
    /// branch that a dev release is of, by their dates.
    fn is_older_than_installed(&self, release: &Release) -> bool {
        let key = |text| DrupalVersion::parse(text).map(|version| version.sort_key().to_owned());
        let (Ok(release_key), Ok(installed_key)) = (key(&release.version), key(self.installed)) else { return false };
        if release_key >= installed_key {
            return false;
        }
        let same_branch = dev_branch(self.installed).is_some_and(|branch| release.version.starts_with(&branch));
        !same_branch || self.datestamp.is_some_and(|datestamp| !is_newer_by_date(release, datestamp))
    }

    fn judgement(self) -> Judgement {
        let recommended = self.recommended.or(self.latest.filter(|_| self.last_supported));
        let status = self.status.unwrap_or_else(|| self.status_by_version(recommended));
        // Drupal recommends the installed release where it has nothing better, and an older one where it knows none that
        // is newer. We recommend what is an improvement, or nothing.
        let sound = recommended.filter(|release| !release.insecure && !self.is_older_than_installed(release));
        // Nothing is left to do, so nothing is shown: what is listed is for another branch.
        let is_installed = recommended.is_some_and(|release| release.version == self.installed);
        let up_to_date = status == UpdateStatus::Current && is_installed;
        let shown = if up_to_date { Vec::new() } else { self.security_updates };
        Judgement {
            status,
            security_updates: shown.into_iter().map(security_release).collect(),
            recommended: sound.map(|release| release.version.clone()),
            core_compatibility: sound.and_then(|release| release.core_compatibility.clone()),
        }
    }

    /// The status of a version that nothing is wrong with.
    fn status_by_version(&self, recommended: Option<&Release>) -> UpdateStatus {
        let (Some(recommended), Some(latest)) = (recommended, self.latest) else {
            return UpdateStatus::Unknown;
        };
        let up_to_date = match self.datestamp {
            _ if !self.dev => [recommended, latest].iter().any(|release| release.version == self.installed),
            None => return UpdateStatus::NotChecked,
            Some(datestamp) => {
                let newest = self.latest_dev.and_then(|dev| dev.date).max(latest.date);
                newest.is_none_or(|date| datestamp.saturating_add(LEEWAY_SECONDS) > date)
            }
        };
        if up_to_date { UpdateStatus::Current } else { UpdateStatus::NotCurrent }
    }
}

/// Whether a release came out after the installed code was packaged. One without a date may have.
fn is_newer_by_date(release: &Release, datestamp: i64) -> bool {
    release.date.is_none_or(|date| date == 0 || datestamp.saturating_add(LEEWAY_SECONDS) <= date)
}

/// What is wrong with the installed release itself.
fn status_of_installed(release: &Release, supported: bool) -> Option<UpdateStatus> {
    if release.insecure {
        return Some(UpdateStatus::NotSecure);
    }
    if release.status == ReleaseStatus::Unpublished {
        return Some(UpdateStatus::Revoked);
    }
    (!supported).then_some(UpdateStatus::NotSupported)
}

fn security_release(release: &Release) -> SecurityRelease {
    SecurityRelease {
        version: release.version.clone(),
        released_at: release.released_at().filter(|at| *at > OffsetDateTime::UNIX_EPOCH),
        release_link: release.link.clone(),
    }
}

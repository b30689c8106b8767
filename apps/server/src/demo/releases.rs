//! What drupal.org says of one of the projects that the sample sites use.

use std::sync::Arc;

use module_monitor_domain::{Feed, ProjectName, Release, ReleaseHistory, ReleaseStatus, Support};
use module_monitor_ingestion::{Clock, ReleaseService};
use module_monitor_storage::Storage;

use Kind::{Insecure, Other, SecurityUpdate};

/// The project.
pub(super) const KNOWN: &str = "key_auth";

/// What a release is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It mends a security problem.
    SecurityUpdate,
    /// It has one.
    Insecure,
    /// Neither is known of it.
    Other,
}

/// Facts: its releases as of September 2026, newest first as the feed has them, with their dates in Unix seconds.
const RELEASES: [(&str, i64, Kind); 15] = [
    ("2.2.4", 1_788_964_110, SecurityUpdate),
    ("2.2.3", 1_786_481_268, Insecure),
    ("2.2.2", 1_786_399_497, Insecure),
    ("2.2.1", 1_786_394_372, Insecure),
    ("2.2.0", 1_722_170_641, Insecure),
    ("2.1.0", 1_676_961_217, Insecure),
    ("2.0.1", 1_642_497_574, Insecure),
    ("2.0.0", 1_642_050_208, Insecure),
    ("8.x-1.1", 1_590_498_044, Other),
    ("8.x-1.0", 1_524_056_284, Other),
    ("8.x-1.0-beta1", 1_523_043_180, Other),
    ("3.x-dev", 1_788_977_111, Other),
    ("2.0.x-dev", 1_757_134_011, Other),
    ("2.x-dev", 1_788_963_801, Other),
    ("8.x-1.x-dev", 1_669_194_041, Other),
];

/// The branch that is supported.
const BRANCHES: &str = "2.2.";

/// Whether that release of the project has a security problem.
pub(super) fn is_insecure(version: &str) -> bool {
    RELEASES.iter().any(|(known, _, kind)| *known == version && *kind == Insecure)
}

/// Imports what is known of it, as `releases import` does.
pub(super) async fn import(storage: &Arc<dyn Storage>, clock: Arc<dyn Clock>) -> anyhow::Result<()> {
    let service = ReleaseService::new(Arc::clone(storage), clock);
    service.import(history()?).await?;
    service.recount(|_| {}).await?;
    Ok(())
}

fn history() -> anyhow::Result<ReleaseHistory> {
    let empty = ReleaseHistory::empty(ProjectName::parse(KNOWN)?, Feed::Current);
    Ok(ReleaseHistory {
        title: Some("Key auth".to_owned()),
        project_type: Some("project_module".to_owned()),
        link: Some(format!("https://www.drupal.org/project/{KNOWN}")),
        support: Support { branches: Some(BRANCHES.to_owned()), ..Support::default() },
        releases: RELEASES.iter().map(|(version, date, kind)| release(version, *date, *kind)).collect(),
        ..empty
    })
}

fn release(version: &str, date: i64, kind: Kind) -> Release {
    Release {
        version: version.to_owned(),
        status: ReleaseStatus::Published,
        date: Some(date),
        link: format!("https://www.drupal.org/project/{KNOWN}/releases/{version}"),
        insecure: kind == Insecure,
        unsupported: false,
        security_update: kind == SecurityUpdate,
        covered: None,
        core_compatibility: None,
    }
}

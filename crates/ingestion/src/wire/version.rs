//! The field `version` of an item.

use module_monitor_domain::{DrupalVersion, ModuleType, ReportedVersion, VersionError};

use super::decode::Fields;
use super::json::{Kind, text};
use super::problems::Problems;

/// Decodes the version: `Some(None)` where it is `null`, `None` once the reason is among the problems. Custom code that
/// names no project may have any text as its version, since nobody judges it by that.
pub(super) fn read(fields: &Fields<'_>, problems: &mut Problems) -> Option<Option<ReportedVersion>> {
    let Some(version) = fields.nullable::<String>("version", problems)? else {
        return Some(None);
    };
    let of_nobody = fields.sent("project").is_none_or(|raw| Kind::of(raw) == Kind::Null);
    let free_text = of_nobody && fields.sent("type").and_then(text).as_deref() == Some(ModuleType::Custom.as_str());
    ReportedVersion::parse(&version, free_text)
        .map(Some)
        .map_err(|error| {
            let code = if matches!(error, VersionError::Malformed { .. }) { "format" } else { "length" };
            problems.add("version", code, || detail(&error, &version));
        })
        .ok()
}

/// What is wrong, and what to send instead.
fn detail(error: &VersionError, version: &str) -> String {
    let branch = version.strip_prefix("dev-").filter(|_| matches!(error, VersionError::Malformed { .. }));
    match branch.map(|branch| format!("{branch}-dev")) {
        Some(dev) if DrupalVersion::parse(&dev).is_ok() => {
            format!(
                "{version:?} is a Composer branch and not a Drupal version; send {dev}, as drupal.org writes it, or null"
            )
        }
        Some(_) => format!(
            "{version:?} is a Composer branch and not a Drupal version; send null, or the branch as drupal.org writes it, \
             such as 1.x-dev or 1.0.x-dev"
        ),
        None => {
            format!("{error}; send null where the site does not know it, as with a Composer branch such as dev-main")
        }
    }
}

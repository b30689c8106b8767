//! Which drupal.org project a site's module belongs to.

use crate::checked_text::checked_text;
use crate::{MachineName, ModuleType, NameError};

checked_text! {
    /// The short name of a drupal.org project: `^[a-z0-9_]{1,128}$`. Nothing else may ever reach a path or an address.
    ProjectName, project_name, NameError
}

impl ProjectName {
    /// Drupal itself, which all core modules belong to.
    pub fn drupal() -> Self {
        Self("drupal".to_owned())
    }
}

fn project_name(name: &str) -> Result<&str, NameError> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let fits = matches!(name.len(), 1..=128) && name.bytes().all(allowed);
    fits.then_some(name).ok_or(NameError::NotAProject)
}

/// The project that judges a module, from what its own site says of it: core modules belong to Drupal; otherwise the
/// project the site sent, else the one its drupal.org link names, else (contrib) its own name. Custom code has only the
/// project it sends. Names that are not project names are ignored.
pub fn owning_project(
    module_type: ModuleType,
    machine_name: &MachineName,
    sent: Option<&ProjectName>,
    project_link: Option<&str>,
) -> Option<ProjectName> {
    match module_type {
        ModuleType::Core => Some(ProjectName::drupal()),
        ModuleType::Custom => sent.cloned(),
        ModuleType::Contrib => sent
            .cloned()
            .or_else(|| project_link.and_then(project_of_link))
            .or_else(|| ProjectName::parse(machine_name.as_str()).ok()),
    }
}

/// The project named by a link such as `https://www.drupal.org/project/ctools`.
fn project_of_link(link: &str) -> Option<ProjectName> {
    let rest = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://"))?;
    let rest = rest.strip_prefix("www.").unwrap_or(rest).strip_prefix("drupal.org/project/")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    ProjectName::parse(&rest[..end]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(module_type: ModuleType, name: &str, sent: Option<&str>, link: Option<&str>) -> Option<String> {
        let name = MachineName::parse(name).unwrap();
        let sent = sent.map(|s| ProjectName::parse(s).unwrap());
        owning_project(module_type, &name, sent.as_ref(), link).map(|p| p.to_string())
    }

    #[test]
    fn core_is_always_judged_as_drupal() {
        assert_eq!(owner(ModuleType::Core, "views", Some("other"), None).as_deref(), Some("drupal"));
    }

    #[test]
    fn contrib_follows_what_is_sent_then_the_link_then_its_own_name() {
        let link = Some("https://www.drupal.org/project/ctools/releases");
        assert_eq!(owner(ModuleType::Contrib, "ctools_block", Some("sent"), link).as_deref(), Some("sent"));
        assert_eq!(owner(ModuleType::Contrib, "ctools_block", None, link).as_deref(), Some("ctools"));
        assert_eq!(owner(ModuleType::Contrib, "token", None, None).as_deref(), Some("token"));
        assert_eq!(owner(ModuleType::Contrib, "Token", None, None), None, "not a project name");
    }

    #[test]
    fn custom_code_has_only_the_project_it_sends() {
        assert_eq!(owner(ModuleType::Custom, "mine", None, Some("https://www.drupal.org/project/token")), None);
        assert_eq!(owner(ModuleType::Custom, "mine", Some("fork"), None).as_deref(), Some("fork"));
    }

    #[test]
    fn links_to_other_places_and_path_tricks_are_ignored() {
        for link in [
            "https://evil.example/project/token",
            "https://www.drupal.org.evil.example/project/token",
            "https://www.drupal.org/project/../user",
            "https://www.drupal.org/project/",
            "ftp://drupal.org/project/token",
        ] {
            assert_eq!(project_of_link(link), None, "{link}");
        }
        assert_eq!(
            project_of_link("http://drupal.org/project/token?x=1").map(|p| p.to_string()).as_deref(),
            Some("token")
        );
    }
}

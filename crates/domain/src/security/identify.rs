//! What an extension is, where its report leaves that open.

use crate::{
    ClaimedVersion, CoreClaim, CoreVerdict, CoreVersion, MachineName, ModuleType, ProjectName, SiteModuleState,
    core_verdict, is_contrib_path, names,
};

names! {
    /// What keeps the project that a report names from judging an extension.
    pub enum Identification {
        /// It is not what it is reported as, or is likely somebody else's code.
        Unidentified = "unidentified",
        /// It is enabled, and its code is not there.
        Missing = "missing",
        /// An administrator has said that it is the site's own, which counts while no project that drupal.org knows judges
        /// it.
        Own = "own",
    }
}

/// What an administrator has said of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It is the sites' own code.
    Own,
    /// It belongs to that project.
    Project(ProjectName),
}

/// A settlement, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// What was said.
    pub settlement: Settlement,
    /// Whether it was said of all sites at once.
    pub for_all: bool,
}

/// What others than the site know of an extension.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameKnowledge {
    /// Whether drupal.org has a project of its name.
    pub is_project: bool,
    /// Whether drupal.org has no release history of the project that the site names.
    pub not_on_drupal_org: bool,
    /// What an administrator has said of it; what was said for the site alone comes first.
    pub settled: Option<Settled>,
}

/// What an extension is, and which project judges it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identified {
    /// `None`: it is what it is reported as.
    pub identification: Option<Identification>,
    /// The project; `None` for core, for own code, and while there is doubt.
    pub project: Option<ProjectName>,
}

/// Tells what an extension is that a site with that `core` reports as `state`. A settlement speaks only for what would
/// otherwise be in doubt or is not on drupal.org, and one for all sites never calls own what its site reports as a
/// project's.
pub fn identify(name: &MachineName, state: &SiteModuleState, core: &CoreVersion, known: &NameKnowledge) -> Identified {
    if state.site_details.missing {
        return Identified { identification: Some(Identification::Missing), project: None };
    }
    match (state.module_type, &state.project) {
        (ModuleType::Core, _) if core_claim(name, state, core) == CoreVerdict::Core => Identified::default(),
        (ModuleType::Core, _) => settled_or_unidentified(known),
        (ModuleType::Custom, None) if is_doubtful(state, known) => settled_or_unidentified(known),
        (ModuleType::Custom, None) => Identified::default(),
        (ModuleType::Contrib | ModuleType::Custom, project) => of_project(name, project.as_ref(), known),
    }
}

/// Whether what a site calls core is that.
pub(crate) fn core_claim(name: &MachineName, state: &SiteModuleState, core: &CoreVersion) -> CoreVerdict {
    let details = &state.site_details;
    let version = match (&state.version, &details.reported_version) {
        (Some(version), _) => ClaimedVersion::Known(version),
        (None, Some(_)) => ClaimedVersion::NotRead,
        (None, None) => ClaimedVersion::Null,
    };
    core_verdict(&CoreClaim { machine_name: name, path: details.path.as_deref(), version }, core)
}

/// Whether custom code is likely not the site's own.
fn is_doubtful(state: &SiteModuleState, known: &NameKnowledge) -> bool {
    known.is_project || state.site_details.path.as_deref().is_some_and(is_contrib_path)
}

fn settled_or_unidentified(known: &NameKnowledge) -> Identified {
    match known.settled.as_ref().map(|settled| &settled.settlement) {
        None => Identified { identification: Some(Identification::Unidentified), project: None },
        Some(Settlement::Own) => Identified { identification: Some(Identification::Own), project: None },
        Some(Settlement::Project(project)) => Identified { identification: None, project: Some(project.clone()) },
    }
}

/// Code of a project that the site names, or that is called like it.
fn of_project(name: &MachineName, project: Option<&ProjectName>, known: &NameKnowledge) -> Identified {
    let as_reported = Identified { identification: None, project: project.cloned() };
    let Some(settled) = &known.settled else { return as_reported };
    let is_own_name = project.is_none_or(|project| project.as_str() == name.as_str());
    match &settled.settlement {
        // Whether drupal.org knows the project is looked at where classes are told: it may come to know it.
        Settlement::Own if !settled.for_all => Identified { identification: Some(Identification::Own), ..as_reported },
        Settlement::Project(other) if is_own_name && (known.not_on_drupal_org || project.is_none()) => {
            Identified { identification: None, project: Some(other.clone()) }
        }
        Settlement::Own | Settlement::Project(_) => as_reported,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DrupalVersion, Extension, SiteDetails};

    fn state(module_type: ModuleType, version: Option<&str>, project: Option<&str>) -> SiteModuleState {
        SiteModuleState {
            version: version.map(|version| DrupalVersion::parse(version).unwrap()),
            enabled: true,
            module_type,
            extension: Extension::Module,
            project: project.map(|project| ProjectName::parse(project).unwrap()),
            datestamp: None,
            schema_version: None,
            security_coverage: true,
            own_details: None,
            site_details: SiteDetails::default(),
        }
    }

    fn of(name: &str, state: &SiteModuleState, known: &NameKnowledge) -> (Option<&'static str>, Option<String>) {
        let (name, core) = (MachineName::parse(name).unwrap(), CoreVersion::parse("10.3.6").unwrap());
        let found = identify(&name, state, &core, known);
        (found.identification.map(Identification::as_str), found.project.map(|project| project.to_string()))
    }

    fn settled(project: Option<&str>, for_all: bool) -> Option<Settled> {
        let settlement = match project {
            None => Settlement::Own,
            Some(project) => Settlement::Project(ProjectName::parse(project).unwrap()),
        };
        Some(Settled { settlement, for_all })
    }

    #[test]
    fn custom_code_is_in_doubt_by_its_name_or_its_folder() {
        let custom = state(ModuleType::Custom, None, None);
        let nothing = NameKnowledge::default();
        assert_eq!(of("ours", &custom, &nothing), (None, None));
        let known = NameKnowledge { is_project: true, ..nothing.clone() };
        assert_eq!(of("ctools", &custom, &known), (Some("unidentified"), None));
        let mut there = custom.clone();
        there.site_details.path = Some("modules/contrib/ours".to_owned());
        assert_eq!(of("ours", &there, &nothing), (Some("unidentified"), None));
        let with_project = state(ModuleType::Custom, Some("1.0.0"), Some("ctools"));
        assert_eq!(of("ctools", &with_project, &known), (None, Some("ctools".to_owned())));
    }

    #[test]
    fn a_settlement_speaks_only_for_what_is_in_doubt() {
        let custom = state(ModuleType::Custom, None, None);
        let doubted = |settled| NameKnowledge { is_project: true, not_on_drupal_org: false, settled };
        assert_eq!(of("ctools", &custom, &doubted(settled(None, true))), (Some("own"), None));
        assert_eq!(of("ctools", &custom, &doubted(settled(Some("other"), false))), (None, Some("other".to_owned())));
        let undoubted = NameKnowledge { settled: settled(Some("other"), true), ..NameKnowledge::default() };
        assert_eq!(of("ours", &custom, &undoubted), (None, None));
        let sent = state(ModuleType::Custom, None, Some("sent"));
        let judged = Some("sent".to_owned());
        assert_eq!(of("ctools", &sent, &doubted(settled(Some("other"), false))), (None, judged.clone()));
        assert_eq!(
            of("ctools", &sent, &doubted(settled(None, false))),
            (Some("own"), judged),
            "where nothing judges it"
        );
    }

    #[test]
    fn own_for_all_never_covers_what_a_site_reports_as_contrib() {
        let contrib = state(ModuleType::Contrib, Some("1.0.0"), Some("acme"));
        let absent = |settled| NameKnowledge { is_project: false, not_on_drupal_org: true, settled };
        let acme = Some("acme".to_owned());
        assert_eq!(of("acme", &contrib, &absent(settled(None, true))), (None, acme.clone()));
        assert_eq!(of("acme", &contrib, &absent(settled(None, false))), (Some("own"), acme.clone()));
        assert_eq!(of("acme", &contrib, &absent(settled(Some("other"), true))), (None, Some("other".to_owned())));
        assert_eq!(of("acme_sub", &contrib, &absent(settled(Some("other"), true))), (None, acme.clone()));
        let there = NameKnowledge { settled: settled(Some("other"), false), ..NameKnowledge::default() };
        assert_eq!(of("acme", &contrib, &there), (None, acme.clone()));
        let of_site = NameKnowledge { settled: settled(None, false), ..NameKnowledge::default() };
        assert_eq!(
            of("acme_sub", &contrib, &of_site),
            (Some("own"), acme),
            "of which nothing is asked but its project"
        );
    }

    #[test]
    fn what_only_claims_to_be_core_is_unidentified_until_somebody_says_what_it_is() {
        let nothing = NameKnowledge::default();
        let node = state(ModuleType::Core, Some("10.3.6"), Some("drupal"));
        assert_eq!(of("node", &node, &nothing), (None, None));
        let old = state(ModuleType::Core, Some("9.5.0"), Some("drupal"));
        assert_eq!(of("node", &old, &nothing), (Some("unidentified"), None));
        let known = NameKnowledge { settled: settled(Some("fork"), false), ..nothing };
        assert_eq!(of("node", &old, &known), (None, Some("fork".to_owned())));
        assert_eq!(of("node", &node, &known), (None, None));
    }

    #[test]
    fn what_is_missing_is_nobodys() {
        let mut gone = state(ModuleType::Contrib, None, Some("token"));
        gone.site_details.missing = true;
        let known = NameKnowledge { settled: settled(None, false), ..NameKnowledge::default() };
        assert_eq!(of("token", &gone, &known), (Some("missing"), None));
    }
}

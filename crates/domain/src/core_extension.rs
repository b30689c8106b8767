//! What is Drupal core's, and what is only called so.

use std::cmp::Ordering;

use crate::{CoreVersion, DrupalVersion, MachineName, ModuleType, ProjectName, ReportedModule};

/// The names of the modules, themes, profiles and test extensions of Drupal 7 to [`NEWEST`], one a line and sorted, each
/// with the majors that have it: `action 8-10`, `announcements_feed 7,10-11`.
const NAMES: &str = include_str!("../data/core_extensions.txt");

/// The newest minor whose extensions are in the table.
const NEWEST: (u32, u32) = (11, 4);

/// The profiles of Drupal 7. Other profiles lie beside them.
const DRUPAL_7_PROFILES: [&str; 3] = ["minimal", "standard", "testing"];

/// What a report says of an extension that it calls core.
#[derive(Clone, Copy, Debug)]
pub struct CoreClaim<'a> {
    /// The name it is known by.
    pub machine_name: &'a MachineName,
    /// Where it is, relative to Drupal's folder; `None` where that is not sent.
    pub path: Option<&'a str>,
    /// Its version.
    pub version: ClaimedVersion<'a>,
}

/// The version that a report gives an extension that it calls core.
#[derive(Clone, Copy, Debug)]
pub enum ClaimedVersion<'a> {
    /// A version.
    Known(&'a DrupalVersion),
    /// `null`. Drupal knows the version of whatever is its own.
    Null,
    /// A text that stands for a version, such as the constant `VERSION` in the info files of a git checkout.
    NotRead,
}

/// Whether an extension that is called core is core's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoreVerdict {
    /// It is, as far as can be told.
    Core,
    /// It is not in one of core's folders.
    OtherPath,
    /// It has no version, or not that of the site's core.
    OtherVersion,
    /// The site's core has no extension of that name.
    OtherName,
}

/// Tells whether an extension that a report calls core belongs to the `core` of the site. Where neither its path nor its
/// version can be looked at, its name decides, unless core is newer than the names that are known.
pub fn core_verdict(claim: &CoreClaim<'_>, core: &CoreVersion) -> CoreVerdict {
    if claim.path.is_some_and(|path| !is_core_path(path, claim.machine_name, core)) {
        return CoreVerdict::OtherPath;
    }
    match claim.version {
        ClaimedVersion::Null => CoreVerdict::OtherVersion,
        ClaimedVersion::Known(version) if !is_version_of(version, core) => CoreVerdict::OtherVersion,
        ClaimedVersion::NotRead if claim.path.is_none() && !may_have(core, claim.machine_name) => {
            CoreVerdict::OtherName
        }
        ClaimedVersion::Known(_) | ClaimedVersion::NotRead => CoreVerdict::Core,
    }
}

/// Takes a module for core's that a Drupal 7 from git reports as custom code: there nothing but its package says so.
pub(crate) fn recognise_git(module: &mut ReportedModule, core: &CoreVersion) {
    let unclaimed = module.module_type == ModuleType::Custom && module.project.is_none();
    if core.major() != Some(7) || !unclaimed || module.details.package.as_deref() != Some("Core") {
        return;
    }
    let is_core = match module.site_details.path.as_deref() {
        Some(path) => is_core_path(path, &module.machine_name, core),
        None => is_core_name(&module.machine_name, 7),
    };
    let other_version = module.version.as_ref().is_some_and(|version| !is_version_of(version, core));
    if is_core && !other_version {
        module.module_type = ModuleType::Core;
        module.project = Some(ProjectName::drupal());
        module.version = DrupalVersion::parse(core.as_str()).ok();
        module.site_details.reported_version = None;
    }
}

/// Whether `path`, relative to Drupal's folder, is in one of the folders where `core` has its own extensions. In those of
/// Drupal 7 other code may lie too, so that there the name has to be one of core's.
pub fn is_core_path(path: &str, machine_name: &MachineName, core: &CoreVersion) -> bool {
    let folders: Vec<&str> = path.split('/').filter(|folder| !matches!(*folder, "" | ".")).collect();
    if path.starts_with('/') || folders.contains(&"..") {
        return false;
    }
    match (folders.as_slice(), core.major()) {
        (["modules" | "themes", _, ..], Some(7)) => is_core_name(machine_name, 7),
        (["profiles", profile, ..], Some(7)) => DRUPAL_7_PROFILES.contains(profile) && is_core_name(machine_name, 7),
        (_, Some(7)) => false,
        (folders, _) => matches!(folders, ["core", "modules" | "themes" | "profiles" | "tests", _, ..]),
    }
}

/// Whether `path` is in a folder `contrib`, where sites put the code that is from drupal.org.
pub fn is_contrib_path(path: &str) -> bool {
    path.split('/').any(|folder| folder == "contrib")
}

/// The type under which the registry knows a module that a site reports first, until drupal.org's data or an administrator
/// says better: the name decides what is core's, not whoever comes first.
pub fn registry_type(machine_name: &MachineName, reported: ModuleType) -> ModuleType {
    // What only Drupal 7 has lives on as other modules, some of them of the same names.
    let of_today = majors(machine_name.as_str()).any(|(_, last)| last >= 8);
    match reported {
        _ if of_today => ModuleType::Core,
        ModuleType::Core if !is_core_name(machine_name, 7) => ModuleType::Contrib,
        reported => reported,
    }
}

/// Whether the Drupal cores of that major have, or had, an extension of the name, as far as the table goes (7 to 11.4).
pub fn is_core_name(machine_name: &MachineName, major: u32) -> bool {
    majors(machine_name.as_str()).any(|(from, to)| (from..=to).contains(&major))
}

/// Whether a core may have an extension of the name: one that is newer than the table may have any.
fn may_have(core: &CoreVersion, machine_name: &MachineName) -> bool {
    let mut numbers = core.as_str().split(['.', '-']).map(|number| number.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor) > NEWEST || is_core_name(machine_name, major),
        _ => true,
    }
}

/// Whether a version is that of a core. The info files of a packaged dev release name its branch (`10.4.x-dev`), where
/// core itself says `10.4.7-dev`.
fn is_version_of(version: &DrupalVersion, core: &CoreVersion) -> bool {
    let (version, core) = (version.as_str(), core.as_str());
    let branch = version.strip_suffix("x-dev");
    version == core || branch.is_some_and(|branch| core.ends_with("-dev") && core.starts_with(branch))
}

/// The first and last major of each run of majors that have an extension of the name.
fn majors(name: &str) -> impl Iterator<Item = (u32, u32)> {
    lookup(name).unwrap_or_default().split(',').filter_map(|run| {
        let (from, to) = run.split_once('-').unwrap_or((run, run));
        Some((from.parse().ok()?, to.parse().ok()?))
    })
}

/// What the table says of a name, by halving what is left of it: the lines are of different lengths, so each step looks at
/// the line around the middle.
fn lookup(name: &str) -> Option<&'static str> {
    let mut rest = NAMES;
    while !rest.is_empty() {
        let middle = rest.floor_char_boundary(rest.len() / 2);
        let start = rest[..middle].rfind('\n').map_or(0, |end| end + 1);
        let (before, from) = rest.split_at(start);
        let (line, after) = from.split_once('\n')?;
        let (found, majors) = line.split_once(' ')?;
        match name.cmp(found) {
            Ordering::Less => rest = before,
            Ordering::Greater => rest = after,
            Ordering::Equal => return Some(majors),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> MachineName {
        MachineName::parse(text).unwrap()
    }

    fn core(text: &str) -> CoreVersion {
        CoreVersion::parse(text).unwrap()
    }

    #[test]
    fn a_drupal_7_from_git_has_core_modules_without_a_project() {
        let core = CoreVersion::parse("7.103").unwrap();
        let of = |name: &str, package: &str, path: Option<&str>, version: Option<&str>| {
            let mut module = ReportedModule {
                machine_name: MachineName::parse(name).unwrap(),
                module_type: ModuleType::Custom,
                extension: crate::Extension::Module,
                version: version.map(|version| DrupalVersion::parse(version).unwrap()),
                enabled: true,
                project: None,
                datestamp: None,
                schema_version: None,
                security_coverage: true,
                details: crate::ModuleDetails { package: Some(package.to_owned()), ..Default::default() },
                site_details: crate::SiteDetails {
                    path: path.map(str::to_owned),
                    reported_version: version.is_none().then(|| "VERSION".to_owned()),
                    ..Default::default()
                },
            };
            recognise_git(&mut module, &core);
            module
        };
        for node in [of("node", "Core", Some("modules/node"), None), of("node", "Core", None, Some("7.103"))] {
            assert_eq!((node.module_type, node.project), (ModuleType::Core, Some(ProjectName::drupal())));
            let details = (node.version.unwrap().to_string(), node.site_details.reported_version);
            assert_eq!(details, ("7.103".to_owned(), None), "there is nothing to warn about");
        }
        for other in [
            of("node", "Core", Some("sites/all/modules/node"), None),
            of("ours", "Core", None, None),
            of("node", "Ours", Some("modules/node"), None),
            of("node", "Core", Some("modules/node"), Some("7.50")),
        ] {
            assert_eq!(other.module_type, ModuleType::Custom, "{other:?}");
        }
    }

    #[test]
    fn the_registry_goes_by_the_name_and_not_by_whoever_comes_first() {
        let of = |name: &str, reported| registry_type(&MachineName::parse(name).unwrap(), reported);
        for reported in ModuleType::ALL {
            assert_eq!(of("views", reported), ModuleType::Core, "{reported}");
        }
        assert_eq!(of("token", ModuleType::Core), ModuleType::Contrib);
        assert_eq!(of("token", ModuleType::Custom), ModuleType::Custom);
        assert_eq!(of("overlay", ModuleType::Core), ModuleType::Core);
    }

    #[test]
    fn every_name_of_the_table_is_found_and_nothing_beside_it() {
        let lines: Vec<(&str, &str)> = NAMES.lines().map(|line| line.split_once(' ').unwrap()).collect();
        assert!(lines.is_sorted_by(|one, next| one.0 < next.0), "sorted, and every name once");
        assert!(NAMES.ends_with('\n'));
        assert_eq!(lines.len(), 885);
        for (known, majors) in lines {
            assert_eq!(lookup(known), Some(majors), "{known}");
            assert_eq!(lookup(&format!("{known}_")), None, "{known}");
            assert_eq!(MachineName::parse(known).unwrap().as_str(), known);
            let runs: Vec<(u32, u32)> = super::majors(known).collect();
            assert_eq!(runs.len(), majors.split(',').count(), "{known}");
            assert!(runs.iter().all(|(from, to)| 7 <= *from && from <= to && *to <= NEWEST.0), "{known}");
        }
        for unknown in ["", "a", "zzz", "views_", "token", "é"] {
            assert_eq!(lookup(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn names_are_those_of_a_major() {
        for (text, in_majors) in [
            ("node", &[7, 8, 9, 10, 11][..]),
            ("views", &[8, 9, 10, 11]),
            ("blog", &[7]),
            ("color", &[7, 8, 9, 10]),
            ("ckeditor5", &[9, 10, 11]),
            ("olivero", &[9, 10, 11]),
            ("standard", &[7, 8, 9, 10, 11]),
            ("announcements_feed", &[7, 10, 11]),
            ("node_access_test", &[7, 8, 9, 10, 11]),
            ("token", &[]),
        ] {
            let found: Vec<u32> = (6..=12).filter(|major| is_core_name(&name(text), *major)).collect();
            assert_eq!(found, in_majors, "{text}");
        }
    }

    #[test]
    fn core_has_folders_of_its_own() {
        let in_core = |path, machine_name, version| is_core_path(path, &name(machine_name), &core(version));
        for path in ["core/modules/node", "core/themes/olivero", "./core/profiles/standard/", "core/modules/a/tests/b"]
        {
            assert!(in_core(path, "node", "10.3.6"), "{path}");
        }
        for path in [
            "modules/contrib/token",
            "modules/node",
            "core/modules",
            "core/contrib/x",
            "core/modules/../../modules/x",
            "/core/modules/node",
            "sites/all/core/modules/node",
            "Core/Modules/node",
            "",
        ] {
            assert!(!in_core(path, "node", "10.3.6"), "{path}");
        }
        for (path, machine_name) in [
            ("modules/node", "node"),
            ("modules/simpletest/tests/ajax_test", "ajax_test"),
            ("themes/bartik", "bartik"),
            ("profiles/standard", "standard"),
        ] {
            assert!(in_core(path, machine_name, "7.103"), "{path}");
        }
        for (path, machine_name) in [
            ("modules/views", "views"),
            ("sites/all/modules/node", "node"),
            ("profiles/commons", "commons"),
            ("profiles/commons/modules/node", "node"),
            ("profiles/standard/modules/token", "token"),
            ("core/modules/node", "node"),
            ("modules", "node"),
        ] {
            assert!(!in_core(path, machine_name, "7.103"), "{path}");
        }
    }

    #[test]
    fn contrib_is_a_folder_anywhere() {
        for path in ["modules/contrib/token", "sites/all/modules/contrib/x", "contrib", "themes/contrib/a/b"] {
            assert!(is_contrib_path(path), "{path}");
        }
        for path in ["modules/token", "modules/contributed/x", "modules/my_contrib", "modules/Contrib/x", ""] {
            assert!(!is_contrib_path(path), "{path}");
        }
    }

    /// What becomes of a claim; the version is `-` for null and `VERSION` for what could not be read.
    fn verdict(machine_name: &str, path: Option<&str>, version: &str, of: &str) -> CoreVerdict {
        let known = DrupalVersion::parse(version);
        let version = match (&known, version) {
            (Ok(known), _) => ClaimedVersion::Known(known),
            (_, "-") => ClaimedVersion::Null,
            _ => ClaimedVersion::NotRead,
        };
        core_verdict(&CoreClaim { machine_name: &name(machine_name), path, version }, &core(of))
    }

    #[test]
    fn what_is_called_core_is_core_by_its_path_and_version() {
        use CoreVerdict::{Core, OtherPath, OtherVersion};
        for (path, version, expected) in [
            (None, "10.3.6", Core),
            (Some("core/modules/node"), "10.3.6", Core),
            (Some("core/modules/node"), "VERSION", Core),
            (Some("modules/contrib/node"), "10.3.6", OtherPath),
            (Some("modules/contrib/node"), "-", OtherPath),
            (Some("core/modules/node"), "10.3.5", OtherVersion),
            (Some("core/modules/node"), "-", OtherVersion),
            (None, "-", OtherVersion),
            (None, "10.3.5", OtherVersion),
            (None, "8.x-1.0", OtherVersion),
            (None, "10.3.x-dev", OtherVersion),
        ] {
            assert_eq!(verdict("node", path, version, "10.3.6"), expected, "{path:?} {version}");
        }
        assert_eq!(verdict("node", Some("modules/node"), "7.103", "7.103"), Core, "Drupal 7 from git");
        assert_eq!(verdict("token", Some("modules/token"), "7.103", "7.103"), OtherPath);
    }

    #[test]
    fn a_packaged_dev_release_of_core_names_its_branch() {
        assert_eq!(verdict("node", None, "10.4.x-dev", "10.4.7-dev"), CoreVerdict::Core);
        assert_eq!(verdict("node", None, "7.x-dev", "7.104-dev"), CoreVerdict::Core);
        assert_eq!(verdict("node", None, "10.3.x-dev", "10.4.7-dev"), CoreVerdict::OtherVersion);
    }

    #[test]
    fn without_path_and_version_the_name_decides_while_the_table_knows_the_core() {
        use CoreVerdict::{Core, OtherName};
        for (machine_name, of, expected) in [
            ("node", "11.4.5", Core),
            ("token", "11.4.5", OtherName),
            ("token", "7.103", OtherName),
            // Since it left core, color is a project of its own.
            ("color", "10.6.1", Core),
            ("color", "11.2.0", OtherName),
            ("token", "11.5.0", Core),
            ("token", "12.0.0", Core),
            ("token", "11.4-dev", OtherName),
            ("token", "11.5-dev", Core),
        ] {
            assert_eq!(verdict(machine_name, None, "VERSION", of), expected, "{machine_name} on {of}");
        }
    }
}

//! The sample sites: facts about public Drupal sites, under other names.

use std::collections::BTreeMap;

use anyhow::{Context, bail};

use super::releases::{KNOWN, is_insecure};

/// A site of the demo, as it is before its first report.
pub(super) struct Sample {
    /// What people call it.
    pub(super) name: &'static str,
    /// Its address; it leads nowhere.
    pub(super) url: &'static str,
    /// Its Drupal version.
    pub(super) drupal: &'static str,
    /// Its PHP version.
    pub(super) php: &'static str,
    /// What it has installed, as tab-separated text.
    list: &'static str,
}

pub(super) static CITY_PORTAL: Sample = Sample {
    name: "City portal",
    url: "https://city.example",
    drupal: "11.3.14",
    php: "8.3.0",
    list: include_str!("samples/city_portal.tsv"),
};

pub(super) static UNIVERSITY: Sample = Sample {
    name: "University",
    url: "https://university.example",
    drupal: "10.2.8",
    php: "8.3.0",
    list: include_str!("samples/university.tsv"),
};

pub(super) static NEWS_AGENCY: Sample = Sample {
    name: "News agency",
    url: "https://news.example",
    drupal: "11.4.4",
    php: "8.3.0",
    list: include_str!("samples/news_agency.tsv"),
};

/// All of them, in the order of their registration.
pub(super) static SAMPLES: [&Sample; 3] = [&CITY_PORTAL, &UNIVERSITY, &NEWS_AGENCY];

/// A module on a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Module {
    /// The name Drupal knows it by.
    pub(super) machine_name: &'static str,
    /// `core`, `contrib` or `custom`, as on the wire.
    pub(super) module_type: &'static str,
    /// Its version; `None` where the site does not know it.
    pub(super) version: Option<&'static str>,
    /// Whether it is enabled.
    pub(super) enabled: bool,
    /// The drupal.org project it comes from.
    pub(super) project: Option<&'static str>,
}

/// The project of all core modules.
pub(super) const DRUPAL: &str = "drupal";

const HEADER: &str = "machine_name\ttype\tversion\tenabled\tproject";

impl Sample {
    /// What the site has installed, by machine name. Fails where the list is not well-formed.
    pub(super) fn modules(&self) -> anyhow::Result<BTreeMap<&'static str, Module>> {
        let mut lines = self.list.lines().filter(|line| !line.starts_with('#'));
        if lines.next() != Some(HEADER) {
            bail!("the sample list of {} does not begin with its header", self.name);
        }
        let mut modules = BTreeMap::new();
        for line in lines {
            let module = Module::parse(line).with_context(|| format!("sample list of {}: {line:?}", self.name))?;
            if modules.insert(module.machine_name, module).is_some() {
                bail!("the sample list of {} names {} twice", self.name, module.machine_name);
            }
        }
        Ok(modules)
    }
}

impl Module {
    /// Custom code without a version, enabled.
    pub(super) fn custom(machine_name: &'static str) -> Self {
        Self { machine_name, module_type: "custom", version: None, enabled: true, project: None }
    }

    fn parse(line: &'static str) -> anyhow::Result<Self> {
        let columns: Vec<&'static str> = line.split('\t').collect();
        let [machine_name, module_type, version, enabled, project] = columns[..] else {
            bail!("it has {} columns, not 5", columns.len());
        };
        let enabled = match enabled {
            "yes" => true,
            "no" => false,
            other => bail!("enabled is {other:?}, not yes or no"),
        };
        Ok(Self { machine_name, module_type, version: filled(version), enabled, project: filled(project) })
    }

    /// A name for people, made from the machine name.
    pub(super) fn display_name(&self) -> String {
        let name = self.machine_name.replace('_', " ");
        let mut letters = name.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }

    /// Whether its security status can be judged, and is not yet.
    pub(super) fn awaits_judgement(&self) -> bool {
        self.enabled && self.module_type != "custom" && self.project != Some(KNOWN)
    }

    /// Whether its release is known to be insecure, and it is enabled.
    pub(super) fn is_insecure(&self) -> bool {
        self.enabled && self.project == Some(KNOWN) && self.version.is_some_and(is_insecure)
    }
}

fn filled(column: &'static str) -> Option<&'static str> {
    (!column.is_empty()).then_some(column)
}

#[cfg(test)]
mod tests {
    use module_monitor_domain::{DrupalVersion, MachineName, ModuleType, ProjectName};

    use super::*;

    #[test]
    fn every_sample_is_a_list_of_valid_modules_without_duplicates() {
        for sample in SAMPLES {
            let modules = sample.modules().unwrap();
            assert!((160..=320).contains(&modules.len()), "{}: {} modules", sample.name, modules.len());
            for module in modules.values() {
                MachineName::parse(module.machine_name).unwrap();
                assert!(ModuleType::from_name(module.module_type).is_some(), "{module:?}");
                if let Some(version) = module.version {
                    DrupalVersion::parse(version).unwrap();
                }
                if let Some(project) = module.project {
                    ProjectName::parse(project).unwrap();
                }
                let is_custom = module.module_type == "custom";
                assert_eq!(module.project.is_none(), is_custom, "{module:?}");
            }
        }
    }

    #[test]
    fn core_modules_have_the_version_of_their_site() {
        for sample in SAMPLES {
            for core in sample.modules().unwrap().values().filter(|m| m.module_type == "core") {
                assert_eq!((core.version, core.project), (Some(sample.drupal), Some(DRUPAL)), "{core:?}");
            }
        }
    }

    #[test]
    fn lists_that_are_not_well_formed_are_refused() {
        let sample = |list: String| Sample { name: "x", url: "", drupal: "", php: "", list: list.leak() };
        assert!(sample(String::new()).modules().is_err(), "no header");
        for bad in ["a\tcore", "a\tcore\t1.0.0\tmaybe\tdrupal", "a\tcustom\t\tyes\t\na\tcustom\t\tno\t"] {
            assert!(sample(format!("{HEADER}\n{bad}")).modules().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn display_names_come_from_machine_names() {
        assert_eq!(Module::custom("campus_wayfinding").display_name(), "Campus wayfinding");
    }
}

//! What happens on the sample sites, and what the server should answer to each report.

use std::collections::BTreeMap;
use std::fmt;

use super::samples::{CITY_PORTAL, DRUPAL, Module, NEWS_AGENCY, Sample, UNIVERSITY};

/// One report of one site.
pub(super) struct Round {
    /// Reports of one number are from the same day.
    pub(super) number: u8,
    /// The site.
    pub(super) site: &'static Sample,
    /// What happened there, in at most 20 characters.
    pub(super) story: &'static str,
    /// How old its report is.
    pub(super) hours_ago: i64,
    step: Step,
}

/// What happened on a site before it reported.
enum Step {
    /// Nothing.
    Nothing,
    /// Projects were updated to these versions, with all of their modules.
    Update(&'static [(&'static str, &'static str)]),
    /// Modules were uninstalled.
    Uninstall(&'static [&'static str]),
    /// An uninstalled module was put back.
    PutBack(&'static str),
    /// Custom code was added, and only that is reported.
    AddCustom(&'static str),
    /// The report is an old one that comes late.
    Late,
}

const fn round(number: u8, hours_ago: i64, site: &'static Sample, story: &'static str, step: Step) -> Round {
    Round { number, site, story, hours_ago, step }
}

/// All reports, in the order they are sent.
pub(super) static ROUNDS: [Round; 12] = [
    round(1, 72, &CITY_PORTAL, "first full report", Step::Nothing),
    round(1, 72, &UNIVERSITY, "first full report", Step::Nothing),
    round(1, 72, &NEWS_AGENCY, "first full report", Step::Nothing),
    round(2, 48, &CITY_PORTAL, "update night", Step::Update(CITY_UPDATES)),
    round(2, 48, &UNIVERSITY, "no change", Step::Nothing),
    round(2, 48, &NEWS_AGENCY, "core update alone", Step::Update(&[(DRUPAL, "11.4.7")])),
    round(3, 24, &CITY_PORTAL, "4 modules removed", Step::Uninstall(&CITY_REMOVED)),
    round(3, 24, &UNIVERSITY, "partial: custom code", Step::AddCustom("campus_wayfinding")),
    round(3, 24, &NEWS_AGENCY, "no change", Step::Nothing),
    round(4, 2, &CITY_PORTAL, "one of them is back", Step::PutBack(TRAVELLER)),
    round(4, 2, &UNIVERSITY, "update night", Step::Update(UNIVERSITY_UPDATES)),
    round(4, 60, &NEWS_AGENCY, "late report, refused", Step::Late),
];

/// The module of the City portal with the longest history.
pub(super) const TRAVELLER: &str = "memcache";

const CITY_REMOVED: [&str; 4] = ["color", "phpstorm_metadata", "select2", TRAVELLER];

// Facts: versions of the same projects on public sites that are further on, and of Drupal's releases.
const CITY_UPDATES: &[(&str, &str)] = &[
    (DRUPAL, "11.3.16"),
    ("crop", "8.x-2.6"),
    ("externalauth", "2.0.12"),
    ("file_mdm", "3.2.0"),
    ("imageapi_optimize", "4.2.0"),
    ("inline_entity_form", "3.0.0"),
    ("memcache", "8.x-2.8"),
    ("openid_connect", "3.0.0-alpha8"),
    ("openid_connect_windows_aad", "2.0.0-beta10"),
    ("pathauto", "8.x-1.15"),
    ("redirect", "8.x-1.13"),
    ("sophron", "2.2.2"),
    ("upgrade_status", "4.3.9"),
    ("views_bulk_operations", "4.4.4"),
];

const UNIVERSITY_UPDATES: &[(&str, &str)] = &[
    (DRUPAL, "10.3.6"),
    ("address", "2.0.4"),
    ("admin_toolbar", "3.6.3"),
    ("ctools", "4.1.0"),
    ("devel", "5.4.0"),
    ("diff", "8.x-1.10"),
    ("field_group", "8.x-3.6"),
    ("hierarchy_manager", "3.4.2"),
    ("menu_breadcrumb", "2.0.1"),
    ("paragraphs", "8.x-1.21"),
    ("s3fs", "8.x-3.10"),
    ("token", "8.x-1.17"),
    ("views_data_export", "8.x-1.8"),
];

/// What the answer to an applied report says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) processed: usize,
    pub(super) new: usize,
    pub(super) updated: usize,
    pub(super) removed: usize,
    /// Enabled modules that need a security update.
    pub(super) insecure: usize,
    /// Enabled modules whose security status is not known yet.
    pub(super) unknown: usize,
}

/// What the server should answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Applied(Counts),
    Refused { status: u16, code: &'static str },
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processed, new, updated, removed, insecure, unknown } = self;
        write!(f, "200 with {processed} processed, {new} new, {updated} updated, {removed} removed, ")?;
        write!(f, "{insecure} insecure, {unknown} unknown")
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Applied(counts) => counts.fmt(f),
            Self::Refused { status, code } => write!(f, "{status} {code}"),
        }
    }
}

/// What a site sends in a round.
pub(super) struct Sending {
    /// Its Drupal version.
    pub(super) drupal: &'static str,
    /// `full` or `partial`.
    pub(super) sync_type: &'static str,
    /// The modules.
    pub(super) modules: Vec<Module>,
    /// The answer, as it follows from the lists alone.
    pub(super) expected: Expected,
}

type Modules = BTreeMap<&'static str, Module>;

/// A sample site as it stands.
pub(super) struct Installation {
    drupal: &'static str,
    modules: Modules,
    uninstalled: Modules,
    /// What the server knows of it.
    reported: Modules,
}

impl Installation {
    /// The site before its first report. Fails where its list is not well-formed.
    pub(super) fn new(sample: &Sample) -> anyhow::Result<Self> {
        let modules = sample.modules()?;
        Ok(Self { drupal: sample.drupal, modules, uninstalled: Modules::new(), reported: Modules::new() })
    }

    /// Its Drupal version.
    pub(super) fn drupal(&self) -> &'static str {
        self.drupal
    }

    /// Lets the round happen, and tells what the site sends.
    pub(super) fn play(&mut self, round: &Round) -> Sending {
        match round.step {
            Step::Nothing => {}
            Step::Update(projects) => self.update(projects),
            Step::Uninstall(names) => {
                self.uninstalled.extend(names.iter().filter_map(|name| self.modules.remove_entry(name)));
            }
            Step::PutBack(name) => self.modules.extend(self.uninstalled.remove_entry(name)),
            Step::AddCustom(name) => return self.send_custom(name),
            Step::Late => {
                let expected = Expected::Refused { status: 409, code: "stale-sync" };
                return Sending { expected, ..self.send("full", self.modules.values().copied().collect(), 0) };
            }
        }
        let removed = self.reported.keys().filter(|name| !self.modules.contains_key(*name)).count();
        let sending = self.send("full", self.modules.values().copied().collect(), removed);
        self.reported.clone_from(&self.modules);
        sending
    }

    fn update(&mut self, projects: &[(&'static str, &'static str)]) {
        for (project, version) in projects {
            if *project == DRUPAL {
                self.drupal = version;
            }
            for module in self.modules.values_mut().filter(|module| module.project == Some(project)) {
                module.version = Some(version);
            }
        }
    }

    fn send_custom(&mut self, name: &'static str) -> Sending {
        let module = Module::custom(name);
        self.modules.insert(name, module);
        let sending = self.send("partial", vec![module], 0);
        self.reported.insert(name, module);
        sending
    }

    /// A report of `modules`, all of them as they are in `self.modules`.
    fn send(&self, sync_type: &'static str, modules: Vec<Module>, removed: usize) -> Sending {
        let before = |module: &&Module| self.reported.get(module.machine_name);
        let counts = Counts {
            processed: modules.len(),
            new: modules.iter().filter(|module| before(module).is_none()).count(),
            updated: modules.iter().filter(|m| before(m).is_some_and(|known| known.version != m.version)).count(),
            removed,
            insecure: self.modules.values().filter(|module| module.is_insecure()).count(),
            unknown: self.modules.values().filter(|module| module.awaits_judgement()).count(),
        };
        Sending { drupal: self.drupal, sync_type, modules, expected: Expected::Applied(counts) }
    }
}

#[cfg(test)]
mod tests {
    use module_monitor_domain::{CoreVersion, DrupalVersion};

    use super::super::samples::SAMPLES;
    use super::*;

    fn expected() -> Vec<(&'static str, &'static str, Expected)> {
        let mut sites: BTreeMap<&str, Installation> =
            SAMPLES.iter().map(|sample| (sample.name, Installation::new(sample).unwrap())).collect();
        ROUNDS
            .iter()
            .map(|round| (round.site.name, round.story, sites.get_mut(round.site.name).unwrap().play(round).expected))
            .collect()
    }

    #[test]
    fn each_round_changes_what_it_says() {
        let counts = |site: &str, story: &str| {
            let found = expected().into_iter().find(|(s, t, _)| (*s, *t) == (site, story));
            match found.unwrap().2 {
                Expected::Applied(counts) => (counts.processed, counts.new, counts.updated, counts.removed),
                Expected::Refused { .. } => panic!("{story} is refused"),
            }
        };
        let core = |sample: &Sample| sample.modules().unwrap().values().filter(|m| m.module_type == "core").count();
        for sample in SAMPLES {
            let all = sample.modules().unwrap().len();
            assert_eq!(counts(sample.name, "first full report"), (all, all, 0, 0));
        }
        assert_eq!(counts("City portal", "update night"), (311, 0, core(&CITY_PORTAL) + 16, 0));
        assert_eq!(counts("City portal", "4 modules removed"), (307, 0, 0, 4));
        assert_eq!(counts("City portal", "one of them is back"), (308, 1, 0, 0));
        assert_eq!(counts("University", "no change"), (164, 0, 0, 0));
        assert_eq!(counts("University", "partial: custom code"), (1, 1, 0, 0));
        assert_eq!(counts("University", "update night"), (165, 0, core(&UNIVERSITY) + 13, 0));
        assert_eq!(counts("News agency", "core update alone"), (168, 0, core(&NEWS_AGENCY), 0));
        assert_eq!(counts("News agency", "no change"), (168, 0, 0, 0));
    }

    #[test]
    fn the_late_report_is_the_only_one_that_is_refused_and_the_only_one_older_than_its_predecessor() {
        let mut newest: BTreeMap<&str, i64> = BTreeMap::new();
        for (round, (_, _, expected)) in ROUNDS.iter().zip(expected()) {
            let last = newest.entry(round.site.name).or_insert(i64::MAX);
            let is_late = round.hours_ago > *last;
            assert_eq!(is_late, matches!(expected, Expected::Refused { .. }), "{}", round.story);
            assert!(round.hours_ago > 0, "never in the future");
            *last = round.hours_ago.min(*last);
        }
    }

    #[test]
    fn updates_lead_to_newer_versions_of_installed_projects() {
        for (sample, updates) in [(&CITY_PORTAL, CITY_UPDATES), (&UNIVERSITY, UNIVERSITY_UPDATES)] {
            let modules = sample.modules().unwrap();
            CoreVersion::parse(updates[0].1).unwrap();
            for (project, version) in updates {
                let to = DrupalVersion::parse(version).unwrap();
                let mut from = modules.values().filter(|m| m.project == Some(project)).peekable();
                assert!(from.peek().is_some(), "{project} is not installed");
                for module in from {
                    assert!(DrupalVersion::parse(module.version.unwrap()).unwrap() < to, "{module:?}");
                }
            }
        }
    }

    #[test]
    fn stories_fit_their_column() {
        assert!(ROUNDS.iter().all(|round| round.story.len() <= 20));
    }
}

//! A site's report, once its wire format has been checked.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    CoreVersion, Extension, Fingerprint, MachineName, ModuleType, PhpVersion, ReportedModule, SiteIdentity,
    core_extension, names,
};

names! {
    /// Whether a report names everything the site has.
    #[derive(Default)]
    pub enum Scope {
        /// Everything: what is missing has been removed.
        #[default]
        Full = "full",
        /// Some modules: nothing is removed.
        Partial = "partial",
    }
}

/// The free-form part of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteInfo {
    /// The JSON object as it was sent.
    pub json: String,
    /// Who it says the site is.
    pub identity: SiteIdentity,
}

/// An item of a report that was left out in lenient mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// JSON pointer to the value that is wrong.
    pub pointer: String,
    /// The name of the module, where it could be read.
    pub machine_name: Option<String>,
    /// Stable code of the problem.
    pub code: String,
    /// What is wrong, for people.
    pub detail: String,
}

/// An item of a report that was left out, as far as it could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RejectedItem {
    /// Its name, not checked.
    pub machine_name: Option<String>,
    /// Its type.
    pub module_type: Option<ModuleType>,
    /// What it is.
    pub extension: Option<Extension>,
    /// Whether it is enabled.
    pub enabled: Option<bool>,
    /// What is wrong with it.
    pub problems: Vec<Rejection>,
}

impl RejectedItem {
    /// The name of the module that it is about; `None` where it could be any.
    pub fn name(&self) -> Option<MachineName> {
        MachineName::parse(self.machine_name.as_deref()?).ok()
    }

    /// Whether it may be of an extension that is enabled.
    pub fn may_be_enabled(&self) -> bool {
        self.enabled != Some(false)
    }
}

/// What a site reported: valid, without duplicates, sorted by machine name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    scope: Scope,
    sync_timestamp: OffsetDateTime,
    drupal_version: CoreVersion,
    php_version: PhpVersion,
    site_info: SiteInfo,
    facts: Option<String>,
    modules: Vec<ReportedModule>,
    repeated: Vec<MachineName>,
    rejected: Vec<Rejection>,
    rejected_items: Vec<RejectedItem>,
    left_alone: BTreeSet<String>,
}

impl Report {
    /// A report of `modules`; of several with one name the last one counts. `sync_timestamp` is cut to microseconds,
    /// which is what both databases keep.
    pub fn new(
        scope: Scope,
        sync_timestamp: OffsetDateTime,
        drupal_version: CoreVersion,
        php_version: PhpVersion,
        site_info: SiteInfo,
        modules: Vec<ReportedModule>,
    ) -> Self {
        let mut report = Self {
            scope,
            sync_timestamp: to_microseconds(sync_timestamp),
            drupal_version,
            php_version,
            site_info,
            facts: None,
            modules,
            repeated: Vec::new(),
            rejected: Vec::new(),
            rejected_items: Vec::new(),
            left_alone: BTreeSet::new(),
        };
        report.keep_last_of_each_name();
        report.modules.iter_mut().for_each(|module| core_extension::recognise_git(module, &report.drupal_version));
        report
    }

    /// The same report with the items that lenient mode left out. A module with a rejected occurrence is left as it is.
    pub fn with_rejected(mut self, items: Vec<RejectedItem>) -> Self {
        self.left_alone = items.iter().filter_map(|item| item.machine_name.clone()).collect();
        self.modules.retain(|m| !self.left_alone.contains(m.machine_name.as_str()));
        self.repeated.retain(|name| !self.left_alone.contains(name.as_str()));
        self.rejected = items.iter().flat_map(|item| item.problems.clone()).collect();
        self.rejected_items = items;
        self
    }

    /// The same report with the JSON object in which the site tells of its surroundings.
    pub fn with_facts(mut self, facts: Option<String>) -> Self {
        self.facts = facts;
        self
    }

    fn keep_last_of_each_name(&mut self) {
        self.modules.reverse();
        self.modules.sort_by(|a, b| a.machine_name.cmp(&b.machine_name));
        let repeated = &mut self.repeated;
        self.modules.dedup_by(|earlier, kept| {
            let again = earlier.machine_name == kept.machine_name;
            if again && repeated.last() != Some(&kept.machine_name) {
                repeated.push(kept.machine_name.clone());
            }
            again
        });
    }

    /// Full or partial.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// When the site made the report, to the microsecond.
    pub fn sync_timestamp(&self) -> OffsetDateTime {
        self.sync_timestamp
    }

    /// The site's Drupal version.
    pub fn drupal_version(&self) -> &CoreVersion {
        &self.drupal_version
    }

    /// The site's PHP version.
    pub fn php_version(&self) -> &PhpVersion {
        &self.php_version
    }

    /// The free-form part.
    pub fn site_info(&self) -> &SiteInfo {
        &self.site_info
    }

    /// What the site tells of its surroundings, such as its database, as a JSON object; `None` where it does not say.
    pub fn facts(&self) -> Option<&str> {
        self.facts.as_deref()
    }

    /// The accepted modules, sorted by machine name, each name once.
    pub fn modules(&self) -> &[ReportedModule] {
        &self.modules
    }

    /// The names of accepted modules that were listed more than once, sorted.
    pub fn repeated(&self) -> &[MachineName] {
        &self.repeated
    }

    /// The items that lenient mode left out.
    pub fn rejected_items(&self) -> &[RejectedItem] {
        &self.rejected_items
    }

    /// What is wrong with them, one entry for each problem.
    pub fn rejected(&self) -> &[Rejection] {
        &self.rejected
    }

    /// Whether `name` was among the rejected items, so that the site's row must stay as it is.
    pub fn leaves_alone(&self, name: &MachineName) -> bool {
        self.left_alone.contains(name.as_str())
    }

    /// Whether every module the site has is named, so that a missing one has been removed. A rejected item without a
    /// name, or with one that no module can have (a misspelt one), could be any module.
    pub fn is_complete(&self) -> bool {
        self.scope == Scope::Full && self.rejected_items.iter().all(|item| item.name().is_some())
    }

    /// Whether it describes the site's whole state, nothing rejected: the only kind that has a fingerprint.
    pub fn is_exact(&self) -> bool {
        self.scope == Scope::Full && self.rejected_items.is_empty()
    }

    /// The fingerprint of the state this report leaves behind; `None` unless it is exact.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.is_exact().then(|| Fingerprint::of(&self.drupal_version, &self.modules))
    }
}

fn to_microseconds(at: OffsetDateTime) -> OffsetDateTime {
    let cut = at.nanosecond() / 1_000 * 1_000;
    at.replace_nanosecond(cut).unwrap_or(at)
}

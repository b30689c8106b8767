//! A site's report, once its wire format has been checked.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    CoreVersion, Extension, Fingerprint, ItemHash, MachineName, ModuleType, ModulesHash, PhpVersion, ReportedModule,
    SiteIdentity, core_extension, names,
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

/// Everything of a report but its modules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportHead {
    /// Full or partial.
    pub scope: Scope,
    /// When the site made the report.
    pub sync_timestamp: OffsetDateTime,
    /// The site's Drupal version.
    pub drupal_version: CoreVersion,
    /// The site's PHP version.
    pub php_version: PhpVersion,
    /// The free-form part.
    pub site_info: SiteInfo,
    /// What the site tells of its surroundings, such as its database, as a JSON object; `None` where it does not say.
    pub facts: Option<String>,
}

/// What has the head of a report.
pub trait Reported: Send + Sync + 'static {
    /// The head.
    fn head(&self) -> &ReportHead;
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

impl Rejection {
    /// The most of them that a report keeps; of other items it only says how many there are.
    pub const MOST: usize = 200;

    /// The most bytes that they have together as JSON.
    pub const MOST_BYTES: usize = 64 * 1024;

    /// How many bytes it has as JSON.
    fn bytes(&self) -> usize {
        /// Of the names of the fields, and what stands around the values.
        const AROUND: usize = 60;
        let name = self.machine_name.as_deref().unwrap_or_default();
        let texts = [&self.pointer, name, &self.code, &self.detail];
        AROUND + texts.iter().flat_map(|text| text.chars()).map(bytes_in_json).sum::<usize>()
    }
}

/// What a character of a string has at most.
fn bytes_in_json(c: char) -> usize {
    match c {
        '"' | '\\' => 2,
        '\0'..' ' => r"\u0000".len(),
        c => c.len_utf8(),
    }
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
    head: ReportHead,
    modules: Vec<ReportedModule>,
    modules_hash: Option<ModulesHash>,
    /// Of the modules, in their order.
    items: Vec<ItemHash>,
    repeated: Vec<MachineName>,
    rejected: Vec<Rejection>,
    unlisted: usize,
    rejected_items: Vec<RejectedItem>,
    left_alone: BTreeSet<String>,
}

impl Report {
    /// As [`Report::of`], without facts.
    pub fn new(
        scope: Scope,
        sync_timestamp: OffsetDateTime,
        drupal_version: CoreVersion,
        php_version: PhpVersion,
        site_info: SiteInfo,
        modules: Vec<ReportedModule>,
    ) -> Self {
        Self::of(ReportHead { scope, sync_timestamp, drupal_version, php_version, site_info, facts: None }, modules)
    }

    /// A report of `modules`; of several with one name the last one counts. The time is cut to microseconds, which is what
    /// both databases keep.
    pub fn of(head: ReportHead, modules: Vec<ReportedModule>) -> Self {
        let head = ReportHead { sync_timestamp: to_microseconds(head.sync_timestamp), ..head };
        let mut report = Self {
            head,
            modules,
            modules_hash: None,
            items: Vec::new(),
            repeated: Vec::new(),
            rejected: Vec::new(),
            unlisted: 0,
            rejected_items: Vec::new(),
            left_alone: BTreeSet::new(),
        };
        report.keep_last_of_each_name();
        report.modules.iter_mut().for_each(|module| core_extension::recognise_git(module, &report.head.drupal_version));
        report.items = report.modules.iter().map(ItemHash::of).collect();
        report
    }

    /// The same report with the items that lenient mode left out. A module with a rejected occurrence is left as it is.
    pub fn with_rejected(mut self, items: Vec<RejectedItem>) -> Self {
        self.left_alone = items.iter().filter_map(|item| item.machine_name.clone()).collect();
        let (left_alone, names) = (&self.left_alone, self.modules.iter().map(|m| m.machine_name.as_str()));
        let stays: Vec<bool> = names.map(|name| !left_alone.contains(name)).collect();
        let (mut of_modules, mut of_items) = (stays.iter(), stays.iter());
        self.modules.retain(|_| of_modules.next() == Some(&true));
        self.items.retain(|_| of_items.next() == Some(&true));
        self.repeated.retain(|name| !self.left_alone.contains(name.as_str()));
        (self.rejected, self.unlisted) = listed(&items);
        self.rejected_items = items;
        self
    }

    /// The same report with the JSON object in which the site tells of its surroundings.
    pub fn with_facts(mut self, facts: Option<String>) -> Self {
        self.head.facts = facts;
        self
    }

    /// The same report with the hash of the list that its modules were read from.
    pub fn with_modules_hash(mut self, hash: ModulesHash) -> Self {
        self.modules_hash = Some(hash);
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
        self.head.scope
    }

    /// When the site made the report, to the microsecond.
    pub fn sync_timestamp(&self) -> OffsetDateTime {
        self.head.sync_timestamp
    }

    /// The site's Drupal version.
    pub fn drupal_version(&self) -> &CoreVersion {
        &self.head.drupal_version
    }

    /// The site's PHP version.
    pub fn php_version(&self) -> &PhpVersion {
        &self.head.php_version
    }

    /// The free-form part.
    pub fn site_info(&self) -> &SiteInfo {
        &self.head.site_info
    }

    /// What the site tells of its surroundings, such as its database, as a JSON object; `None` where it does not say.
    pub fn facts(&self) -> Option<&str> {
        self.head.facts.as_deref()
    }

    /// The accepted modules, sorted by machine name, each name once.
    pub fn modules(&self) -> &[ReportedModule] {
        &self.modules
    }

    /// The accepted modules with the hashes of their items, sorted by machine name.
    pub fn items(&self) -> impl ExactSizeIterator<Item = (&ReportedModule, ItemHash)> {
        self.modules.iter().zip(self.items.iter().copied())
    }

    /// The hash of the accepted item of that name.
    pub fn item(&self, name: &MachineName) -> Option<ItemHash> {
        let at = self.modules.binary_search_by(|module| module.machine_name.cmp(name)).ok()?;
        self.items.get(at).copied()
    }

    /// The names of accepted modules that were listed more than once, sorted.
    pub fn repeated(&self) -> &[MachineName] {
        &self.repeated
    }

    /// The items that lenient mode left out.
    pub fn rejected_items(&self) -> &[RejectedItem] {
        &self.rejected_items
    }

    /// What is wrong with them, one entry for each problem: the first [`Rejection::MOST`].
    pub fn rejected(&self) -> &[Rejection] {
        &self.rejected
    }

    /// How many of them no entry says anything of.
    pub fn unlisted(&self) -> usize {
        self.unlisted
    }

    /// Whether `name` was among the rejected items, so that the site's row must stay as it is.
    pub fn leaves_alone(&self, name: &MachineName) -> bool {
        self.left_alone.contains(name.as_str())
    }

    /// Whether every module the site has is named, so that a missing one has been removed. A rejected item without a
    /// name, or with one that no module can have (a misspelt one), could be any module.
    pub fn is_complete(&self) -> bool {
        self.head.scope == Scope::Full && self.rejected_items.iter().all(|item| item.name().is_some())
    }

    /// Whether it describes the site's whole state, nothing rejected: the only kind that has a fingerprint.
    pub fn is_exact(&self) -> bool {
        self.head.scope == Scope::Full && self.rejected_items.is_empty()
    }

    /// The fingerprint of the state this report leaves behind; `None` unless it is exact.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        let items = self.items().map(|(module, item)| (&module.machine_name, item));
        self.is_exact().then(|| Fingerprint::of(&self.head.drupal_version, items))
    }

    /// The hash by which the list of modules is known again: of an exact report of which nothing is to be said, neither
    /// of names that come twice nor of versions that are none.
    pub fn modules_hash(&self) -> Option<ModulesHash> {
        let understood = |module: &ReportedModule| module.site_details.reported_version.is_none();
        let silent = self.is_exact() && self.repeated.is_empty();
        self.modules_hash.filter(|_| silent && self.modules.iter().all(understood))
    }
}

impl Reported for Report {
    fn head(&self) -> &ReportHead {
        &self.head
    }
}

/// The first problems of items, as many as are kept, and how many items have none among them.
fn listed(items: &[RejectedItem]) -> (Vec<Rejection>, usize) {
    let mut listed = Vec::new();
    let mut bytes = 0;
    for (n, item) in items.iter().enumerate() {
        for (first, problem) in item.problems.iter().enumerate().map(|(n, problem)| (n == 0, problem)) {
            bytes += problem.bytes();
            if listed.len() == Rejection::MOST || bytes > Rejection::MOST_BYTES {
                return (listed, items.len() - n - usize::from(!first));
            }
            listed.push(problem.clone());
        }
    }
    (listed, 0)
}

fn to_microseconds(at: OffsetDateTime) -> OffsetDateTime {
    let cut = at.nanosecond() / 1_000 * 1_000;
    at.replace_nanosecond(cut).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(problems: usize, detail: &str) -> RejectedItem {
        let problem = Rejection {
            pointer: "/modules/0".to_owned(),
            machine_name: Some("a".to_owned()),
            code: "type".to_owned(),
            detail: detail.to_owned(),
        };
        RejectedItem { problems: vec![problem; problems], ..RejectedItem::default() }
    }

    fn counts(items: &[RejectedItem]) -> (usize, usize) {
        let (listed, unlisted) = listed(items);
        (listed.len(), unlisted)
    }

    #[test]
    fn of_many_problems_the_first_200_are_listed() {
        assert_eq!(counts(&[]), (0, 0));
        assert_eq!(counts(&vec![item(1, "x"); 200]), (200, 0));
        assert_eq!(counts(&vec![item(1, "x"); 203]), (200, 3));
        assert_eq!(counts(&vec![item(3, "x"); 67]), (200, 0), "each item has an entry");
        assert_eq!(counts(&vec![item(3, "x"); 68]), (200, 1));
        assert_eq!(counts(&[item(0, "x"), item(1, "x")]), (1, 0));
    }

    #[test]
    fn and_no_more_of_them_than_64_kib() {
        assert_eq!(counts(&vec![item(1, &"x".repeat(1_000)); 100]), (60, 40));
        assert_eq!(counts(&vec![item(1, &"\"".repeat(500)); 100]), (60, 40), "as JSON");
        assert_eq!(counts(&vec![item(1, &"\u{1}".repeat(1_000)); 100]), (10, 90));
        assert_eq!(counts(&[item(1, &"x".repeat(70_000)), item(1, "x")]), (0, 2));
    }
}

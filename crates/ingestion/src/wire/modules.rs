//! The list `modules`: which of its items are accepted, and which are not.

use std::collections::HashSet;

use module_monitor_domain::{RejectedItem, Rejection, ReportedModule};
use serde_json::value::RawValue;

use super::body::{Body, add_nul};
use super::decode::wrong_type;
use super::item::{read_item, readable};
use super::json::{FirstItems, Kind};
use super::problems::{FieldError, Problems};
use super::rules::MAX_ITEMS;
use super::scan::has_nul;

/// How many problems a rejected item is listed with.
const PROBLEMS_PER_ITEM: usize = 20;

/// From so many problems on, an item is listed with its first one only, so that more items are listed: of all problems
/// [`module_monitor_domain::Rejection::MOST`] are.
const MANY_REJECTIONS: usize = Rejection::MOST / 2;

/// The items of a report.
#[derive(Default)]
pub(super) struct Modules {
    accepted: Vec<ReportedModule>,
    rejected: Vec<Rejected>,
}

/// What could be read of an item, and what is wrong with it.
struct Rejected {
    item: RejectedItem,
    problems: Problems,
}

impl Modules {
    /// Reads every item. What is wrong with an item is added to `problems`, or, if the items `may_be_rejected`, kept with
    /// the item.
    pub(super) fn read(body: &Body<'_>, may_be_rejected: bool, problems: &mut Problems) -> Self {
        let mut modules = Self::default();
        let mut listed = 0;
        for (index, raw) in items(body, problems).into_iter().enumerate() {
            let limit = match may_be_rejected {
                false => problems.room(),
                true if listed < MANY_REJECTIONS => PROBLEMS_PER_ITEM,
                true => 1,
            };
            let mut found = Problems::of(format!("/modules/{index}"), limit);
            if body.has_nul && has_nul(raw.get()) {
                add_nul("", &mut found);
            }
            match read_item(raw, &mut found) {
                Some(module) => modules.accepted.push(module),
                None if may_be_rejected => {
                    listed += limit - found.room();
                    modules.rejected.push(Rejected { item: readable(raw), problems: found });
                }
                None => problems.absorb(found),
            }
        }
        modules
    }

    /// Whether no module is left to apply.
    pub(super) fn is_empty(&self) -> bool {
        let rejected = self.rejected_names();
        self.accepted.iter().all(|module| rejected.contains(module.machine_name.as_str()))
    }

    fn rejected_names(&self) -> HashSet<&str> {
        self.rejected.iter().filter_map(|rejected| rejected.item.machine_name.as_deref()).collect()
    }

    /// Adds the problems of the rejected items.
    pub(super) fn add_problems_to(self, problems: &mut Problems) {
        self.rejected.into_iter().for_each(|item| problems.absorb(item.problems));
    }

    /// The accepted modules, and the others.
    pub(super) fn into_parts(self) -> (Vec<ReportedModule>, Vec<RejectedItem>) {
        (self.accepted, self.rejected.into_iter().map(Rejected::into_item).collect())
    }
}

impl Rejected {
    fn into_item(self) -> RejectedItem {
        let Self { item, problems } = self;
        let rejection = |error: FieldError| Rejection {
            pointer: error.pointer,
            machine_name: item.machine_name.clone(),
            code: error.code,
            detail: error.detail,
        };
        let problems = problems.into_errors().into_iter().map(rejection).collect();
        RejectedItem { problems, ..item }
    }
}

/// The items as they were sent, the first [`MAX_ITEMS`] of them.
fn items<'a>(body: &Body<'a>, problems: &mut Problems) -> Vec<&'a RawValue> {
    const EXPECTED: &str = "a list of objects";
    let Some(raw) = body.fields.sent("modules").filter(|raw| Kind::of(raw) != Kind::Null) else {
        problems.add("modules", "required", || "modules is required: the list of the site's modules".to_owned());
        return Vec::new();
    };
    match Kind::of(raw) {
        Kind::Array => {}
        Kind::Object => {
            let hint = format!("{EXPECTED} (in PHP, send array_values($modules), without keys of its own)");
            wrong_type(raw, "modules", &hint, problems);
            return Vec::new();
        }
        _ => {
            wrong_type(raw, "modules", EXPECTED, problems);
            return Vec::new();
        }
    }
    let first: FirstItems<'a, MAX_ITEMS> = match serde_json::from_str(raw.get()) {
        Ok(first) => first,
        Err(error) => {
            problems.add("modules", "invalid", || error.to_string());
            return Vec::new();
        }
    };
    if first.total == 0 || first.total > MAX_ITEMS {
        let detail = || format!("must have 1 to {MAX_ITEMS} items, found {}", first.total);
        problems.add("modules", "length", detail);
    }
    first.items
}

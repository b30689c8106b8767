//! Everything that the syncs of a database left behind, and whether it fits together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::api::TestSite;
use crate::backends::Backend;
use crate::payloads::State;
use crate::raw::RawConnection;

/// The audit log, the events and the inventories, all read in one statement.
pub struct Ledger {
    syncs: HashMap<String, LoggedSync>,
    /// By site and module, oldest first.
    events: BTreeMap<(String, String), Vec<LoggedEvent>>,
    rows: BTreeMap<(String, String), LoggedRow>,
}

struct LoggedSync {
    site: String,
    micros: i64,
    counts: (usize, usize, usize),
}

struct LoggedEvent {
    /// Its sync, and its place in the change set.
    place: String,
    /// That of the module's event before it.
    before: String,
    kind: String,
    from: String,
    to: String,
    sync: String,
}

#[derive(Debug, PartialEq, Eq)]
struct LoggedRow {
    version: String,
    enabled: bool,
    removed: bool,
}

/// Stands for "no version".
const NONE: &str = "-";

impl Ledger {
    /// Reads the database at `url`.
    pub async fn read(url: &str) -> Self {
        let mut raw = RawConnection::open(url).await;
        let lines = raw.texts(&query(raw.backend())).await;
        Self::of_lines(lines.iter().map(String::as_str))
    }

    fn of_lines<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut ledger = Self { syncs: HashMap::new(), events: BTreeMap::new(), rows: BTreeMap::new() };
        for line in lines {
            ledger.add(&line.split('|').collect::<Vec<_>>());
        }
        ledger.events = ledger.events.into_iter().map(|(module, events)| (module, in_order(events))).collect();
        ledger
    }

    fn add(&mut self, fields: &[&str]) {
        let text = |i: usize| fields[i].to_owned();
        let number = |i: usize| fields[i].parse::<usize>().expect("a count");
        match fields[0] {
            "sync" => {
                let micros = fields[3].parse().expect("microseconds");
                let sync = LoggedSync { site: text(2), micros, counts: (number(4), number(5), number(6)) };
                assert!(self.syncs.insert(text(1), sync).is_none(), "a sync is in the audit log twice");
            }
            "event" => {
                let place = format!("{} {}", fields[6], fields[7]);
                let (kind, from, to, sync, before) = (text(3), text(4), text(5), text(6), text(8));
                let event = LoggedEvent { place, before, kind, from, to, sync };
                self.events.entry((text(1), text(2))).or_default().push(event);
            }
            _ => {
                let row = LoggedRow { version: text(3), enabled: fields[4] == "on", removed: fields[5] == "removed" };
                assert!(self.rows.insert((text(1), text(2)), row).is_none(), "a site has a module twice");
            }
        }
    }

    /// The modules that the site has.
    pub fn state(&self, site: &TestSite) -> State {
        let rows = self.rows.iter().filter(|((owner, _), row)| *owner == site.id && !row.removed);
        rows.map(|((_, name), row)| {
            let version = Some(row.version.clone()).filter(|v| v != NONE);
            (name.clone(), (version, row.enabled))
        })
        .collect()
    }

    /// The time stamps of the site's applied syncs, in microseconds since 1970.
    pub fn timestamps(&self, site: &TestSite) -> BTreeSet<i64> {
        self.syncs.values().filter(|sync| sync.site == site.id).map(|sync| sync.micros).collect()
    }

    /// The ids of the site's applied syncs, as 32 hexadecimal digits.
    pub fn syncs(&self, site: &TestSite) -> BTreeSet<String> {
        self.syncs.iter().filter(|(_, sync)| sync.site == site.id).map(|(id, _)| id.clone()).collect()
    }

    /// How many events the site's history has.
    pub fn events(&self, site: &TestSite) -> usize {
        self.events.iter().filter(|((owner, _), _)| *owner == site.id).map(|(_, events)| events.len()).sum()
    }

    /// No sync is half there: every event belongs to a logged sync of its site, every logged sync has as many events as
    /// it counted, and the events of each module lead to its row.
    pub fn assert_whole(&self) {
        let mut counted: HashMap<&str, (usize, usize, usize)> = HashMap::new();
        for ((site, module), events) in &self.events {
            for event in events {
                let sync = self.syncs.get(&event.sync).unwrap_or_else(|| panic!("{module}: event without a sync"));
                assert_eq!(&sync.site, site, "{module}: an event of another site's sync");
            }
            count_changes(events, &mut counted);
        }
        for (id, sync) in &self.syncs {
            let events = counted.get(id.as_str()).copied().unwrap_or_default();
            assert_eq!(events, sync.counts, "new, updated and removed modules of sync {id}: events and audit log");
        }
        assert_eq!(self.events.keys().collect::<Vec<_>>(), self.rows.keys().collect::<Vec<_>>());
        for (key, row) in &self.rows {
            let (version, removed, enabled) = replay(&self.events[key]);
            assert_eq!((&row.version, row.removed), (&version, removed), "{key:?}");
            assert_eq!(enabled.unwrap_or(row.enabled), row.enabled, "{key:?}");
        }
    }
}

/// The events of one module, each behind the one that it names. None is left out, and none has two behind it.
fn in_order(mut events: Vec<LoggedEvent>) -> Vec<LoggedEvent> {
    let mut ordered: Vec<LoggedEvent> = Vec::with_capacity(events.len());
    let mut last = NONE.to_owned();
    while !events.is_empty() {
        let next = events.iter().position(|event| event.before == last).expect("an event without the one before it");
        let event = events.swap_remove(next);
        last.clone_from(&event.place);
        ordered.push(event);
    }
    ordered
}

/// Counts the changes of one module, sync by sync, as answers do: what comes back is new, not updated.
fn count_changes<'a>(events: &'a [LoggedEvent], counted: &mut HashMap<&'a str, (usize, usize, usize)>) {
    for together in events.chunk_by(|a, b| a.sync == b.sync) {
        let has = |kind: &str| together.iter().any(|event| event.kind == kind);
        let count = counted.entry(&together[0].sync).or_default();
        match () {
            () if has("installed") || has("restored") => count.0 += 1,
            () if has("removed") => count.2 += 1,
            () if has("version_changed") => count.1 += 1,
            () => {}
        }
    }
}

/// Where the events of a module lead: its version, whether it is removed, and whether it is enabled, where one tells.
fn replay(events: &[LoggedEvent]) -> (String, bool, Option<bool>) {
    let (mut version, mut removed, mut enabled) = (NONE.to_owned(), true, None);
    for (position, event) in events.iter().enumerate() {
        match event.kind.as_str() {
            "installed" => {
                assert_eq!(position, 0, "installed twice");
                (version, removed) = (event.to.clone(), false);
            }
            "restored" => {
                assert!(removed, "restored while present");
                removed = false;
            }
            "removed" => {
                assert!(!removed, "removed twice");
                assert_eq!(event.from, version);
                removed = true;
            }
            "version_changed" => {
                assert!(!removed && event.from == version && event.from != event.to, "{} -> {}", event.from, event.to);
                version = event.to.clone();
            }
            "enabled" => enabled = Some(true),
            "disabled" => enabled = Some(false),
            other => panic!("an event of the unknown kind {other}"),
        }
    }
    (version, removed, enabled)
}

/// One line for every sync, event and row.
fn query(backend: Backend) -> String {
    let id = |column: &str| match backend {
        Backend::Sqlite => format!("lower(hex({column}))"),
        Backend::Postgres => format!("replace({column}::text, '-', '')"),
    };
    let micros = match backend {
        Backend::Sqlite => "sync_timestamp",
        Backend::Postgres => "(extract(epoch FROM sync_timestamp) * 1000000)::bigint",
    };
    let (sync, event_sync) = (id("id"), id("c.sync_id"));
    let (changes, position) = match backend {
        Backend::Sqlite => ("json_each(c.changes) e", "e.key"),
        Backend::Postgres => ("json_array_elements(c.changes::json) WITH ORDINALITY e (value, key)", "e.key - 1"),
    };
    format!(
        "SELECT 'sync|' || {sync} || '|' || site_id || '|' || {micros} || '|' || new_modules || '|' ||
                updated_modules || '|' || removed_modules
         FROM syncs
         UNION ALL
         SELECT 'event|' || c.site_id || '|' || m.machine_name || '|' || (e.value ->> 1) || '|' ||
                coalesce(e.value ->> 2, '{NONE}') || '|' || coalesce(e.value ->> 3, '{NONE}') || '|' || {event_sync} ||
                '|' || ({position}) || '|' || coalesce((e.value ->> 4) || ' ' || (e.value ->> 5), '{NONE}')
         FROM change_sets c CROSS JOIN {changes} JOIN modules m ON m.id = CAST(e.value ->> 0 AS bigint)
         UNION ALL
         SELECT 'row|' || sm.site_id || '|' || m.machine_name || '|' || coalesce(v.version, '{NONE}') || '|' ||
                CASE WHEN sm.enabled THEN 'on' ELSE 'off' END || '|' ||
                CASE WHEN sm.removed_at IS NULL AND coalesce(sm.rejected, '') <> 'back' THEN 'present' ELSE 'removed' END
         FROM site_modules sm JOIN modules m ON m.id = sm.module_id
         LEFT JOIN module_versions v ON v.id = sm.version_id
         WHERE coalesce(sm.rejected, '') <> 'new'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sync that installs two modules, and one that updates the one and removes the other.
    const WHOLE: &str = "sync|s1|x|1|2|0|0
event|x|a|installed|-|1.0|s1|0|-
event|x|b|installed|-|1.0|s1|1|-
sync|s2|x|2|0|1|1
event|x|a|version_changed|1.0|1.1|s2|0|s1 0
event|x|b|removed|1.0|-|s2|1|s1 1
row|x|a|1.1|on|present
row|x|b|1.0|on|removed";

    fn is_whole(lines: &[&str]) -> bool {
        let lines = lines.to_vec();
        std::panic::catch_unwind(move || Ledger::of_lines(lines.into_iter()).assert_whole()).is_ok()
    }

    #[test]
    fn whatever_is_missing_or_stale_is_noticed() {
        let lines: Vec<&str> = WHOLE.lines().collect();
        assert!(is_whole(&lines));
        for missing in 0..lines.len() {
            let rest = [&lines[..missing], &lines[missing + 1..]].concat();
            assert!(!is_whole(&rest), "without {}", lines[missing]);
        }
        for stale in ["row|x|a|1.0|on|present", "row|x|a|1.1|on|removed"] {
            assert!(!is_whole(&[&lines[..6], &[stale], &lines[7..]].concat()), "{stale}");
        }
    }
}

//! How the extensions of a site stand: which are in use, what each is, and which assessment it needs.

use std::collections::{BTreeMap, HashMap, HashSet};

use module_monitor_domain::{
    CoreVersion, CurrentModule, Feed, Identification, Identified, Installed, MachineName, ModuleType, NameKnowledge,
    RejectedMark, SiteModuleState, SyncPlan, identify, in_use,
};

use crate::engine::error::StorageError;
use crate::identities::rows::KnownNameRow;
use crate::releases::assessments::key::Key;

/// An extension that a site has after a change.
pub(crate) struct Extension<'a> {
    pub(crate) name: &'a MachineName,
    pub(crate) state: &'a SiteModuleState,
    /// Its row, where that stays as it is; `None` where it is written anyway.
    pub(crate) row: Option<&'a CurrentModule>,
    /// Nothing of it could be read, so that there is nothing to judge.
    placeholder: bool,
}

/// Everything that `plan` leaves on a site with the rows `current`.
pub(crate) fn after<'a>(current: &'a [CurrentModule], plan: &'a SyncPlan) -> Vec<Extension<'a>> {
    let changed = plan.changes.changed.iter().map(|change| (&change.machine_name, &change.after));
    let changed = changed.map(|(name, state)| Extension { name, state, row: None, placeholder: false });
    let new = plan.marks.new.iter().map(|new| (&new.machine_name, &new.state));
    let new = new.map(|(name, state)| Extension { name, state, row: None, placeholder: true });
    let mut all: Vec<Extension<'_>> = changed.chain(new).collect();
    let written: HashSet<&MachineName> = all.iter().map(|extension| extension.name).collect();
    let removed = plan.changes.removed.iter().map(|row| &row.machine_name);
    let gone: HashSet<&MachineName> = removed.chain(&plan.marks.ended).collect();
    let stays = |row: &&CurrentModule| !written.contains(&row.machine_name) && !gone.contains(&row.machine_name);
    all.extend(present(current).filter(|extension| extension.row.as_ref().is_some_and(stays)));
    let back: HashSet<&MachineName> = plan.marks.back.iter().collect();
    all.extend(current.iter().filter(|row| back.contains(&row.machine_name)).map(of_row));
    all
}

/// Everything that a site has.
pub(crate) fn present(current: &[CurrentModule]) -> impl Iterator<Item = Extension<'_>> {
    current.iter().filter(|row| !row.removed).map(of_row)
}

fn of_row(row: &CurrentModule) -> Extension<'_> {
    let placeholder = row.rejected == Some(RejectedMark::New);
    Extension { name: &row.machine_name, state: &row.state, row: Some(row), placeholder }
}

/// The names among them that may be those of projects on drupal.org although their site does not say so, sorted.
pub(crate) fn unclaimed_names<'a>(extensions: &[Extension<'a>]) -> Vec<&'a str> {
    let unclaimed = extensions.iter().filter(|extension| {
        extension.state.module_type == ModuleType::Custom && extension.state.project.is_none() && !extension.placeholder
    });
    let mut names: Vec<&str> = unclaimed.map(|extension| extension.name.as_str()).collect();
    names.sort_unstable();
    names
}

/// What others than a site know of its extensions.
#[derive(Default)]
pub(crate) struct KnownNames(HashMap<MachineName, NameKnowledge>);

impl KnownNames {
    /// `rows` come with what was settled for all sites before what was settled for the site.
    pub(crate) fn of(rows: Vec<KnownNameRow>) -> Result<Self, StorageError> {
        let mut names: HashMap<MachineName, NameKnowledge> = HashMap::new();
        for row in rows {
            let known = names.entry(row.name()?).or_default();
            match row.settled()? {
                Some(settled) => known.settled = Some(settled),
                None => known.is_project = true,
            }
            known.not_on_drupal_org |= row.absent;
        }
        Ok(Self(names))
    }
}

/// How an extension stands.
pub(crate) struct Standing<'a> {
    pub(crate) name: &'a MachineName,
    pub(crate) state: &'a SiteModuleState,
    pub(crate) in_use: bool,
    pub(crate) identification: Option<Identification>,
    /// The assessment that it needs, where it needs one of its own.
    pub(crate) key: Option<Key>,
    /// Its row is not written anyway.
    pub(crate) stays: bool,
    /// Its row is to point to another assessment.
    pub(crate) assessed: bool,
    /// Something of its row is to be others than it says.
    pub(crate) moves: bool,
}

/// How the extensions of a site with that `core` stand. `anew`: whatever their rows say, they take their assessments anew.
pub(crate) fn standings<'a>(
    extensions: &[Extension<'a>],
    core: &CoreVersion,
    names: &KnownNames,
    anew: bool,
) -> Vec<Standing<'a>> {
    let installed: Vec<Installed<'a>> = extensions
        .iter()
        .map(|Extension { name, state, .. }| Installed {
            machine_name: name,
            extension: state.extension,
            enabled: state.enabled,
            base_theme: state.site_details.base_theme.as_ref(),
        })
        .collect();
    let used = in_use(&installed);
    let nothing = NameKnowledge::default();
    let stand = |extension: &Extension<'a>| {
        let Extension { name, state, row, placeholder } = *extension;
        let known = names.0.get(name).unwrap_or(&nothing);
        let Identified { identification, project } = match placeholder {
            true => Identified::default(),
            false => identify(name, state, core, known),
        };
        // Only what is in use, or may be, is marked when it cannot be read.
        let marked = placeholder || row.is_some_and(|row| row.rejected.is_some());
        let in_use = marked || used.contains(name);
        let assessed = anew || row.is_none_or(|row| row.identification != identification);
        Standing {
            name,
            state,
            in_use,
            identification,
            key: project.map(|project| Key::of(project, state)),
            stays: row.is_some(),
            assessed,
            moves: assessed || row.is_some_and(|row| row.in_use != in_use),
        }
    };
    extensions.iter().map(stand).collect()
}

/// Whether the modules of a site with `core` belong to another feed than those of the site as it was.
pub(crate) fn changes_feed(before: Option<&CoreVersion>, core: &CoreVersion) -> bool {
    before.map(Feed::of) != Some(Feed::of(core))
}

/// The standings by name.
pub(crate) fn by_name<'s, 'a>(standings: &'s [Standing<'a>]) -> BTreeMap<&'a MachineName, &'s Standing<'a>> {
    standings.iter().map(|standing| (standing.name, standing)).collect()
}

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
    installed: Installed<'a>,
    module_type: ModuleType,
    datestamp: Option<i64>,
    /// `None` where its row stays as it is and was not read as a whole: then it stays what it was taken for.
    state: Option<&'a SiteModuleState>,
    /// Its row, where that stays as it is; `None` where it is written anyway.
    row: Option<&'a CurrentModule>,
    /// Nothing of it could be read, so that there is nothing to judge.
    placeholder: bool,
}

impl<'a> Extension<'a> {
    /// What a row that is to be written says.
    fn written(machine_name: &'a MachineName, state: &'a SiteModuleState, placeholder: bool) -> Self {
        let SiteModuleState { extension, enabled, module_type, datestamp, .. } = *state;
        let base_theme = state.site_details.base_theme.as_ref();
        let installed = Installed { machine_name, extension, enabled, base_theme };
        Self { installed, module_type, datestamp, state: Some(state), row: None, placeholder }
    }

    /// What a row says that is there.
    fn of_row(row: &'a CurrentModule) -> Self {
        let CurrentModule { machine_name, enabled, extension, module_type, datestamp, .. } = row;
        let base_theme = row.base_theme.as_ref();
        Self {
            installed: Installed { machine_name, extension: *extension, enabled: *enabled, base_theme },
            module_type: *module_type,
            datestamp: *datestamp,
            state: row.state.as_ref(),
            row: Some(row),
            placeholder: row.rejected == Some(RejectedMark::New),
        }
    }
}

/// Everything that `plan` leaves on a site with the rows `current`.
pub(crate) fn after<'a>(current: &'a [CurrentModule], plan: &'a SyncPlan) -> Vec<Extension<'a>> {
    let changed = plan.changes.changed.iter().map(|change| (&change.machine_name, &change.after));
    let changed = changed.map(|(name, state)| Extension::written(name, state, false));
    let new = plan.marks.new.iter().map(|new| Extension::written(&new.machine_name, &new.state, true));
    let mut all: Vec<Extension<'_>> = changed.chain(new).collect();
    let written: HashSet<&MachineName> = all.iter().map(|extension| extension.installed.machine_name).collect();
    let removed = plan.changes.removed.iter().map(|row| &row.machine_name);
    let gone: HashSet<&MachineName> = removed.chain(&plan.marks.ended).collect();
    let stays = |row: &&CurrentModule| !written.contains(&row.machine_name) && !gone.contains(&row.machine_name);
    all.extend(present(current).filter(|extension| extension.row.as_ref().is_some_and(stays)));
    let back: HashSet<&MachineName> = plan.marks.back.iter().collect();
    all.extend(current.iter().filter(|row| back.contains(&row.machine_name)).map(Extension::of_row));
    all
}

/// Everything that a site has.
pub(crate) fn present(current: &[CurrentModule]) -> impl Iterator<Item = Extension<'_>> {
    current.iter().filter(|row| !row.removed).map(Extension::of_row)
}

/// The names among them that may be those of projects on drupal.org although their site does not say so, sorted.
pub(crate) fn unclaimed_names<'a>(extensions: &[Extension<'a>]) -> Vec<&'a str> {
    let unclaimed = extensions.iter().filter(|extension| {
        let unclaimed = |state: &SiteModuleState| state.module_type == ModuleType::Custom && state.project.is_none();
        extension.state.is_some_and(unclaimed) && !extension.placeholder
    });
    let mut names: Vec<&str> = unclaimed.map(|extension| extension.installed.machine_name.as_str()).collect();
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
    pub(crate) module_type: ModuleType,
    pub(crate) datestamp: Option<i64>,
    pub(crate) in_use: bool,
    pub(crate) identification: Option<Identification>,
    /// The assessment that it needs, where it needs one of its own and its row does not have it yet.
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
    let installed: Vec<Installed<'a>> = extensions.iter().map(|extension| extension.installed).collect();
    let used = in_use(&installed);
    let nothing = NameKnowledge::default();
    let stand = |extension: &Extension<'a>| {
        let Extension { state, row, placeholder, .. } = *extension;
        let name = extension.installed.machine_name;
        let known = names.0.get(name).unwrap_or(&nothing);
        let Identified { identification, project } = match state {
            Some(state) if !placeholder => identify(name, state, core, known),
            Some(_) => Identified::default(),
            None => Identified { identification: row.and_then(|row| row.identification), project: None },
        };
        // Only what is in use, or may be, is marked when it cannot be read.
        let marked = placeholder || row.is_some_and(|row| row.rejected.is_some());
        let in_use = marked || used.contains(name);
        // What was removed has none.
        let assessed = anew || row.is_none_or(|row| row.removed || row.identification != identification);
        Standing {
            name,
            module_type: extension.module_type,
            datestamp: extension.datestamp,
            in_use,
            identification,
            key: state.and_then(|state| project.map(|project| Key::of(project, state))),
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

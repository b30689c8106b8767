//! What a site's row keeps of a module as JSON.

use module_monitor_domain::{ModuleDetails, SiteDetails, SiteModuleState};
use serde::{Deserialize, Serialize};

use crate::engine::error::StorageError;
use crate::engine::read::{json, read_json};

/// The column `own_details`: the fields of both side by side.
#[derive(Default, Deserialize, Serialize)]
struct Column<D, S> {
    #[serde(flatten)]
    own: Option<D>,
    #[serde(flatten)]
    site: S,
}

/// What the column is to hold; `None` where there is nothing to keep.
pub(crate) fn own_details(state: &SiteModuleState) -> Option<String> {
    let nothing = state.own_details.is_none() && state.site_details == SiteDetails::default();
    (!nothing).then(|| json(&Column { own: state.own_details.as_ref(), site: &state.site_details }))
}

/// The same without anything that only describes the module.
pub(crate) fn name_alone(state: &SiteModuleState) -> Option<String> {
    let own = state.own_details.as_ref();
    let own = own.map(|own| ModuleDetails { name: own.name.clone(), ..ModuleDetails::default() });
    own_details(&SiteModuleState { own_details: own, ..state.clone() })
}

/// What the column holds.
pub(super) fn read_own_details(json: Option<&str>) -> Result<(Option<ModuleDetails>, SiteDetails), StorageError> {
    let column: Option<Column<ModuleDetails, SiteDetails>> =
        json.map(|json| read_json("module details", json)).transpose()?;
    let Column { own, site } = column.unwrap_or_default();
    Ok((own, site))
}

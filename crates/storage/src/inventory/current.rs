//! The rows of a site as a report is compared with them: keys and hashes of all, everything of those that may change.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
use module_monitor_domain::{
    ChangeRef, CurrentModule, Extension, Identification, ItemHash, MachineName, ModuleType, RejectedMark, SiteId,
    SiteModuleState,
};

use super::change_set::change_ref;
use super::queries;
use super::rows::StateColumns;
use crate::engine::error::StorageError;
use crate::engine::read::{read, read_module_type, read_name};
use crate::engine::sql_types::{At, DbId, Id, Moment};
use crate::engine::transaction::Transaction;

/// A row of a site without what only matters where it changes, with the ids behind it.
#[derive(QueryableByName)]
struct CurrentRow {
    #[diesel(sql_type = BigInt)]
    module_id: i64,
    #[diesel(sql_type = Text)]
    machine_name: String,
    #[diesel(sql_type = Text)]
    registry_type: String,
    #[diesel(sql_type = Nullable<Binary>)]
    item_hash: Option<Vec<u8>>,
    #[diesel(sql_type = Bool)]
    enabled: bool,
    #[diesel(sql_type = Text, column_name = "type")]
    module_type: String,
    #[diesel(sql_type = Text)]
    extension: String,
    #[diesel(sql_type = Nullable<Text>)]
    base_theme: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    datestamp: Option<i64>,
    #[diesel(sql_type = Nullable<Moment>)]
    removed_at: Option<At>,
    #[diesel(sql_type = Bool)]
    in_use: bool,
    #[diesel(sql_type = Nullable<Text>)]
    identification: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    rejected: Option<String>,
    #[diesel(sql_type = Integer)]
    details_bytes: i32,
    #[diesel(sql_type = Nullable<Id>)]
    last_change_sync: Option<DbId>,
    #[diesel(sql_type = Nullable<Integer>)]
    last_change_position: Option<i32>,
}

impl TryFrom<&CurrentRow> for CurrentModule {
    type Error = StorageError;

    fn try_from(row: &CurrentRow) -> Result<Self, StorageError> {
        let identification = |name: &str| read("identification", name, Identification::from_name(name));
        Ok(Self {
            machine_name: read_name(&row.machine_name)?,
            item: row.item_hash.as_deref().and_then(ItemHash::from_bytes),
            enabled: row.enabled,
            module_type: read_module_type(&row.module_type)?,
            extension: read("extension", &row.extension, Extension::from_name(&row.extension))?,
            base_theme: row.base_theme.as_deref().map(read_name).transpose()?,
            datestamp: row.datestamp,
            removed: row.removed_at.is_some(),
            rejected: row
                .rejected
                .as_deref()
                .map(|name| read("mark", name, RejectedMark::from_name(name)))
                .transpose()?,
            in_use: row.in_use,
            identification: row.identification.as_deref().map(identification).transpose()?,
            state: None,
        })
    }
}

/// Everything that a row of a site says, with the ids behind it.
#[derive(QueryableByName)]
struct StateRow {
    #[diesel(sql_type = BigInt)]
    module_id: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    version_id: Option<i64>,
    #[diesel(sql_type = Bool)]
    described: bool,
    #[diesel(embed)]
    state: StateColumns,
}

/// What the database knows beside a [`CurrentModule`], in the order of the rows.
pub(crate) struct Behind {
    pub(crate) module_id: i64,
    pub(crate) registry_type: ModuleType,
    /// Of its version, where its state was read: the id, and whether what belongs to the release is stored with it.
    pub(crate) version: Option<(i64, bool)>,
    /// What of its details counts towards the bound of the site.
    pub(crate) details_bytes: usize,
    pub(crate) removed_at: Option<At>,
    /// Where its history begins, the newest first.
    pub(crate) last_change: Option<ChangeRef>,
}

/// The rows of a site.
pub(crate) struct Current {
    pub(crate) modules: Vec<CurrentModule>,
    pub(crate) behind: Vec<Behind>,
}

impl Current {
    /// Reads the rows of a site, and everything of those that `whole` asks for. The caller holds the site's lock.
    pub(crate) async fn read<T: Transaction>(
        transaction: &mut T,
        site: SiteId,
        whole: impl Fn(&CurrentModule) -> bool,
    ) -> Result<Self, StorageError> {
        let rows = transaction.rows::<CurrentRow>(queries::current_modules(site)).await?;
        let mut modules = rows.iter().map(CurrentModule::try_from).collect::<Result<Vec<_>, _>>()?;
        let mut behind = rows.iter().map(Behind::of).collect::<Result<Vec<_>, _>>()?;
        let mut places: HashMap<i64, usize> = HashMap::new();
        places.extend(
            modules
                .iter()
                .zip(&behind)
                .enumerate()
                .filter(|(_, (module, _))| whole(module))
                .map(|(place, (_, behind))| (behind.module_id, place)),
        );
        if places.is_empty() {
            return Ok(Self { modules, behind });
        }
        let mut ids: Vec<i64> = places.keys().copied().collect();
        ids.sort_unstable();
        for row in transaction.rows::<StateRow>(queries::module_states(site, ids)).await? {
            let Some(&place) = places.get(&row.module_id) else { continue };
            behind[place].version = row.version_id.map(|id| (id, row.described));
            modules[place].state = Some(SiteModuleState::try_from(row.state)?);
        }
        Ok(Self { modules, behind })
    }

    /// The ids of the modules by their names.
    pub(crate) fn ids(&self) -> HashMap<&MachineName, i64> {
        let rows = self.modules.iter().zip(&self.behind);
        rows.map(|(module, behind)| (&module.machine_name, behind.module_id)).collect()
    }
}

impl Behind {
    fn of(row: &CurrentRow) -> Result<Self, StorageError> {
        Ok(Self {
            module_id: row.module_id,
            registry_type: read_module_type(&row.registry_type)?,
            version: None,
            details_bytes: usize::try_from(row.details_bytes).unwrap_or_default(),
            removed_at: row.removed_at,
            last_change: change_ref(row.last_change_sync, row.last_change_position),
        })
    }
}

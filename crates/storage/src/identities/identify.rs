//! Identifying the extensions of a site anew, because something has changed that its reports do not say.

use module_monitor_domain::{Feed, Identification, MachineName, SiteId};
use time::OffsetDateTime;

use super::queries;
use super::rows::{KnownNameRow, StandingWrite};
use crate::engine::error::StorageError;
use crate::engine::read::CountRow;
use crate::engine::statement::BoxedSql;
use crate::engine::transaction::{Transaction, Unit};
use crate::inventory::current::Current;
use crate::inventory::standing::{Extension, KnownNames, Standing, present, standings, unclaimed_names};
use crate::releases::assessments::assess;
use crate::releases::assessments::changed::agree;
use crate::releases::assessments::named::Named;
use crate::releases::assessments::wanted::{Assessed, Known, Wanted};
use crate::security::recount;
use crate::sites::rows::SiteStateRow;
use crate::{recounts, sites};

/// What is known of the names among the extensions of a site.
pub(crate) async fn known_names<T: Transaction>(
    transaction: &mut T,
    site: SiteId,
    feed: Feed,
    extensions: &[Extension<'_>],
) -> Result<KnownNames, StorageError> {
    let query = queries::known_names(site, feed, unclaimed_names(extensions));
    KnownNames::of(transaction.rows::<KnownNameRow>(query).await?)
}

/// Writes how those stand whose rows are not written anyway.
pub(crate) async fn write_standings<T: Transaction>(
    transaction: &mut T,
    site: SiteId,
    standings: &[Standing<'_>],
    assessed: &Assessed,
    module_id: impl Fn(&MachineName) -> Result<i64, StorageError>,
) -> Result<(), StorageError> {
    let write = |standing: &Standing<'_>| {
        Ok(StandingWrite {
            module_id: module_id(standing.name)?,
            assessed: standing.assessed,
            assessment_id: assessed.id_of(standing),
            in_use: standing.in_use,
            identification: standing.identification.map(Identification::as_str),
        })
    };
    let moved = standings.iter().filter(|standing| standing.stays && standing.moves);
    let mut rows = moved.map(write).collect::<Result<Vec<_>, StorageError>>()?;
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_unstable_by_key(|row| row.module_id);
    transaction.execute(queries::stand_site_modules(site, &rows)).await.map(drop)
}

/// What has become of a site whose extensions were identified.
pub(crate) struct Done {
    /// How many rows each of the statements wrote.
    pub(crate) rows: Vec<usize>,
    /// The projects that it begins to use.
    pub(crate) named: Option<Named>,
}

/// Locks a site, runs statements, identifies its extensions and recounts it. `None` where there is no such site.
pub(crate) struct Identify {
    pub(crate) site: SiteId,
    pub(crate) now: OffsetDateTime,
    pub(crate) statements: Vec<BoxedSql>,
}

impl Unit for Identify {
    type Output = Option<Done>;

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<Option<Done>, StorageError> {
        let Self { site, now, statements } = self;
        let state = transaction.first::<SiteStateRow>(sites::queries::lock_site(site)).await?;
        // Before anything is read: what is marked from here on is done again.
        let marked = transaction.first::<CountRow>(recounts::queries::marks(site)).await?;
        let Some(state) = state else {
            transaction.execute(recounts::queries::delete(&[site])).await?;
            return Ok(None);
        };
        let rows = transaction.execute_all(statements).await?;
        let mut assessed = Assessed::default();
        if let Some(core) = state.drupal_version() {
            let current = Current::read(transaction, site, |row| !row.removed).await?;
            let extensions: Vec<_> = present(&current.modules).collect();
            let names = known_names(transaction, site, Feed::of(&core), &extensions).await?;
            let stand = standings(&extensions, &core, &names, true);
            assessed = assess(transaction, site, now, Wanted::of(&core, &stand), Known::default()).await?;
            let ids = current.ids();
            let module_id = |name: &MachineName| {
                ids.get(name).copied().ok_or_else(|| StorageError::corrupt("inventory: no id for module", name))
            };
            write_standings(transaction, site, &stand, &assessed, module_id).await?;
        }
        recount::recount(transaction, now, &[site]).await?;
        agree(transaction, site, now, state.changes, &assessed).await?;
        if let Some(marked) = marked {
            transaction.execute(recounts::queries::done(site, marked.count)).await?;
        }
        Ok(Some(Done { rows, named: assessed.named }))
    }
}
